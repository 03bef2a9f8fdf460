"""How plans are read."""

from collections.abc import Callable
from decimal import Decimal as D

import pytest
from attrs import evolve
from traderagent_core import Fixed, Leg, Plan, Purpose, Side
from traderagent_smc.intent import Intent, Level, read_plan


@pytest.mark.parametrize(("side", "direction"), [(Side.BUY, 1), (Side.SELL, -1)])
def test_a_single_entry_has_its_price_or_the_current_one(
    entry: Callable[..., Plan], side: Side, direction: int
) -> None:
    assert read_plan(entry(side), D(100)) == Intent(direction, D(100))
    assert read_plan(entry(side, "99.5"), D(100)) == Intent(direction, D("99.5"))


def test_a_ladder_of_safety_orders_is_a_single_entry(entry: Callable[..., Plan]) -> None:
    base = entry()
    safety = (Leg("s1", "s1", Side.BUY, Purpose.SAFETY, Fixed(D(1))),)
    assert read_plan(evolve(base, legs=base.legs + safety), D(100)) == Intent(1, D(100))


def test_a_grid_is_judged_at_its_planned_price_and_by_the_first_order_of_each_slot(
    grid: Callable[..., Plan],
) -> None:
    intent = read_plan(grid("100", ["98", "99"], ["101"]), D(103))
    assert intent == Intent(1, D(100), (Level(1, 98.0), Level(1, 99.0), Level(-1, 101.0)))


def test_a_grid_that_enters_both_ways_has_no_direction(grid: Callable[..., Plan]) -> None:
    intent = read_plan(grid("100", ["99"], ["101"], inventory=False), D(100))
    assert intent is not None
    assert (intent.direction, len(intent.levels)) == (0, 2)


def test_a_grid_without_a_planned_price_is_judged_at_the_current_one(grid: Callable[..., Plan]) -> None:
    plan = grid("100", ["99"], ["101"])
    for evidence in ({}, {"price": "soon"}, {"price": "NaN"}):
        intent = read_plan(evolve(plan, evidence=evidence), D(97))
        assert intent is not None
        assert intent.price == D(97)


def test_a_plan_without_entries_is_none_of_the_filters_business() -> None:
    legs = (Leg("out", "out", Side.SELL, Purpose.TAKE_PROFIT, Fixed(D(1))),)
    assert read_plan(Plan("closing", legs, ("out",)), D(100)) is None
