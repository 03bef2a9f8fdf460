"""Whether a trend follower can work here: market, sizes, leverage and fees; asked before any order is sent."""

from collections.abc import Iterator
from decimal import Decimal

from traderagent_core import Instrument, Market, Problem, Side

from traderagent_trend.config import Direction, TrendConfig
from traderagent_trend.sizing import ONE, Sized, size_trade
from traderagent_trend.text import plain

SUPPOSED = Decimal("0.01")
"""The average true range is known only once the bot runs; until then it is taken as this share of the price."""

USUAL_RISK = Decimal("0.02")
SIDES = {Side.BUY: (Direction.LONG, Direction.SHORT), Side.SELL: (Direction.SHORT, Direction.LONG)}
"""The direction of a position of hedge mode, by what adds to it, and the other one."""


def problems_before_start(
    config: TrendConfig, instrument: Instrument, price: Decimal, power: Decimal
) -> list[Problem]:
    """What speaks against a start at this price, with `power` of quote currency to use, leverage included.

    What depends on the average true range is told as a warning, since that is only supposed here.
    """
    found = [*_market_problems(config, instrument), *_largest_order_problems(instrument, price, power)]
    if not found:
        found += _supposed_problems(config, instrument, price, power)
    found += _unreachable(config)
    if config.risk_per_trade > USUAL_RISK:
        found.append(
            Problem(
                f"risk_per_trade {config.risk_per_trade} is more than the usual {USUAL_RISK}: five losses in a row "
                f"cost about {plain(100 * (ONE - (ONE - config.risk_per_trade) ** 5))} % of the equity",
                "0.01 to 0.02 is usual",
                is_fatal=False,
            )
        )
    return found


def _market_problems(config: TrendConfig, instrument: Instrument) -> Iterator[Problem]:
    if instrument.market is Market.SPOT and config.goes_short:
        rest = "set directions: [long], or market: linear" if config.goes_long else "set market: linear"
        yield Problem(
            f"directions: short needs a linear market, and {instrument.symbol} is spot: "
            "coins that are not held cannot be sold",
            rest,
        )
    if instrument.side is not None:
        wanted, other = SIDES[instrument.side]
        if other in config.directions:
            yield Problem(
                f"{instrument.symbol} is the {wanted} position of hedge mode, and directions has {other}",
                f"set directions: [{wanted}]; another bot can trade the other position",
            )


def _unreachable(config: TrendConfig) -> Iterator[Problem]:
    """Rules of the stop that never come into play, as the target ends the trade before."""
    reach = config.target_r
    for key in ("break_even_from_r", "trailing_from_r"):
        start = getattr(config, key)
        if reach is not None and start is not None and start >= reach:
            yield Problem(
                f"{key} {start} is never reached: the target is {plain(reach)} R away",
                f"lower {key}, set it to null, or raise target_atr above {plain(start * config.stop_atr)}",
                is_fatal=False,
            )


def _largest_order_problems(instrument: Instrument, price: Decimal, power: Decimal) -> Iterator[Problem]:
    """What could never be traded, however small the risk is."""
    quantity = instrument.round_quantity(max(power, Decimal(0)) / (ONE + instrument.taker_fee_ratio) / price)
    problem = instrument.size_problem(quantity, price)
    if problem is not None:
        yield Problem(
            f"all of the {plain(power)} {instrument.quote} that may be used is too little for one order: {problem}",
            "give the bot more capital",
        )


def _supposed_problems(
    config: TrendConfig, instrument: Instrument, price: Decimal, power: Decimal
) -> Iterator[Problem]:
    """What would stand in the way with an average true range of one per cent of the price."""
    sized = size_trade(
        config, instrument, price, price * SUPPOSED, is_long=config.goes_long, equity=power, power=power
    )
    suppose = f"with an ATR of {plain(SUPPOSED * 100)} % of the price,"
    for message, remedy in (
        *_size_warnings(config, instrument, sized, power),
        *_fee_warnings(config, instrument, sized),
    ):
        yield Problem(f"{suppose} {message}", remedy, is_fatal=False)


def _size_warnings(
    config: TrendConfig, instrument: Instrument, sized: Sized, power: Decimal
) -> Iterator[tuple[str, str]]:
    distance = config.stop_atr * sized.atr
    if distance < instrument.tick_size:
        yield (
            f"the stop would be {plain(distance)} away, less than the tick {instrument.tick_size}"
            f" of {instrument.symbol}",
            "trade an instrument with a finer tick, or raise stop_atr",
        )
        return
    problem = instrument.size_problem(sized.quantity, sized.price)
    if problem is not None:
        yield (
            f"risking {config.risk_per_trade} of {plain(power)} {instrument.quote} on a stop {plain(sized.risk)} "
            f"away is too small an order: {problem}",
            "raise risk_per_trade, lower stop_atr, or give the bot more capital",
        )
    if sized.is_capped and instrument.market is Market.SPOT:
        needed = config.risk_per_trade * sized.price / sized.risk
        yield (
            f"a trade that risks {config.risk_per_trade} needs {plain(needed)} times the equity, and spot has no "
            "leverage: trades take all the money there is and risk less",
            "lower risk_per_trade, raise stop_atr, or set market: linear with leverage",
        )


def _fee_warnings(config: TrendConfig, instrument: Instrument, sized: Sized) -> Iterator[tuple[str, str]]:
    fees = 2 * instrument.taker_fee_ratio * sized.price
    if sized.target is not None and abs(sized.target - sized.price) <= fees:
        yield (
            f"the fees of a trade, {plain(fees)} for each {instrument.base}, are more than its target brings",
            "raise target_atr, or use a longer timeframe",
        )
    start = config.break_even_from_r
    if start is not None and start * sized.risk <= fees:
        yield (
            f"fees are more than the gain of {start} R from which break_even_from_r begins, so that it never does",
            "raise break_even_from_r or stop_atr, or use a longer timeframe",
        )
