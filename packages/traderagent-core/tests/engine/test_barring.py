"""Bars on entries: what adds exposure waits or is refused, what protects goes on, and a restart remembers."""

from decimal import Decimal
from typing import Any

import pytest
from traderagent_core.engine.snapshot import restore, snapshot
from traderagent_core.model import event as ev
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import At, Fixed, Held, Leg, Plan
from traderagent_core.testing.scripted import ScriptedVenue

D = Decimal
OUT = Leg("out", "out", Side.SELL, Purpose.TAKE_PROFIT, Held(), At(D(110)))


def buying(name: str, purpose: Purpose = Purpose.ENTRY, **more: Any) -> Leg:
    return Leg(name, name, Side.BUY, purpose, Fixed(D(2)), At(D(95)), **more)


def bar(venue: ScriptedVenue, reason: str = "database", symbol: str = "") -> None:
    venue.step(ev.EntriesBarred(venue.engine.now_ms, symbol, reason, "why"))


def allow(venue: ScriptedVenue, reason: str = "database", symbol: str = "") -> None:
    venue.step(ev.EntriesAllowed(venue.engine.now_ms, symbol, reason))


def ladder() -> ScriptedVenue:
    legs = (buying("a", then=("more", "out")), buying("more", Purpose.SAFETY), OUT)
    return ScriptedVenue({"on_start": lambda c: c.enter(Plan("plan", legs, ("a",)))}).start()


@pytest.mark.parametrize("symbol", ["", "own"])
def test_what_adds_waits_and_what_reduces_goes_on(symbol: str) -> None:
    venue = ladder()
    where = venue.symbol if symbol else ""
    bar(venue, symbol=where)
    venue.fill("a")
    assert venue.requests("out")
    assert not venue.requests("more")
    allow(venue, symbol=where)
    assert len(venue.requests("more")) == 1


def test_another_symbol_is_not_barred() -> None:
    venue = ladder()
    bar(venue, symbol="OTHER/USDT")
    venue.fill("a")
    assert venue.requests("more")


def test_each_reason_has_to_be_taken_back() -> None:
    venue = ladder()
    for reason in ("database", "disk", "disk"):
        bar(venue, reason)
    venue.fill("a")
    allow(venue)
    allow(venue)
    assert not venue.requests("more")
    allow(venue, "disk")
    assert len(venue.requests("more")) == 1


def test_a_plan_is_refused_with_the_reason() -> None:
    venue = ScriptedVenue({"on_timer": lambda c, _: c.enter(Plan("plan", (buying("a"),), ("a",)))}).start()
    bar(venue)
    venue.timer("t")
    assert "entries_barred:database" in str(venue.told("plan_rejected"))
    assert not venue.requests("a")


def test_a_restored_engine_is_barred_too() -> None:
    venue, other = ladder(), ladder()
    bar(venue)
    restore(other.engine, snapshot(venue.engine))
    assert other.engine.barring.reason_for(other.symbol) == "database"
    assert other.engine.is_restricted
