"""The adapter of one process: what is asked of the exchange goes over the wire, what it tells over the link."""

from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import evolve

from traderagent_core.adapters.venue_adapter import VENUE_CAPABILITIES
from traderagent_core.contract.clock import Clock
from traderagent_core.contract.exchange_adapter import ExchangeAdapter, Surroundings
from traderagent_core.contract.outcome import Outcome, OutcomeKind
from traderagent_core.contract.venue_facts import (
    Balance,
    CandleFact,
    OrderFact,
    OrderReport,
    PositionReport,
    PriceFact,
)
from traderagent_core.model.candle import Candles
from traderagent_core.model.event import FundingPaid, OrderFilled
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import Amendment, OrderRequest, OrderType
from traderagent_core.testing.faults.kinds import Fault
from traderagent_core.testing.faults.link import Link
from traderagent_core.testing.faults.outside import Outside, at_once
from traderagent_core.testing.faults.wire import LIFETIME_MS, Order, Wire
from traderagent_core.testing.faults.world import World

VISIBILITY_MS = 15_000
"""How long a new order may be missing from lists and from look-ups."""

LARGEST_LAG_MS = {"orders": 10_000, "positions": 1_500, "executions": 10_000}


class FaultyAdapter(ExchangeAdapter):
    """One account at the exchange outside, as far as the faults let it through."""

    capabilities = evolve(VENUE_CAPABILITIES, request_lifetime_ms=LIFETIME_MS, visibility_ms=VISIBILITY_MS)

    def __init__(self, world: World, outside: Outside, clock: Clock, wire: Wire, link: Link) -> None:
        markets = {symbol: each.market for symbol, each in outside.instruments.items()}
        super().__init__(None, Surroundings(clock, markets))
        self._world, self._outside, self._wire, self._link = world, outside, wire, link
        self._backend = outside.backend
        self._hidden: dict[str, int] = {}

    async def connect(self) -> None:
        """Begin to listen."""
        self._outside.listener = self._link

    async def close(self) -> None:
        """Hang up."""
        self._link.close()

    # -- reads ----------------------------------------------------------------------------------------------

    async def server_time(self) -> int:
        """The exchange's time."""
        return int(await self._wire.read("time", lambda: self._world.now_ms))

    async def instruments(self) -> Sequence[Instrument]:
        """All that can be traded."""
        return list(self._outside.instruments.values())

    async def order(self, symbol: str, client_order_id: str) -> OrderReport | None:
        """One order, unless it is hidden yet."""

        def look() -> OrderReport | None:
            report = at_once(self._backend.order(symbol, client_order_id))
            return None if report is None or self._is_hidden(client_order_id) else report

        found: OrderReport | None = await self._wire.read(f"order {client_order_id}", look)
        return found

    async def open_orders(self) -> Sequence[OrderReport]:
        """Live orders, perhaps as they were a while ago."""

        def look() -> list[OrderReport]:
            page = self._stale("orders")
            found = self._backend.log.open.values() if page is None else page.orders
            return [report for report in found if not self._is_hidden(report.client_order_id)]

        answer: list[OrderReport] = await self._wire.read("open orders", look)
        return answer

    async def executions(self, since_ms: int) -> Sequence[OrderFilled]:
        """Fills, perhaps without the last ones."""

        def look() -> list[OrderFilled]:
            page = self._stale("executions")
            until_ms = self._world.now_ms if page is None else page.time_ms
            return [fill for fill in self._backend.log.fills.since(since_ms) if fill.time_ms <= until_ms]

        answer: list[OrderFilled] = await self._wire.read("executions", look)
        return answer

    async def positions(self) -> Sequence[PositionReport]:
        """Positions, perhaps as they were a moment ago."""

        def look() -> list[PositionReport]:
            page = self._stale("positions")
            return list(at_once(self._backend.positions()) if page is None else page.positions)

        answer: list[PositionReport] = await self._wire.read("positions", look)
        return answer

    async def balances(self) -> Mapping[str, Balance]:
        """The wallet."""
        answer: dict[str, Balance] = await self._wire.read(
            "balances", lambda: at_once(self._backend.balances())
        )
        return answer

    async def candles(self, symbol: str, timeframe: str, since_ms: int, limit: int) -> Candles:  # noqa: ARG002
        """Closed candles."""
        walk = self._outside.walks[symbol]
        answer: Candles = await self._wire.read("candles", lambda: walk.read(since_ms, limit))
        return answer

    async def funding_paid(self, since_ms: int) -> Sequence[FundingPaid]:
        """Funding from a time on."""
        answer: list[FundingPaid] = await self._wire.read(
            "funding", lambda: at_once(self._backend.funding_paid(since_ms))
        )
        return answer

    def _is_hidden(self, order_id: str) -> bool:
        """Whether an order is too new to be shown; drawn once for each."""
        accepted_ms = self._outside.accepted_ms.get(order_id)
        is_possible = self._world.mix.rate(Fault.HIDDEN_ORDERS) and not self._world.is_calm
        if accepted_ms is None or not is_possible:
            return False
        if order_id not in self._hidden:
            is_hit = self._world.strikes(Fault.HIDDEN_ORDERS)
            lag_ms = self._world.dice("hidden").randint(100, VISIBILITY_MS) if is_hit else 0
            self._hidden[order_id] = accepted_ms + lag_ms
        return self._world.now_ms < self._hidden[order_id]

    def _stale(self, what: str) -> Any:
        """The page that a list is answered from, None for the present."""
        if not self._world.strikes(Fault.STALE_PAGE):
            return None
        since_ms = self._world.now_ms - self._world.dice("stale").randint(0, LARGEST_LAG_MS[what])
        return next((page for page in self._outside.pages if page.time_ms >= since_ms), None)

    # -- writes ---------------------------------------------------------------------------------------------

    async def submit(self, request: OrderRequest) -> Outcome:
        """Send an order."""
        is_stop = request.type is OrderType.STOP
        order = Order(f"submit {request.client_order_id}", not request.reduce_only, is_stop)
        outcome = await self._wire.write(order, lambda: self._outside.submit(request))
        if outcome.kind is OutcomeKind.REJECTED:
            self._outside.refused.add(request.client_order_id)
        return outcome

    async def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        """Cancel an order."""
        order = Order(f"cancel {client_order_id}")
        return await self._wire.write(order, lambda: self._outside.cancel(symbol, client_order_id))

    async def amend(self, symbol: str, amendment: Amendment) -> Outcome:
        """Change an order in place."""
        report = self._backend.log.report(amendment.client_order_id)
        is_stop = report is not None and report.type is OrderType.STOP
        order = Order(f"amend {amendment.client_order_id}", is_stop=is_stop)
        return await self._wire.write(order, lambda: self._outside.amend(symbol, amendment))

    async def set_leverage(self, symbol: str, leverage: Decimal) -> Outcome:
        """Set the leverage."""
        order = Order(f"leverage {symbol}")
        return await self._wire.write(order, lambda: at_once(self._backend.set_leverage(symbol, leverage)))

    # -- streams --------------------------------------------------------------------------------------------

    def events(self) -> AsyncIterator[OrderFact]:
        """Facts of the account."""
        return self._link.facts()

    def prices(self, symbols: Sequence[str]) -> AsyncIterator[PriceFact]:  # noqa: ARG002
        """Prices of all symbols that there are."""
        return self._link.prices()

    def closed_candles(self, symbols: Sequence[str], timeframe: str) -> AsyncIterator[CandleFact]:  # noqa: ARG002
        """Candles as they close."""
        return self._link.candles()
