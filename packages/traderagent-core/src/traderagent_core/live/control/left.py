"""How a run stands whose process is gone, or does not answer: by its newest snapshot and the records since.

Needs no plugin, no lock and no exchange. What happened at the exchange since then nobody here knows.
"""

import json
import os
import socket
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import Factory, define, fields, frozen

from traderagent_core.account.account import Account
from traderagent_core.account.state import Record
from traderagent_core.config.schema import AUTO
from traderagent_core.coordinator.transition import Outcome
from traderagent_core.engine.codec import decode
from traderagent_core.engine.life_cycle import life_cycle
from traderagent_core.engine.stop_state import StopState
from traderagent_core.errors import ConfigError, DataError
from traderagent_core.live.assembling import conditions_of
from traderagent_core.live.control.status import BotFacts, describe
from traderagent_core.model.position import money_context
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.lock import FILE as LOCK
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.persistence.journal.segments import find_segments
from traderagent_core.persistence.payloads import CORE, records_of
from traderagent_core.persistence.snapshots import Snapshots


@define(eq=False)
class KeptSeat:
    """What was kept of one strategy."""

    name: str
    is_started: bool = False
    is_paused: bool = False
    is_halted: bool = False
    is_stopped: bool = False
    is_quarantined: bool = False
    exit_reason: str = ""
    stop: StopState = Factory(StopState)


@define(eq=False)
class KeptPair:
    """What was kept of a pair on which strategies take turns: the regime acted on last, and who may add."""

    regime: str | None = None
    owner: str | None = None

    def take(self, record: Record) -> None:
        """Fold one record about it."""
        kind, names = record[0], record[4:]
        if kind == "regime_changed":
            self.regime = names[1]
        elif kind == "owner_changed":
            self.owner = names[1] or None
        elif kind == "transition_began":
            self.owner = None
        elif kind == "transition_ended" and names[2] == Outcome.RETURNED:
            self.owner = names[0]


class PluginsOwn:
    """Stands for what a plugin has saved, which is not looked at here."""


@define(eq=False)
class Kept:
    """The account with its strategies, folded."""

    account: Account = Factory(Account)
    seats: dict[str, KeptSeat] = Factory(dict)
    pairs: dict[str, KeptPair] = Factory(dict)
    halt: dict[str, Any] | None = None
    prices: dict[str, Decimal] = Factory(dict)
    time_ms: int = 0
    setup: Mapping[str, Any] = Factory(dict)

    def take(self, record: Record) -> None:
        """Fold one record."""
        kind, self.time_ms = record[0], max(self.time_ms, record[1])
        self.account.fold([record])
        if kind in OF_A_PAIR:
            self.pairs.setdefault(record[2], KeptPair()).take(record)
        elif kind == "noted":
            self._noted(record[2], record[3], record[4])
        elif kind == "halt_changed":
            stage, reason = record[2], record[3]
            self.halt = {"stage": stage, "reason": reason, "since_ms": record[1]} if stage else None
            for seat in self.seats.values():
                seat.is_halted = bool(stage)

    def _noted(self, bot: str, what: str, text: str) -> None:
        if ":" in bot and bot not in self.seats:  # One of several strategies of a bot; see simulator.seats.
            self.seats[bot] = KeptSeat(bot)
        seat = self.seats.get(bot)
        if seat is None:
            return
        for name, value in FLAGS.get(what, {}).items():
            setattr(seat, name, value)
        if what == "exit_begun":
            seat.exit_reason = text
        elif what == "exit_done":
            seat.exit_reason = ""


OF_A_PAIR = ("regime_changed", "owner_changed", "transition_began", "transition_ended")
FLAGS: Mapping[str, Mapping[str, bool]] = {
    "operator_start": {"is_started": True, "is_stopped": False, "is_paused": False},
    "operator_pause": {"is_paused": True},
    "operator_resume": {"is_paused": False, "is_quarantined": False},
    "operator_stop": {"is_stopped": True},
    "operator_halt": {"is_halted": True},
    "operator_acknowledge": {"is_halted": False},
    "operator_reset": {"is_halted": False, "is_paused": False, "is_quarantined": False, "is_stopped": True},
    "plugin_quarantined": {"is_quarantined": True},
    "stop_refused": {"is_paused": True},
}
"""What notes of the engine say about a strategy; see engine.operator and engine.caller."""


@frozen
class Process:
    """Who has held the account last, and whether that process is there."""

    process_id: int
    host: str
    since_ms: int
    is_alive: bool


