"""What the engine is asked to run while nobody is called."""

from collections.abc import Callable
from decimal import Decimal as D

import pytest
from attrs import evolve
from traderagent_core import At, Filled, Fixed, Instrument, Plan, Purpose, Side
from traderagent_trend.config import TrendConfig
from traderagent_trend.plan import trade_plan
from traderagent_trend.sizing import size_trade

Make = Callable[..., TrendConfig]
MONEY = D(10_000)


def plan(config: TrendConfig, instrument: Instrument, *, is_long: bool = True, atr: object = 2) -> Plan:
    sized = size_trade(config, instrument, D(100), D(str(atr)), is_long=is_long, equity=MONEY, power=MONEY)
    return trade_plan(config, instrument, sized, "breakout")


def test_entry_target_and_stop(config: Make, spot: Instrument) -> None:
    made = plan(config(), spot)
    entry, target = made.legs
    assert (entry.side, entry.purpose, entry.price, entry.then) == (
        Side.BUY,
        Purpose.ENTRY,
        None,
        ("target",),
    )
    assert entry.quantity == Fixed(D(25))
    assert (target.side, target.purpose, target.price) == (Side.SELL, Purpose.TAKE_PROFIT, At(D(106)))
    assert (target.quantity, target.closes) == (Filled(), True)
    assert made.start == ("entry",)
    assert made.stop is not None
    assert (made.stop.long, made.stop.short) == (At(D(96)), None)
    assert (made.stop.trail, made.stop.break_even) == (None, None)
    assert dict(made.evidence) == {"entry": "breakout", "atr": "2", "stop": "96"}


def test_a_short_trade_is_the_mirror_image(config: Make, linear: Instrument) -> None:
    made = plan(config(), linear, is_long=False)
    assert [leg.side for leg in made.legs] == [Side.SELL, Side.BUY]
    assert made.legs[1].price == At(D(94))
    assert made.stop is not None
    assert (made.stop.long, made.stop.short) == (None, At(D(104)))


def test_without_a_target_nothing_follows_the_entry(config: Make, spot: Instrument) -> None:
    made = plan(config(target_atr=None, trailing_from_r=1), spot)
    assert [leg.then for leg in made.legs] == [()]


def test_the_trail_is_in_ratios_of_the_entry(config: Make, spot: Instrument) -> None:
    made = plan(config(trailing_from_r="1.25", trailing_atr="1.5", trailing_step_atr="0.5"), spot)
    assert made.stop is not None
    trail = made.stop.trail
    assert trail is not None
    assert (trail.activation_ratio, trail.distance_ratio) == (D("0.05"), D("0.03"))
    assert (trail.least_step_ratio, trail.least_interval_ms) == (D("0.01"), 0)


@pytest.mark.parametrize("is_long", [True, False])
@pytest.mark.parametrize("fee", ["0", "0.0003", "0.001", "0.0075"])
def test_break_even_pays_the_fees_of_both_sides(
    config: Make, linear: Instrument, is_long: bool, fee: str
) -> None:
    instrument = evolve(linear, taker_fee_ratio=D(fee))
    made = plan(config(break_even_from_r=1), instrument, is_long=is_long)
    assert made.stop is not None
    even = made.stop.break_even
    assert even is not None
    assert even.activation_ratio == D("0.04")
    way = 1 if is_long else -1
    stop = instrument.stop_price(Side.SELL if is_long else Side.BUY, 100 * (1 + way * even.offset_ratio))
    gain = way * (stop - 100) - (100 + stop) * D(fee)
    assert D(0) <= gain <= D("0.02")


def test_where_fees_eat_the_gain_there_is_no_break_even(config: Make, spot: Instrument) -> None:
    made = plan(config(break_even_from_r=1), spot, atr="0.1")  # 1 R is 0.2, the fees of both sides 0.2002.
    assert made.stop is not None
    assert made.stop.break_even is None
