"""A fact: one thing that has happened in a run, for those who watch."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen


@frozen
class Fact:
    """One thing that has happened; `bot` is empty where it concerns the account. Amounts in `values` are text."""

    name: str
    time_ms: int
    bot: str = ""
    values: Mapping[str, Any] = {}

    def to_payload(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {"event": self.name, "time_ms": self.time_ms, "bot": self.bot, **self.values}
