"""Calls of plugins in a live run: one that has hung is left out when its step is retraced, and asked no more."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from traderagent_core.contract.risk_mode import ModeState, RiskLevels, RiskMode
from traderagent_core.coordinator.guards import HUNG as MODE_HUNG
from traderagent_core.coordinator.guards import AccountGuard, ModeWatch
from traderagent_core.engine.snapshot import restore, snapshot
from traderagent_core.errors import PersistenceError, PluginHungError
from traderagent_core.live.control.words import Words
from traderagent_core.live.watchdog.board import Board
from traderagent_core.live.watchdog.calls import Calls
from traderagent_core.model.event import OperatorCommand
from traderagent_core.persistence.ended_calls import FILE, EndedCall, keep_ended, read_ended
from traderagent_core.testing.scripted import ScriptedVenue

FIRST = EndedCall(7, 2, "bot", "on_fill", 1_000, "where it hung")


def noted(venue: ScriptedVenue) -> list[tuple[Any, ...]]:
    return [(kind, *rest) for kind, _, *rest in venue.engine.records if kind in ("plugin_failed", "noted")]


def test_the_call_that_hung_is_left_out_and_no_other() -> None:
    calls, made = Calls([FIRST]), []
    for sequence in (6, 7, 8):
        calls.after(sequence)
        for number in (1, 2, 3):
            if (sequence, number) == FIRST.key:
                with pytest.raises(PluginHungError):
                    calls.call("bot", "on_fill", made.append, (sequence, number))
            else:
                calls.call("bot", "on_fill", made.append, (sequence, number))
    assert len(made) == 8
    assert calls.outstanding() == []


def test_a_note_of_another_call_at_that_place_is_not_heeded() -> None:
    """The entry it was made for was lost with the machine, and its number was given to another."""
    calls = Calls([FIRST])
    calls.after(7)
    assert [calls.call("bot", "on_candle", lambda: "made") for _ in range(2)] == ["made", "made"]


def test_what_hung_after_the_last_entry_is_outstanding_until_there_is_another() -> None:
    calls = Calls([FIRST])
    calls.after(7)
    calls.call("bot", "on_start", lambda: None)
    assert calls.outstanding() == [FIRST]
    calls.after(8)
    assert calls.outstanding() == []


def test_a_long_call_is_told_also_when_it_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, told = Calls(), []
    calls.slow = lambda *values: told.append(values)
    now = iter([0.0, 0.25, 1.0, 1.5, 2.0, 2.4]).__next__
    monkeypatch.setattr("time.perf_counter", now)
    calls.call("a", "on_fill", lambda: None)
    calls.call("b", "on_fill", lambda: None)
    with pytest.raises(ZeroDivisionError):
        calls.call("c", "on_fill", lambda: 1 / 0)
    assert told == [("b", "on_fill", 500), ("c", "on_fill", 399)]


def test_notes_are_kept_in_order_and_read_again(tmp_path: Path) -> None:
    assert read_ended(tmp_path) == ()
    second = EndedCall(9, 1, "", "risk mode x")
    for call in (FIRST, second):
        keep_ended(tmp_path, call)
    assert read_ended(tmp_path) == (FIRST, second)
    (tmp_path / FILE).write_text("[{")
    with pytest.raises(PersistenceError, match="restore it from a backup"):
        read_ended(tmp_path)


def test_another_process_sees_which_call_is_under_way(tmp_path: Path) -> None:
    path = tmp_path / "board"
    path.write_bytes(bytes(20_000))
    with path.open("r+b") as file:
        ours, theirs = Board(file.fileno()), Board(file.fileno())
        assert (theirs.run, theirs.call_number) == (None, None)
        ours.introduce({"folder": "/x"})
        calls = Calls((), ours)
        calls.after(7)
        numbers: list[int | None] = []
        look: Callable[[], None] = lambda: numbers.append(theirs.call_number)  # noqa: E731
        for callback in ("on_timer", "on_fill" * 5_000):
            calls.call("bot", callback, look)
            assert theirs.call_number is None
        assert None not in numbers
        assert numbers[0] != numbers[1]
        calls.call("bot", "on_fill", look)
        assert EndedCall.from_line(theirs.call, 0, "").key == (7, 3)
        assert theirs.run == {"folder": "/x"}


def hang(bot: str, callback: str, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
    raise PluginHungError("it hung")


def test_a_strategy_that_hung_once_is_in_quarantine_until_an_operator_forgives() -> None:
    venue = ScriptedVenue({})
    plain, venue.engine.call = venue.engine.call, hang
    venue.start()
    member = venue.member
    assert (member.is_quarantined, member.is_hung) == (True, True)
    kept = snapshot(venue.engine)
    other = ScriptedVenue({})
    restore(other.engine, kept)
    assert other.member.is_hung
    venue.engine.call = plain
    venue.engine.step(OperatorCommand(venue.engine.now_ms + 1, member.name, "resume", ""))
    assert (member.is_quarantined, member.is_hung) == (False, False)


def test_a_strategy_that_hung_between_two_events_is_told_of_by_the_driver() -> None:
    venue = ScriptedVenue({})
    venue.start()
    records = venue.engine.step(
        OperatorCommand(venue.engine.now_ms + 1, venue.member.name, "quarantine", "candidates")
    ).records
    assert [record[3] for record in records if record[0] == "plugin_failed"] == ["candidates"]
    assert venue.member.is_quarantined


class Never(RiskMode):
    """Lets everything be."""

    def levels(self) -> RiskLevels:
        return RiskLevels()

    def judge(self, portfolio: Any, before: ModeState) -> ModeState:
        return ModeState(is_active=False)


def test_a_risk_mode_that_hung_lets_nothing_be_added_until_it_is_forgiven() -> None:
    amount = Decimal(100)
    guard = AccountGuard([ModeWatch("never", Never(None))], amount, amount, amount, amount)
    guard.judge(1, amount, hang)
    assert not guard.is_entry_allowed
    guard.judge(2, amount)
    assert guard.modes[0].state == MODE_HUNG
    guard.forgive()
    assert guard.is_entry_allowed
    guard.judge(3, amount)
    assert guard.is_entry_allowed


class Stub:
    """The driver of a scripted engine."""

    def __init__(self, venue: ScriptedVenue) -> None:
        self.venue, self.engine = venue, venue.engine

    def say(self, name: str, word: str, reason: str) -> None:
        self.engine.step(OperatorCommand(self.engine.now_ms + 1, name, word, reason))

    def awaits(self, name: str) -> bool:
        return False


def test_resume_forgives_a_risk_mode_that_hung_though_every_bot_runs() -> None:
    venue = ScriptedVenue({}, modes=(("never", Never(None)),)).start()
    plain, venue.engine.call = venue.engine.call, hang
    venue.close_candle()
    venue.engine.call = plain
    assert not venue.engine.guards.is_entry_allowed
    driver: Any = Stub(venue)
    assert Words(driver).say("resume", None, "") == {venue.member.name: "RUNNING"}
    assert venue.engine.guards.is_entry_allowed
