"""YAML syntax errors in plain words, with what usually causes them."""

from typing import Any

OTHER_VERSION = "another version of YAML"

_KNOWN: tuple[tuple[str, str, str], ...] = (
    (
        "found character '\\t'",
        "a tab stands where YAML allows only spaces",
        "replace the tab with spaces",
    ),
    (
        "that cannot start any token",
        "a text cannot begin with this character",
        "put the text in quotes",
    ),
    (
        "mapping values are not allowed",
        "a ':' stands where no key can be",
        "check the indentation of this line and the colon (with a space) after the key before it, "
        "or put a text that contains ': ' in quotes",
    ),
    ("could not find expected ':'", "a key without ': '", "write `key: value`, with a space after the colon"),
    ("unexpected end of stream", "a quote is opened here or before and never closed", "close the quote"),
    ("expected ',' or ']'", "a '[' is not closed, or a comma is missing", "write [a, b]"),
    ("expected ',' or '}'", "a '{' is not closed, or a comma is missing", "write {key: value, key: value}"),
    (
        "expected <block end>",
        "this line does not belong to the keys or list items above it",
        "give all keys of one group the same indentation, and begin each list item with '- '",
    ),
    (
        "expected the node content",
        "a value is missing, or a bracket is not closed",
        "write [a, b] or {key: value}, each bracket closed",
    ),
    ("found another document", "a second YAML document begins here", "remove the line '---'"),
    (
        "found undefined alias",
        "this alias names no anchor above it",
        "define it with &name before using *name",
    ),
    (
        OTHER_VERSION,
        "this file says that it is another YAML than 1.2",
        "remove the line that begins with %YAML",
    ),
    ("found unknown escape character", "unknown escape in a double-quoted text", "use single quotes"),
)
_VARIABLE_IN_FLOW = 'inside { } and [ ] a variable stands in quotes: "${NAME}"'


def syntax_words(error: Any, line: str) -> tuple[str, str]:
    """Rule and hint for an error of the YAML reader that stopped in `line`."""
    said = str(error.problem or error.context or "not YAML")
    for fragment, rule, hint in _KNOWN:
        if fragment in f"{said} {error.context or ''}":
            return rule, _hint(hint, line)
    return f"this is not YAML: {said}", _hint("check quotes, brackets and indentation", line)


def _hint(hint: str, line: str) -> str:
    has_bare_variable = "${" in line and ("{" in line.replace("${", "") or "[" in line)
    return _VARIABLE_IN_FLOW if has_bare_variable else hint