def describe_left(folder: Path) -> dict[str, Any]:
    """The document of `traderagent status` as far as the folder of a run tells it.

    Raises DataError when it holds no run.
    """
    if not folder.is_dir() or not find_segments(folder):
        raise DataError(f"{folder} holds no run: it has no journal")
    with money_context():
        kept = _fold(folder)
        found = describe([_facts(kept, bot) for bot in kept.setup.get("bots", ())], kept.account)
    return {"now_ms": kept.time_ms, "halt": kept.halt, **found}


def plan_left(folder: Path, bot: str | None) -> dict[str, Any]:
    """Which orders a panic would cancel and which positions it would close, as far as the folder of the run tells."""
    bots = [each for each in describe_left(folder)["bots"] if bot in (None, each["name"])]
    if not bots:
        raise ConfigError(f"this run has no bot {bot!r}")
    orders = [
        {**order, "bot": each["name"], "symbol": each["symbol"]} for each in bots for order in each["orders"]
    ]
    held = [each for each in bots if float(each["position"]["quantity"])]
    positions = [
        {
            "bot": each["name"],
            "symbol": each["symbol"],
            "quantity": each["position"]["quantity"],
            "notional": None,
        }
        for each in held
    ]
    return {"orders": orders, "positions": positions}


def find_process(folder: Path) -> Process | None:
    """The process that the lock of a run names; None when nobody has ever held it."""
    try:
        told = json.loads((folder / LOCK).read_text(encoding="utf-8"))
        process_id, host, since_ms = int(told["process_id"]), str(told["host"]), int(told["since_ms"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    is_here = host == socket.gethostname()
    return Process(process_id, host, since_ms, is_here and is_alive(process_id))


def is_alive(process_id: int) -> bool:
    """Whether a process of this machine is there, whoever it belongs to."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _fold(folder: Path) -> Kept:
    kept = Kept()
    snapshot = Snapshots(folder).newest(sys.maxsize).snapshot
    sequence = 0 if snapshot is None else snapshot.sequence
    setup = next((entry for entry in read_entries(folder) if entry.kind is EntryKind.SETUP), None)
    if setup is None:
        raise DataError(f"{folder} holds no run yet: nothing was started")
    kept.setup = setup.value
    if snapshot is None:
        names = [bot["name"] for bot in kept.setup["bots"] if bot["strategy"] != AUTO]
        kept.seats = {name: KeptSeat(name) for name in names}
    else:
        _load(kept, snapshot.state["engine"])
    last_segment = find_segments(folder)[-1]
    for entry in read_entries(folder, min(sequence, last_segment.first - 1)):
        if entry.kind is EntryKind.SETUP:
            kept.setup = entry.value
        elif entry.kind is EntryKind.EVENT:
            kept.prices |= {name: Decimal(told) for name, told in entry.value.get("prices", {}).items()}
        elif entry.kind is EntryKind.RECORDS and entry.sequence > sequence:
            for record in records_of(entry.value):
                kept.take(record)
    return kept


def _load(kept: Kept, saved: Mapping[str, Any]) -> None:
    """Take over a snapshot of the engine, but for what plugins have saved in it."""
    objects = [_known(entry) for entry in saved["objects"]]
    root = decode({"root": saved["root"], "objects": objects}, CORE)
    kept.account.take_over(root["account"])
    kept.time_ms = root["now_ms"]
    names = {each.name for each in fields(KeptSeat)} - {"name"}
    for name, values in root["members"].items():
        kept.seats[name] = KeptSeat(name, **{key: values[key] for key in names})
    for bot, memory in root["pairs"].items():
        regime = None if memory.regime is None else memory.regime.value
        kept.pairs[bot] = KeptPair(regime, memory.state.owner)
    state = root["halt"]
    if state.stage is not None:
        kept.halt = {"stage": state.stage.value, "reason": state.reason, "since_ms": state.since_ms}


def _known(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    is_ours = entry["class"].partition(".")[0] in CORE
    return entry if is_ours else {"class": f"{__name__}:{PluginsOwn.__name__}", "fields": {}}


def _facts(kept: Kept, bot: Mapping[str, Any]) -> BotFacts:
    name = bot["name"]
    seats = [seat for seat in kept.seats.values() if seat.name.partition(":")[0] == name]
    life = life_cycle(seats, kept.account, is_halted=kept.halt is not None)
    pair = kept.pairs.get(name, KeptPair())
    stops = [seat.stop.price for seat in seats if seat.stop.price is not None]
    return BotFacts(
        name,
        bot["strategy"],
        bot["symbol"],
        life.value,
        seats,
        stop_price=stops[0] if stops else None,
        stop_placement=conditions_of(kept.setup).placements[name],
        price=kept.prices.get(bot["symbol"]),
        regime=pair.regime,
        owner=pair.owner,
    )
