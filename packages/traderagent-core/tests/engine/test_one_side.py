"""Where one side only can be held: plans that add to the other or close by what adds are refused."""

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from traderagent_core.account.state import WantStatus
from traderagent_core.model.order import OrderRequest, Purpose, Side
from traderagent_core.model.plan import At, Fixed, Leg, Plan, Stop
from traderagent_core.testing.scripted import LINEAR, SPOT, ScriptedVenue

D = Decimal
LONG, SHORT = evolve(LINEAR, symbol="AAA/USDT:long"), evolve(LINEAR, symbol="AAA/USDT:short")
BUY, SELL = Side.BUY, Side.SELL


def leg(
    name: str, side: Side, price: int, purpose: Purpose = Purpose.ENTRY, then: tuple[str, ...] = ()
) -> Leg:
    return Leg(name, name, side, purpose, Fixed(D(1)), At(D(price)), then)


def started(instrument: Any, *legs: Leg, **more: Any) -> ScriptedVenue:
    return ScriptedVenue(
        Plan("plan", legs, (legs[0].name,), more.pop("stop", None)), instrument, **more
    ).start()


@pytest.mark.parametrize(
    ("instrument", "legs"),
    [
        (LONG, [leg("a", SELL, 105)]),
        (SHORT, [leg("a", BUY, 95)]),
        (LONG, [leg("a", BUY, 95), leg("b", SELL, 105)]),
        (SHORT, [leg("a", SELL, 105), leg("b", BUY, 95, Purpose.SAFETY)]),
    ],
)
def test_a_plan_that_adds_to_the_other_position_is_refused_whole(instrument: Any, legs: list[Leg]) -> None:
    venue = started(instrument, *legs)
    assert [record[2] for record in venue.told("plan_rejected")] == ["wrong_side"]
    assert not venue.sent


@pytest.mark.parametrize(
    ("instrument", "legs"),
    [
        (LONG, [leg("a", BUY, 95), leg("b", BUY, 105, Purpose.TAKE_PROFIT)]),
        (SHORT, [leg("a", BUY, 95, Purpose.EXIT), leg("b", SELL, 105, Purpose.EXIT)]),
        (SPOT, [leg("a", BUY, 95, Purpose.EXIT)]),
        (SPOT, [leg("a", BUY, 95), leg("b", BUY, 90, Purpose.STOP_LOSS)]),
    ],
)
def test_a_plan_that_closes_by_what_adds_is_refused_whole(instrument: Any, legs: list[Leg]) -> None:
    venue = started(instrument, *legs)
    assert [record[2] for record in venue.told("plan_rejected")] == ["wrong_side"]
    assert not venue.sent


def test_coins_may_be_sold_that_the_bot_has_not_bought() -> None:
    venue = started(SPOT, leg("a", SELL, 105), leg("b", SELL, 110, Purpose.EXIT))
    assert not venue.told("plan_rejected")
    assert len(venue.requests("a")) == 1


@pytest.mark.parametrize(("instrument", "adds"), [(LONG, BUY), (SHORT, SELL)])
def test_an_order_against_the_side_only_reduces_whatever_it_is_for(instrument: Any, adds: Side) -> None:
    home = leg("a", adds, 95 if adds is BUY else 105, then=("b",))
    away = leg("b", adds.opposite, 105 if adds is BUY else 95, Purpose.GRID_COUNTER, then=("a",))
    venue = started(instrument, home, away)
    venue.fill("a")
    (first,), (second,) = venue.requests("a"), venue.requests("b")
    assert (first.reduce_only, second.reduce_only) == (False, True)
    assert (second.closes_position, second.attached_stop) == (False, None)


def test_in_one_way_mode_a_counter_order_may_turn_the_position() -> None:
    venue = started(LINEAR, leg("a", BUY, 95, then=("b",)), leg("b", SELL, 105, Purpose.GRID_COUNTER))
    venue.fill("a")
    assert [request.reduce_only for request in venue.requests("b")] == [False]


def test_a_counter_order_whose_position_others_have_closed_is_not_wanted_any_more() -> None:
    venue = started(LONG, leg("a", BUY, 95, then=("b",)), leg("b", SELL, 105, Purpose.GRID_COUNTER))
    venue.fill("a")
    order = venue.live("b")
    assert order is not None
    venue.reject("b", "reduce_only_without_position")
    assert order.want.status is WantStatus.ENDED
    assert len(venue.requests("b")) == 1


def test_the_stop_of_a_position_travels_with_its_entry_and_is_of_its_side() -> None:
    venue = started(SHORT, leg("a", SELL, 105), stop=Stop(short=At(D(120))), placement="attached")
    (request,) = venue.requests("a")
    assert isinstance(request, OrderRequest)
    assert request.attached_stop is not None
    assert request.attached_stop.price == 120
