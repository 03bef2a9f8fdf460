"""`${NAME}` and `${NAME:-default}` inside texts; `$$` stands for one dollar sign."""

import re
from collections.abc import Mapping

from attrs import define, frozen

_DOLLAR = re.compile(r"\$\$|\$\{([^{}]*)\}|\$\{")
_BODY = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$", re.DOTALL)


@frozen
class Expansion:
    """A text after its variables: `missing` are not set, `malformed` are not written as a variable is."""

    text: str
    names: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    malformed: tuple[str, ...] = ()


@define
class _Expander:
    environ: Mapping[str, str]
    names: list[str]
    missing: list[str]
    malformed: list[str]

    def replace(self, match: re.Match[str]) -> str:
        whole = match.group(0)
        if whole == "$$":
            return "$"
        body = _BODY.match(match.group(1) or "")
        if body is None:
            self.malformed.append(whole)
            return whole
        return self._value(body.group(1), body.group(2))

    def _value(self, name: str, default: str | None) -> str:
        self.names.append(name)
        found = self.environ.get(name)
        if default is not None:
            return found or default
        if found is None:
            self.missing.append(name)
        return found or ""


def expand(text: str, environ: Mapping[str, str]) -> Expansion:
    """Put the values of the variables into a text. A default counts when a variable is unset or empty."""
    expander = _Expander(environ, [], [], [])
    expanded = _DOLLAR.sub(expander.replace, text)
    return Expansion(expanded, tuple(expander.names), tuple(expander.missing), tuple(expander.malformed))
