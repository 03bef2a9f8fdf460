"""A rig on the venue model, which adapters are connected to directly or through a loopback server."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from traderagent_core.adapters.clocks import ManualClock
from traderagent_core.adapters.venue_adapter import VenueAdapter
from traderagent_core.contract.exchange_adapter import Surroundings
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import OrderRequest, OrderType, Side
from traderagent_core.testing.exchange_rig import ExchangeRig
from traderagent_core.testing.markets import START_MS, market
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.market import VenueOrder

MINUTES = 3000
BALANCE = Decimal(100_000)


class SteppingClock(ManualClock):
    """Goes one millisecond on whenever somebody looks, so that no two things happen at one time."""

    def now_ms(self) -> int:
        """A later time than ever before."""
        self._now_ms += 1
        return self._now_ms


class SplittingVenue(SimulatedExchange):
    """Splits fills into a number of executions that can be set."""

    parts = 1

    def _parts(self, order: VenueOrder, quantity: Decimal) -> Sequence[Decimal]:
        lot = self.markets[order.request.symbol].instrument.lot_size
        lots = int(quantity / lot)
        if self.parts < 2 or lots < self.parts:
            return super()._parts(order, quantity)
        cuts = [lots * index // self.parts * lot for index in range(self.parts)]
        return [end - start for start, end in pairwise([*cuts, quantity])]


class VenueRig(ExchangeRig):
    """The venue model with one instrument and an account of 100,000.

    `backend` is the account as an adapter of its own: a loopback server translates requests into its methods. A rig
    of one's own extends this one: it starts the server, and gives adapters that are connected to it.
    """

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.clock = SteppingClock(START_MS + (MINUTES - 1000) * 60_000)
        self.exchange = SplittingVenue([instrument], balance=BALANCE)
        recorded = market("ranging", symbol=instrument.symbol, timeframe="1m", rows=MINUTES)
        surroundings = Surroundings(self.clock, {instrument.symbol: instrument.market})
        self.backend = VenueAdapter(None, surroundings, self.exchange, {instrument.symbol: recorded})
        self.backend.tick(instrument.symbol, self.price)
        self._by_hand = 0

    async def move_price(self, price: Decimal) -> None:
        """Trade at a price."""
        self.backend.tick(self.instrument.symbol, price)
        await self.settle()

    async def split_fills(self, parts: int) -> None:
        """Split every fill from now on."""
        self.exchange.parts = parts

    async def place_foreign(self, side: Side, quantity: Decimal, price: Decimal) -> None:
        """Place an order that is not ours."""
        self._by_hand += 1
        symbol = self.instrument.symbol
        order = OrderRequest(f"by-hand-{self._by_hand}", symbol, side, OrderType.LIMIT, quantity, price)
        await self.backend.submit(order)
        await asyncio.sleep(0)
