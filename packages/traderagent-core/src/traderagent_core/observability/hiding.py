"""Keeps secrets out of whatever is told: those known by their value, and whatever stands under their names."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from attrs import define, field

from traderagent_core.config.problems import is_secret

HIDDEN = "***"
SHORTEST = 4
"""Shorter texts would be found in the middle of words; nobody uses such a key."""


def _sorted(secrets: Iterable[str]) -> tuple[str, ...]:
    known = {secret for secret in secrets if len(secret) >= SHORTEST}
    return tuple(sorted(known | {quote(secret, safe="") for secret in known}, key=len, reverse=True))


@define(eq=False)
class Hider:
    """Knows the secrets of a run; they may also stand in URLs."""

    _secrets: tuple[str, ...] = field(default=(), converter=_sorted, repr=False)

    def text(self, text: str) -> str:
        """A text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text

    def value(self, value: Any) -> Any:
        """A JSON-able value without secrets; what JSON does not know becomes its text."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {str(key): self._under(str(key), item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item) for item in value]
        return self.text(str(value))

    def _under(self, key: str, value: Any) -> Any:
        return HIDDEN if is_secret((key,)) and value is not None else self.value(value)

    def error(self, error: BaseException) -> None:
        """Take secrets out of an error and of those that it comes from."""
        seen: set[int] = set()
        waiting: list[BaseException | None] = [error]
        while waiting:
            each = waiting.pop()
            if each is None or id(each) in seen:
                continue
            seen.add(id(each))
            each.args = tuple(self.text(part) if isinstance(part, str) else part for part in each.args)
            waiting += [each.__cause__, each.__context__]
            if isinstance(each, BaseExceptionGroup):
                waiting += each.exceptions
