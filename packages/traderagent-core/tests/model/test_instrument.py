"""Rounding to steps: never to nothing, never worse by a step, and rounding twice is rounding once."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import Side

D = Decimal
MANY = settings(max_examples=300, deadline=None)
STEPS = st.sampled_from(
    [D("0.00000001"), D("0.0001"), D("0.01"), D("0.05"), D("0.25"), D("0.3"), D(1), D(10), D("2.5")]
)
VALUES = st.decimals("0.00000001", "1000000", places=9).filter(bool)
SIDES = st.sampled_from(Side)


def instrument(step: Decimal) -> Instrument:
    return Instrument("AAA/USDT", tick_size=step, lot_size=step)


@given(price=VALUES, step=STEPS, side=SIDES)
@MANY
def test_a_limit_is_never_worse_and_less_than_a_tick_better(
    price: Decimal, step: Decimal, side: Side
) -> None:
    own = instrument(step)
    rounded = own.limit_price(side, price)
    assert rounded > 0
    assert rounded % step == 0
    assert own.limit_price(side, rounded) == rounded
    assert abs(rounded - price) < step
    if price >= step:
        assert rounded <= price if side is Side.BUY else rounded >= price


@given(price=VALUES, step=STEPS, side=SIDES)
@MANY
def test_a_trigger_lies_away_from_the_market_by_less_than_a_tick(
    price: Decimal, step: Decimal, side: Side
) -> None:
    own = instrument(step)
    rounded = own.stop_price(side, price)
    assert rounded > 0
    assert rounded % step == 0
    assert own.stop_price(side, rounded) == rounded
    assert abs(rounded - price) < step
    if price >= step:
        assert rounded <= price if side is Side.SELL else rounded >= price


@given(quantity=VALUES, step=STEPS)
@MANY
def test_a_quantity_is_rounded_down_and_may_be_nothing(quantity: Decimal, step: Decimal) -> None:
    own = instrument(step)
    rounded = own.round_quantity(quantity)
    assert 0 <= quantity - rounded < step
    assert rounded % step == 0
    assert own.round_quantity(rounded) == rounded


@pytest.mark.parametrize(
    ("quantity", "price", "word"),
    [("0", "100", "zero"), ("0.5", "100", "minimum 1"), ("1", "9", "notional"), ("1", "10", None)],
)
def test_sizes_the_venue_would_refuse_are_named(quantity: str, price: str, word: str | None) -> None:
    own = Instrument("AAA/USDT", min_quantity=D(1), min_notional=D(10))
    problem = own.size_problem(D(quantity), D(price))
    assert problem is None if word is None else word in (problem or "")


@pytest.mark.parametrize(
    "bad", [{"tick_size": D(0)}, {"lot_size": D(-1)}, {"max_leverage": D(0)}, {"min_notional": D(-1)}]
)
def test_impossible_steps_are_refused(bad: dict[str, Decimal]) -> None:
    with pytest.raises(ValueError):
        Instrument("AAA/USDT", **bad)  # type: ignore[arg-type]


def test_currencies_are_read_from_the_symbol() -> None:
    own = Instrument("BTC/USDT:USDT")
    assert (own.base, own.quote) == ("BTC", "USDT")
