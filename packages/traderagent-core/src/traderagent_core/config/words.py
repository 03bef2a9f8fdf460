"""pydantic's errors in plain words: what is expected, and how to mend it."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from traderagent_core.config.fields import RULE_ERROR, number_hint
from traderagent_core.host.hints import nearest

Words = tuple[str, str]

YES_NO = {"yes": "true", "no": "false", "on": "true", "off": "false", "y": "true", "n": "false"}


def words(error: Mapping[str, Any]) -> Words:
    """Rule and hint for one entry of `ValidationError.errors()`."""
    kind = str(error["type"])
    for known, say in _BY_KIND.items():
        if kind == known or (known.endswith("_") and kind.startswith(known)):
            return say(error)
    return _lowered(
        str(error["msg"]).replace("Input should be", "expected").replace("Input should", "should")
    )


def is_worded_elsewhere(error: Mapping[str, Any]) -> bool:
    """Whether a validator worded the message, so that it may repeat a value."""
    kind = str(error["type"])
    return kind in ("value_error", "assertion_error") or not kind.startswith(_OWN_KINDS)


def _lowered(message: str) -> Words:
    return message[:1].lower() + message[1:], ""


def _context(error: Mapping[str, Any]) -> Mapping[str, Any]:
    return error.get("ctx") or {}


def _own_rule(error: Mapping[str, Any]) -> Words:
    return str(_context(error)["rule"]), str(_context(error)["hint"])


def _raised(error: Mapping[str, Any]) -> Words:
    raised = _context(error).get("error")
    message = str(raised) if raised is not None else str(error["msg"])
    return message or "this value is refused", ""


def _number(error: Mapping[str, Any]) -> Words:
    return "expected a number", _scalar_hint(error) or number_hint(error["input"])


def _whole_number(error: Mapping[str, Any]) -> Words:
    return "expected a whole number", _scalar_hint(error) or number_hint(error["input"])


def _scalar_hint(error: Mapping[str, Any]) -> str:
    return "write one value, not a group" if isinstance(error["input"], dict | list) else ""


def boolean_words(value: object) -> Words:
    """What to say of a value that should be true or false."""
    meant = YES_NO.get(str(value).lower())
    return "expected true or false", f"write {meant}" if meant else "write true or false, without quotes"


def _text(error: Mapping[str, Any]) -> Words:
    value = error["input"]
    is_scalar = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return "expected a text", f'put it in quotes: "{value}"' if is_scalar else ""


def _list(_error: Mapping[str, Any]) -> Words:
    return "expected a list", "write [first, second], or one item a line, each after '- '"


def _mapping(_error: Mapping[str, Any]) -> Words:
    return "expected keys and values", "write {key: value}, or one indented `key: value` a line"


def _choice(error: Mapping[str, Any]) -> Words:
    expected = str(_context(error).get("expected", ""))
    choices = [choice.strip("' ") for choice in expected.replace(" or ", ", ").split(",")]
    meant = nearest(str(error["input"]), choices)
    rule = f"expected {choices[0]}" if len(choices) == 1 else f"expected one of {', '.join(choices)}"
    return rule, f"did you mean {meant}?" if meant else ""


def _bound(key: str, phrase: str) -> Callable[[Mapping[str, Any]], Words]:
    def say(error: Mapping[str, Any]) -> Words:
        limit = _context(error)[key]
        return f"must be {phrase} {limit}", _ratio_hint(error["input"], limit)

    return say


def _ratio_hint(value: object, limit: object) -> str:
    """Somebody who writes 12 where at most 1 is allowed means per cent."""
    try:
        number, bound = Decimal(str(value)), Decimal(str(limit))
    except InvalidOperation:
        return ""
    is_percent = number.is_finite() and Decimal(0) < bound <= 1 <= number <= 100
    return f"ratios are written as fractions: {number} % is {number / 100:f}" if is_percent else ""


def _finite(_error: Mapping[str, Any]) -> Words:
    return "expected a finite number", "write a number with digits"


def _length(phrase: str, key: str) -> Callable[[Mapping[str, Any]], Words]:
    def say(error: Mapping[str, Any]) -> Words:
        limit = _context(error)[key]
        if key == "min_length" and limit == 1:
            return "must not be empty", "write at least one"
        return f"must have {phrase} {limit} {_unit(error)}", ""

    return say


def _unit(error: Mapping[str, Any]) -> str:
    return "characters" if isinstance(error["input"], str) else "items"


def _pattern(error: Mapping[str, Any]) -> Words:
    return "this text has not the right form", f"it must match {_context(error)['pattern']}"


_BY_KIND: dict[str, Callable[[Mapping[str, Any]], Words]] = {
    RULE_ERROR: _own_rule,
    "value_error": _raised,
    "assertion_error": _raised,
    "decimal_max_": lambda error: _lowered(str(error["msg"])),
    "decimal_whole_": lambda error: _lowered(str(error["msg"])),
    "decimal_": _number,
    "float_": _number,
    "int_": _whole_number,
    "bool_": lambda error: boolean_words(error["input"]),
    "string_type": _text,
    "string_too_short": _length("at least", "min_length"),
    "string_too_long": _length("at most", "max_length"),
    "string_pattern_mismatch": _pattern,
    "too_short": _length("at least", "min_length"),
    "too_long": _length("at most", "max_length"),
    "list_type": _list,
    "tuple_type": _list,
    "set_type": _list,
    "dict_type": _mapping,
    "mapping_type": _mapping,
    "model_type": _mapping,
    "model_attributes_type": _mapping,
    "literal_error": _choice,
    "enum": _choice,
    "greater_than_equal": _bound("ge", "at least"),
    "greater_than": _bound("gt", "above"),
    "less_than_equal": _bound("le", "at most"),
    "less_than": _bound("lt", "below"),
    "finite_number": _finite,
}
_OWN_KINDS = tuple(_BY_KIND)
