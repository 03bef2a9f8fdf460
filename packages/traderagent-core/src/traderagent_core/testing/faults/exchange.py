"""The exchange outside: the venue model with an account that outlives every process that trades at it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from traderagent_core.model import event as ev
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import Liquidity, OrderRequest, OrderType, Side
from traderagent_core.model.position import money_context
from traderagent_core.testing.faults.kinds import Fault
from traderagent_core.testing.faults.world import World
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.market import VenueMarket, VenueOrder

REST_WAITS_MS = 20_000
"""The rest of an order that was filled in part meets nobody for so long at most."""


class PartialExchange(SimulatedExchange):
    """Sometimes fills only a part of a resting order; the rest goes on a while later.

    `touched` are orders that somebody asked to cancel or to amend.
    """

    def __init__(self, world: World, instruments: Sequence[Instrument], balance: Decimal) -> None:
        super().__init__(instruments, balance=balance)
        self._world = world
        self._in_part: set[str] = set()

    def _parts(self, order: VenueOrder, quantity: Decimal) -> Sequence[Decimal]:
        lot = self.markets[order.request.symbol].instrument.lot_size
        lots = int(quantity / lot)
        is_resting = order.request.type is OrderType.LIMIT and not order.request.reduce_only
        if lots < 2 or not self._world.strikes(Fault.PARTIAL_FILL):
            return (quantity,) if quantity else ()
        first = self._world.dice("parts").randint(1, lots - 1) * lot
        if not is_resting:
            return (first, quantity - first)
        self._in_part.add(order.request.client_order_id)
        return (first,)

    def _finish(self, market: VenueMarket, order: VenueOrder, now_ms: int) -> None:
        order_id = order.request.client_order_id
        if order_id not in self._in_part:
            super()._finish(market, order, now_ms)
            return
        self._in_part.remove(order_id)
        delay_ms = self._world.dice("parts").randint(100, REST_WAITS_MS)
        self._world.after(delay_ms, lambda: self._go_on(market, order))

    def _go_on(self, market: VenueMarket, order: VenueOrder) -> None:
        """The rest of an order may trade again, unless it is gone or has been moved meanwhile."""
        order_id = order.request.client_order_id
        if market.orders.get(order_id) is order and order.entry is None:
            with money_context():
                self._admit(market, order, self._world.now_ms)

    def fill_now(self, market: VenueMarket, order_id: str) -> None:
        """Trade a resting order at its price, just before something else happens to it."""
        order = market.orders.get(order_id)
        if order is None or order.entry is None or order.request.type is not OrderType.LIMIT:
            return
        assert order.price is not None
        market.unrest(order)
        with money_context():
            self._fill(
                market, order, order.price, Liquidity.MAKER, self._world.now_ms, is_above=order.is_above
            )

    def trade_by_venue(self, symbol: str, signed: Decimal, name: str) -> None:
        """A trade that no order of ours asked for, at the last price: somebody's hand, or automatic deleveraging."""
        market = self.markets[symbol]
        with money_context():
            price = market.last_price()
            fee = abs(signed) * price * market.instrument.taker_fee_ratio
            self._book_fill(market, signed, price, fee)
            side = Side.BUY if signed > 0 else Side.SELL
            self._trades += 1
            how: Any = (symbol, side, price, abs(signed), fee, Liquidity.TAKER)
            self.events.append(ev.OrderFilled(self._world.now_ms, "", f"{name}-{self._trades}", *how))


def by_hand(number: int, symbol: str, side: Side, quantity: Decimal, price: Decimal) -> OrderRequest:
    """An order that is not ours."""
    return OrderRequest(f"by-hand-{number}", symbol, side, OrderType.LIMIT, quantity, price)
