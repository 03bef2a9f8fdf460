"""The venue model behind the port of exchanges: an account that trades at the prices it is told."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from traderagent_core.adapters.candle_polling import polled_candles
from traderagent_core.adapters.order_log import OrderLog
from traderagent_core.adapters.price_walk import walk_price
from traderagent_core.adapters.recorded import closed_candles_of
from traderagent_core.adapters.streams import Broadcast
from traderagent_core.contract.capabilities import Capabilities
from traderagent_core.contract.exchange_adapter import ExchangeAdapter, Surroundings
from traderagent_core.contract.outcome import Outcome, Refusal
from traderagent_core.contract.venue_facts import (
    Balance,
    CandleFact,
    LinkUp,
    OrderFact,
    OrderReport,
    PositionReport,
    Price,
    PriceFact,
)
from traderagent_core.errors import DataError, ExchangeUnavailableError
from traderagent_core.host.hints import listed
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.order import Amendment, OrderRequest
from traderagent_core.model.position import money_context
from traderagent_core.venue.exchange import SimulatedExchange

NO_PRICE = "the market has had no price yet"
REPLIES = (ev.OrderRejected, ev.CancelRejected, ev.AmendRejected)

VENUE_CAPABILITIES = Capabilities(
    markets=frozenset(Market),
    timeframes=("1m", "5m", "15m", "30m", "1h", "4h", "1d"),
    stop_placements={Market.LINEAR: "attached", Market.SPOT: "engine"},
    can_amend=True,
    has_hedge_mode=True,
    has_funding=True,
)


class VenueAdapter(ExchangeAdapter):
    """One account in the venue model. `tick` moves a price; commands meet the market at the present price.

    Commands take `latency_ms` of the clock to arrive. The subclasses say where prices come from; alone it serves as
    the exchange behind a loopback server.
    """

    capabilities = VENUE_CAPABILITIES

    def __init__(
        self,
        config: Any,
        surroundings: Surroundings,
        exchange: SimulatedExchange | None = None,
        recorded: Mapping[str, Candles] = MappingProxyType({}),
    ) -> None:
        super().__init__(config, surroundings)
        self.recorded = recorded
        self.latency_ms = 0
        self.log = OrderLog()
        self._exchange = exchange
        self._facts: Broadcast[OrderFact] = Broadcast(self.clock)
        self._prices: Broadcast[PriceFact] = Broadcast(self.clock)
        self._last: dict[str, Price] = {}

    @property
    def exchange(self) -> SimulatedExchange:
        """The venue model; raises ExchangeUnavailableError before `connect`."""
        if self._exchange is None:
            raise ExchangeUnavailableError("the simulated exchange has no market yet: connect first")
        return self._exchange

    async def connect(self) -> None:
        """Nothing has to be opened."""

    async def close(self) -> None:
        """End the streams."""
        self._facts.close()
        self._prices.close()

    # -- prices in ------------------------------------------------------------------------------------------

    def tick(self, symbol: str, last: Decimal) -> None:
        """A trade at a price: what waits on the way there trades or triggers."""
        now_ms = self.clock.now_ms()
        with money_context():
            walk_price(self.exchange, self.exchange.markets[symbol], float(last), now_ms)
        self.tell()
        self.tell_price(Price(now_ms, symbol, last))

    def tell_price(self, price: Price) -> None:
        """Publish a price, and keep it for those who ask later."""
        self._last[price.symbol] = price
        self._prices.publish(price)

    def tell(self, asked: str | None = None) -> Any:
        """Remember and publish what has happened; the refusal of what was just asked is returned instead."""
        refusal, traded = None, []
        events: Any = self.exchange.events
        while events:
            event = events.popleft()
            if asked is not None and type(event) in REPLIES and event.client_order_id == asked:
                refusal = event
                continue
            self.log.note(event)
            if type(event) is ev.OrderFilled:
                traded.append(event)
            self.publish(event)
        for fill in traded:
            if fill.client_order_id not in self.exchange.markets[fill.symbol].orders:
                self.log.finish(fill.client_order_id)
        return refusal

    def publish(self, event: Any) -> None:
        """Tell the account's listeners."""
        self._facts.publish(event)

    def bring(self, symbol: str, now_ms: int) -> None:
        """Bring the market to a time, before a command meets it."""

    # -- reads ----------------------------------------------------------------------------------------------

    async def server_time(self) -> int:
        """The clock's time."""
        return self.clock.now_ms()

    async def instruments(self) -> Sequence[Instrument]:
        """All that can be traded."""
        return [market.instrument for market in self.exchange.markets.values()]

    async def order(self, symbol: str, client_order_id: str) -> OrderReport | None:
        """One order, as long as it is remembered."""
        report = self.log.report(client_order_id)
        return report if report is not None and report.symbol == symbol else None

    async def open_orders(self) -> Sequence[OrderReport]:
        """All live orders, oldest first."""
        return list(self.log.open.values())

    async def executions(self, since_ms: int) -> Sequence[ev.OrderFilled]:
        """All fills from a time on."""
        return self.log.fills.since(since_ms)

    async def positions(self) -> Sequence[PositionReport]:
        """All linear positions that are not flat."""
        return [
            PositionReport(
                market.instrument.symbol,
                market.position.quantity,
                market.position.average_price,
                market.leverage,
            )
            for market in self.exchange.markets.values()
            if market.is_linear and market.position.quantity
        ]

    async def balances(self) -> Mapping[str, Balance]:
        """Quote currencies share one wallet, which is told under each; coins are those held on spot."""
        exchange = self.exchange
        wallet = Balance(exchange.flow + exchange.linear_cost, max(exchange.available, Decimal(0)))
        found = {market.instrument.quote: wallet for market in exchange.markets.values()}
        for market in exchange.markets.values():
            if not market.is_linear:
                held = market.position.quantity
                found[market.instrument.base] = Balance(held, held - market.open_sells)
        return found

    async def candles(self, symbol: str, timeframe: str, since_ms: int, limit: int) -> Candles:
        """Recorded candles that have closed by now; raises DataError when there are none of the symbol."""
        series = self.recorded.get(symbol)
        if series is None:
            raise DataError(f"no candles of {symbol} were recorded; there are: {listed(self.recorded)}")
        return closed_candles_of(series, timeframe, since_ms, limit, self.clock.now_ms())

    async def funding_paid(self, since_ms: int) -> Sequence[ev.FundingPaid]:
        """Funding from a time on."""
        return self.log.funding.since(since_ms)

    # -- writes ---------------------------------------------------------------------------------------------

    async def submit(self, request: OrderRequest) -> Outcome:
        """Send an order."""
        await self._travel()
        order_id, market = request.client_order_id, self.exchange.markets.get(request.symbol)
        if self.log.report(order_id) is not None:
            return Outcome.already_so("duplicate_client_order_id")
        if market is None:
            return Outcome.rejected(Refusal.UNKNOWN_SYMBOL, "unknown_symbol", request.symbol)
        self.log.expect(request)
        refusal = self._do(request.symbol, order_id, lambda now: self.exchange.submit(request, now))
        return refusal or Outcome.accepted(order_id)

    async def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        """Cancel an order."""
        await self._travel()
        if symbol not in self.exchange.markets:
            return Outcome.rejected(Refusal.UNKNOWN_SYMBOL, "unknown_symbol", symbol)
        command = cmd.Cancel(client_order_id, symbol)
        refusal = self._do(symbol, client_order_id, lambda now: self.exchange.execute(command, now))
        if refusal is not None and refusal.reason is Refusal.ORDER_NOT_OPEN:
            return Outcome.already_so(refusal.code)
        return refusal or Outcome.accepted(client_order_id)

    async def amend(self, symbol: str, amendment: Amendment) -> Outcome:
        """Change an order in place."""
        await self._travel()
        market, order_id = self.exchange.markets.get(symbol), amendment.client_order_id
        if market is None:
            return Outcome.rejected(Refusal.UNKNOWN_SYMBOL, "unknown_symbol", symbol)
        off_step = _off_step(market.instrument, amendment)
        if off_step is not None:
            return Outcome.rejected(off_step, off_step)
        command = cmd.Amend(amendment, symbol)
        refusal = self._do(symbol, order_id, lambda now: self.exchange.execute(command, now))
        return refusal or Outcome.accepted(order_id)

    async def set_leverage(self, symbol: str, leverage: Decimal) -> Outcome:
        """Set the leverage of a linear instrument."""
        await self._travel()
        market = self.exchange.markets.get(symbol)
        if market is None:
            return Outcome.rejected(Refusal.UNKNOWN_SYMBOL, "unknown_symbol", symbol)
        if not Decimal(1) <= leverage <= market.instrument.max_leverage:
            limit = f"from 1 to {market.instrument.max_leverage}"
            return Outcome.rejected(Refusal.LEVERAGE_TOO_HIGH, "leverage", limit)
        if market.leverage == leverage:
            return Outcome.already_so("leverage_not_modified")
        with money_context():
            self.exchange.execute(cmd.SetLeverage(symbol, leverage), self.clock.now_ms())
        return Outcome.accepted()

    async def _travel(self) -> None:
        if self.latency_ms:
            await self.clock.sleep_until(self.clock.now_ms() + self.latency_ms)

    def _do(self, symbol: str, order_id: str, action: Callable[[int], None]) -> Outcome | None:
        """Let the venue have a command at the present price; the refusal, if it is one."""
        now_ms = self.clock.now_ms()
        self.bring(symbol, now_ms)
        price = self.exchange.markets[symbol].price
        if price != price:  # nan: nothing can be compared with it
            return Outcome.not_processed("no_price", NO_PRICE, retry_after_ms=1000)
        with money_context():
            action(now_ms)
        refusal = self.tell(asked=order_id)
        return None if refusal is None else Outcome.rejected(Refusal(refusal.code), refusal.code)

    # -- streams --------------------------------------------------------------------------------------------

    def events(self) -> AsyncIterator[OrderFact]:
        """Facts from now on."""
        return self._facts.subscribe([LinkUp(self.clock.now_ms())])

    def prices(self, symbols: Sequence[str]) -> AsyncIterator[PriceFact]:
        """Prices from now on."""
        wanted = frozenset(symbols)
        return self._prices.subscribe(
            self._present(symbols), lambda fact: not isinstance(fact, Price) or fact.symbol in wanted
        )

    def closed_candles(self, symbols: Sequence[str], timeframe: str) -> AsyncIterator[CandleFact]:
        """Candles read after each boundary."""
        return polled_candles(self, symbols, timeframe)

    def _present(self, symbols: Iterable[str]) -> Iterable[PriceFact]:
        now_ms = self.clock.now_ms()
        yield LinkUp(now_ms)
        for symbol in symbols:
            if symbol not in self.exchange.markets:
                raise DataError(f"the simulated exchange has no market {symbol!r}")
            if symbol in self._last:
                yield self._last[symbol]


def _off_step(instrument: Instrument, amendment: Amendment) -> Refusal | None:
    if amendment.price is not None and amendment.price % instrument.tick_size:
        return Refusal.PRICE_NOT_ON_TICK
    if amendment.quantity is not None and amendment.quantity % instrument.lot_size:
        return Refusal.QUANTITY_NOT_ON_LOT
    return None
