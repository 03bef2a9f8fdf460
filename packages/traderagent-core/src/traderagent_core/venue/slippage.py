"""Slippage: how much worse than the last price an order that takes liquidity trades."""

from decimal import Decimal

from traderagent_core.model.instrument import Instrument, ceil_to_step, floor_to_step
from traderagent_core.model.order import Side

BUY = Side.BUY


def slipped_price(
    instrument: Instrument, side: Side, price: Decimal, ratio: Decimal, limit: Decimal | None
) -> Decimal:
    """`price` moved against the taker by `ratio` and on to the tick, never beyond the taker's `limit`."""
    if not ratio:
        return price
    if side is BUY:
        slipped = ceil_to_step(price * (1 + ratio), instrument.tick_size)
        return slipped if limit is None or slipped <= limit else max(limit, price)
    slipped = max(floor_to_step(price * (1 - ratio), instrument.tick_size), instrument.tick_size)
    return slipped if limit is None or slipped >= limit else min(limit, price)
