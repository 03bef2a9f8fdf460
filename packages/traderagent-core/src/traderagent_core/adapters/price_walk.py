"""Moves the price of a market from one trade to the next, past everything that waits between them."""

from traderagent_core.model.order import OrderType
from traderagent_core.venue.book import Entry
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.market import VenueMarket, VenueOrder


def walk_price(exchange: SimulatedExchange, market: VenueMarket, price: float, now_ms: int) -> None:
    """A trade at `price`. A limit order on the way trades at its own price, a stop at the trade that triggers it.

    A resting limit order is not given the better price of the trade: at a real venue it would have been met first.
    """
    book = market.book
    if price >= market.price:
        while book.above and book.above[0][0] <= price:
            _fire(exchange, market, book.above[0], price, now_ms, is_above=True)
    else:
        while book.below and -book.below[0][0] >= price:
            _fire(exchange, market, book.below[0], price, now_ms, is_above=False)
    market.price = price


def _fire(
    exchange: SimulatedExchange,
    market: VenueMarket,
    entry: Entry,
    price: float,
    now_ms: int,
    *,
    is_above: bool,
) -> None:
    item = entry[3]
    is_limit = type(item) is VenueOrder and item.request.type is OrderType.LIMIT
    market.price = (entry[0] if is_above else -entry[0]) if is_limit else price
    exchange.fire(market, entry, now_ms, is_above=is_above)
