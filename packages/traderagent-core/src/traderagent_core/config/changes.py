"""What differs between two configurations of one run, key by key, and when each difference counts."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from attrs import frozen

from traderagent_core.config.effective import effective
from traderagent_core.config.loaded import Config
from traderagent_core.config.problems import KeyPath, key_text, shorten


class Counts(StrEnum):
    """When a changed key counts."""

    NOW = "now"
    WHEN_STOPPED = "when stopped"
    """Now, if the bot is STOPPED and holds nothing."""
    NEXT_START = "next start"
    """When the process is started the next time."""
    NEVER = "never"
    """Not in this run."""


PLACE = ("symbol", "market", "dry_run")
"""Keys of a bot that say where it trades: orders, positions and the account of a run belong to it."""
ACCOUNT = ("exchange_id", "credentials_name", "sandbox", "environment")
"""Keys of its exchange that do; the others say how the exchange is reached."""
KIND = ("strategy", "timeframe", "leverage")
AT_START = ("simulation", "log_level", "slow_call_ms", "hung_call_ms", "plugins", "disabled_plugins")
SECRETS = ("database_url", "encryption_key")


@frozen
class Change:
    """One key that differs. `old` and `new` are texts, None where there is no value; `bot` is empty for others."""

    key: str
    old: str | None
    new: str | None
    counts: Counts
    bot: str = ""

    def __str__(self) -> str:
        return f"{self.key}: {shorten(self.old or 'nothing')} → {shorten(self.new or 'nothing')}"


def changes(old: Config, new: Config) -> list[Change]:
    """Every key that differs, in the order of the keys; bots are compared by their names."""
    if old is new:
        return []
    has_secrets = old.path is not None  # What a journal tells of a configuration has none.
    before = _values_of(old, new, has_secrets=has_secrets)
    after = _values_of(new, old, has_secrets=has_secrets)
    paths = [*before, *(path for path in after if path not in before)]
    found = [
        Change(key_text(path), before.get(path), after.get(path), _counts(path), _bot(path))
        for path in paths
        if before.get(path) != after.get(path)
    ]
    if has_secrets and old.event_sinks != new.event_sinks:
        were, are = (", ".join(part.name for part in each.event_sinks) for each in (old, new))
        found.append(Change("event_sinks", were, are, Counts.NEXT_START))
    kept = [key for key in SECRETS if has_secrets and getattr(old, key) != getattr(new, key)]
    return [*found, *(Change(key, "***", "***", Counts.NEXT_START) for key in kept)]


def _values_of(config: Config, other: Config, *, has_secrets: bool) -> dict[KeyPath, str]:
    """All values by their keys; a bot that only one configuration has is one value."""
    content, known = effective(config), {bot.name for bot in other.bots}
    bots = {bot.pop("name"): bot for bot in content["bots"]}
    content["bots"] = {name: bot if name in known else "a bot" for name, bot in bots.items()}
    for bot in config.bots:
        name = bot.exchange.credentials_name
        if bot.name in known and name is not None and name.is_set and has_secrets:
            content["bots"][bot.name]["exchange"]["credentials_name"] = name.reveal()
    return dict(_values(content))


def _values(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    if not isinstance(value, Mapping) or not value:
        yield path, str(value)
        return
    for key, item in value.items():
        yield from _values(item, (*path, key))


def _bot(path: KeyPath) -> str:
    return str(path[1]) if path[0] == "bots" and len(path) > 1 else ""


def _counts(path: KeyPath) -> Counts:
    if path[0] in AT_START:
        return Counts.NEXT_START
    if path[0] != "bots":
        return Counts.NOW
    if len(path) < 3 or path[2] in PLACE or (path[2] == "exchange" and path[3] in ACCOUNT):
        return Counts.NEVER
    if path[2] == "exchange":
        return Counts.NEXT_START
    if path[2] == "auto_start":
        return Counts.NEXT_START
    return Counts.WHEN_STOPPED if path[2] in KIND else Counts.NOW
