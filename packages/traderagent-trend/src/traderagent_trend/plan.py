"""Turns a sized trade into the plan that the engine runs: entry, target, stop, break-even and trailing."""

from decimal import Decimal

from traderagent_core import (
    At,
    BreakEven,
    Filled,
    Fixed,
    Held,
    Instrument,
    Leg,
    Plan,
    Purpose,
    Side,
    Stop,
    Trail,
)

from traderagent_trend.config import TrendConfig
from traderagent_trend.sizing import ONE, Sized
from traderagent_trend.text import plain

TREND_PLAN = "trend"
ENTRY, TARGET = "entry", "target"
BUY, SELL = Side.BUY, Side.SELL
OPENS, TAKES = Purpose.ENTRY, Purpose.TAKE_PROFIT
ZERO = Decimal(0)
TAKEN_OVER = "taken_over"
"""What begins a trade whose position another strategy has handed over."""


def trade_plan(config: TrendConfig, instrument: Instrument, sized: Sized, entry: str) -> Plan:
    """Buy (short: sell) at the market; when that has filled, the target; a stop from the first fill on."""
    side = BUY if sized.is_long else SELL
    quantity = Fixed(sized.quantity)
    stop = trade_stop(config, instrument, sized)
    evidence = {"entry": entry, "atr": plain(sized.atr), "stop": plain(sized.stop)}
    if sized.is_capped:
        evidence["capped_by"] = "buying power"
    if sized.target is None:
        leg = Leg(ENTRY, ENTRY, side, OPENS, quantity)
        return Plan(TREND_PLAN, (leg,), (ENTRY,), stop, evidence)
    leg = Leg(ENTRY, ENTRY, side, OPENS, quantity, then=(TARGET,))
    target = Leg(TARGET, TARGET, side.opposite, TAKES, Filled(), At(sized.target), closes=True)
    return Plan(TREND_PLAN, (leg, target), (ENTRY,), stop, evidence)


def holding_plan(config: TrendConfig, instrument: Instrument, sized: Sized) -> Plan:
    """Target and stop of a position that is held already."""
    assert sized.target is not None
    leg = target_leg(sized.target, is_long=sized.is_long)
    evidence = {"entry": TAKEN_OVER, "atr": plain(sized.atr), "stop": plain(sized.stop)}
    return Plan(TREND_PLAN, (leg,), (TARGET,), trade_stop(config, instrument, sized), evidence)


def target_leg(target: Decimal, *, is_long: bool) -> Leg:
    """The target once more, for all that is held, where the plan's own was refused."""
    side = SELL if is_long else BUY
    return Leg(TARGET, TARGET, side, TAKES, Held(), At(target), closes=True)


def trade_stop(config: TrendConfig, instrument: Instrument, sized: Sized) -> Stop:
    """The stop with its rules; distances become ratios of the price at which the trade is asked for."""
    stop = At(sized.stop)
    trail, even = _trail(config, sized), _break_even(config, instrument, sized)
    return Stop(stop, None, trail, even) if sized.is_long else Stop(None, stop, trail, even)


def _trail(config: TrendConfig, sized: Sized) -> Trail | None:
    start = config.trailing_from_r
    if start is None:
        return None
    distance = config.trailing_atr * sized.atr / sized.price
    step = config.trailing_step_atr * sized.atr / sized.price
    return Trail(start * sized.risk / sized.price, min(distance, ONE), step, 0)


def _break_even(config: TrendConfig, instrument: Instrument, sized: Sized) -> BreakEven | None:
    """Entry plus the fees of both sides, and a tick, since a stop is rounded to the side that loses.

    None where the fees are larger than the gain from which it would begin: the stop would be in the market.
    """
    start = config.break_even_from_r
    if start is None:
        return None
    fee = instrument.taker_fee_ratio
    fees = 2 * fee / (ONE - fee if sized.is_long else ONE + fee)
    offset = max(fees, ZERO) + instrument.tick_size / sized.price
    activation = start * sized.risk / sized.price
    return BreakEven(activation, offset) if offset < activation else None
