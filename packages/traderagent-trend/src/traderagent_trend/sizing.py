"""How large a trade is and where its stop and target lie: from the average true range and the risk."""

from decimal import Decimal

from attrs import frozen
from traderagent_core import Instrument, Market, Side

from traderagent_trend.config import TrendConfig
from traderagent_trend.text import plain

ZERO, ONE = Decimal(0), Decimal(1)
BUY, SELL = Side.BUY, Side.SELL
SPOT, LINEAR = Market.SPOT, Market.LINEAR
HEADROOM = Decimal("0.99")
"""Share of the buying power that one trade may take: a market order may cost more than the last price."""


@frozen
class Sized:
    """A trade as planned; stop and target are on the tick. `is_capped`: the money set the size, not the risk."""

    is_long: bool
    price: Decimal
    atr: Decimal
    stop: Decimal
    target: Decimal | None
    quantity: Decimal
    is_capped: bool

    @property
    def risk(self) -> Decimal:
        """1 R: the distance of price and stop."""
        return abs(self.price - self.stop)


def size_trade(
    config: TrendConfig,
    instrument: Instrument,
    price: Decimal,
    atr: Decimal,
    *,
    is_long: bool,
    equity: Decimal,
    power: Decimal,
) -> Sized:
    """Stop, target and quantity = equity × risk_per_trade / |price - stop|, rounded down to the lot.

    The stop is rounded away from the price, so that the distance is never less than asked. No more is taken than
    `power`, the quote currency that may be committed with leverage, pays for with its fee.
    """
    way = ONE if is_long else -ONE
    exit_side = SELL if is_long else BUY
    stop = instrument.stop_price(exit_side, price - way * config.stop_atr * atr)
    target = None
    if config.target_atr is not None:
        target = instrument.limit_price(exit_side, price + way * config.target_atr * atr)
    wanted = equity * config.risk_per_trade / abs(price - stop) if price != stop else ZERO
    most = power * HEADROOM / (ONE + instrument.taker_fee_ratio) / price
    quantity = instrument.round_quantity(max(min(wanted, most), ZERO))
    return Sized(is_long, price, atr, stop, target, quantity, wanted > most)


def size_problem(sized: Sized, instrument: Instrument, leverage: Decimal) -> tuple[str, str] | None:
    """Why a trade cannot be made at all: (code, what is wrong), or None when it can."""
    if sized.risk < instrument.tick_size or sized.atr <= 0:
        return "no_range", f"an average true range of {plain(sized.atr)} is too small for a stop"
    if sized.is_long and sized.stop <= instrument.tick_size:
        return (
            "stop_below_zero",
            f"an average true range of {plain(sized.atr)} is too large for a price of {plain(sized.price)}",
        )
    if instrument.market is LINEAR:
        reach = ONE / leverage - instrument.maintenance_margin_ratio
        if sized.risk >= reach * sized.price:
            return "stop_beyond_liquidation", f"stop at {plain(sized.stop)}, leverage {plain(leverage)}"
    worst = sized.price
    if instrument.market is SPOT:
        worst = min(worst, sized.stop)  # There a stop is an order like any other, with the same minimums.
    problem = instrument.size_problem(sized.quantity, worst)
    return None if problem is None else ("below_minimum", problem)
