"""Snapshots: all that an engine and its strategies remember, as JSON-able data."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from traderagent_core.engine.codec import StateError, decode, members

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine

SCHEMA_VERSION = 2

MEMBER_FIELDS = (
    "stop",
    "is_started",
    "is_paused",
    "is_halted",
    "is_stopped",
    "is_quarantined",
    "is_hung",
    "is_over_daily_loss",
    "day_start_profit",
    "peak_profit",
    "exit_reason",
    "failures",
)
GUARD_FIELDS = ("peak", "day_start", "judged", "day", "size_factor", "is_entry_allowed")


def snapshot(engine: "Engine") -> dict[str, Any]:
    """The state between two steps. Watches, timers and orders at the venue are the driver's and the venue's."""
    state: dict[str, Any] = json.loads(snapshot_json(engine))
    return state


def snapshot_json(engine: "Engine") -> str:
    """As `snapshot`, as JSON text."""
    try:
        text = members(remembered(engine))
    except StateError as error:
        raise _blamed(engine) or error from error
    return f'{{"schema_version":{SCHEMA_VERSION},{text}}}'


def _blamed(engine: "Engine") -> StateError | None:
    """Whose state or plan cannot be saved, if that can be told."""
    strategies = [(f"the state of bot {own.name!r}", own.strategy.state) for own in engine.members.values()]
    filters = [(f"the state of filter {name!r}", own.state) for name, own in engine.setup.filters.items()]
    plans = [
        (f"plan {own.plan.name!r} of bot {own.bot!r}", own.plan) for own in engine.account.plans.values()
    ]
    for whose, value in (*strategies, *filters, *plans):
        try:
            members({"value": value})
        except StateError as error:
            return StateError(f"{whose} cannot be saved: {error}")
    return None


def remembered(engine: "Engine") -> dict[str, Any]:
    """All that is to be saved, as it lives."""
    members = {}
    for member in engine.members.values():
        fields = {name: getattr(member, name) for name in MEMBER_FIELDS}
        members[member.name] = {**fields, "state": member.strategy.state}
    guard = engine.guards.account
    modes = {watch.name: watch.state for watch in guard.modes}
    guards = {**{name: getattr(guard, name) for name in GUARD_FIELDS}, "modes": modes}
    return {
        "now_ms": engine.now_ms,
        "account": engine.account,
        "members": members,
        "guards": guards,
        "pairs": {bot: pair.memory for bot, pair in engine.director.pairs.items()},
        "halt": engine.halting.state,
        "bars": engine.barring.bars,
        "filters": {name: each.state for name, each in engine.setup.filters.items()},
    }


def restore(engine: "Engine", data: dict[str, Any]) -> None:
    """Give a fresh engine of the same setup the state of a snapshot; raises StateError when it does not fit."""
    if data.get("schema_version") != SCHEMA_VERSION:
        raise StateError(
            f"snapshot of schema {data.get('schema_version')}; this version reads {SCHEMA_VERSION}"
        )
    take_back(engine, decode(data, _packages(engine)))


def take_back(engine: "Engine", root: dict[str, Any]) -> None:
    """Give a fresh engine what was `remembered`; raises StateError when it does not fit."""
    _require_same("bots", root["members"], engine.members)
    _require_same("pairs", root["pairs"], engine.director.pairs)
    _require_same("filters", root["filters"], engine.setup.filters)
    _require_same("risk modes", root["guards"]["modes"], dict(engine.setup.modes))
    engine.now_ms = root["now_ms"]
    engine.account.take_over(root["account"])
    for name, fields in root["members"].items():
        member = engine.members[name]
        member.ledger = engine.account.ledger(name, member.symbol)
        member.strategy.state = fields.pop("state")
        for field, value in fields.items():
            setattr(member, field, value)
        member.note_guards()
    for name, each in engine.setup.filters.items():
        each.state = root["filters"][name]
    engine.director.restore(root["pairs"])
    engine.halting.state = root["halt"]
    engine.barring.bars = root["bars"]
    guard = engine.guards.account
    states = root["guards"].pop("modes")
    for watch in guard.modes:
        watch.state = states[watch.name]
    for field, value in root["guards"].items():
        setattr(guard, field, value)
    engine.refresh_restriction()


def _packages(engine: "Engine") -> set[str]:
    """Whose classes a snapshot of this engine may name: the core's, and those of its plugins' states."""
    plugins = [member.strategy for member in engine.members.values()]
    owners: list[Any] = [*plugins, *engine.setup.filters.values()]
    return {"traderagent_core", *(owner.state_class.__module__.partition(".")[0] for owner in owners)}


def _require_same(what: str, saved: Mapping[str, Any], present: Mapping[str, Any]) -> None:
    if set(saved) != set(present):
        raise StateError(
            f"snapshot of the {what} {', '.join(sorted(saved)) or 'none'}; the configuration has "
            f"{', '.join(sorted(present)) or 'none'}"
        )
