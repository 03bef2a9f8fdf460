"""The adapter: one account at Bybit V5, for linear USDT perpetuals in one-way or hedge mode."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import evolve
from traderagent_core import (
    Amendment,
    Balance,
    CandleFact,
    Candles,
    Capabilities,
    ExchangeAdapter,
    ExchangeRefusedError,
    ExchangeUnavailableError,
    FundingPaid,
    FundingRate,
    Instrument,
    LinkDown,
    LinkUp,
    Market,
    OrderFact,
    OrderFilled,
    OrderReport,
    OrderRequest,
    Outcome,
    PositionReport,
    Price,
    PriceFact,
    Surroundings,
)
from traderagent_core.adapters.candle_polling import polled_candles
from traderagent_core.adapters.streams import Broadcast
from traderagent_core.model.order import AttachedStop
from traderagent_core.model.timeframe import DAY_MS, timeframe_ms

from traderagent_bybit.adapter import fields, translate
from traderagent_bybit.adapter.config import BybitConfig, hosts_of
from traderagent_bybit.adapter.facts import Facts, funding
from traderagent_bybit.adapter.fields import STRANGE, Row, rows_of, sensible
from traderagent_bybit.adapter.http import UNANSWERED, Http
from traderagent_bybit.adapter.position_stops import PositionStops
from traderagent_bybit.adapter.pulse import Pulse
from traderagent_bybit.adapter.reads import Reads
from traderagent_bybit.adapter.stream import Stream
from traderagent_bybit.adapter.symbols import QUOTE, Symbols, other_mode, theirs
from traderagent_bybit.adapter.writes import LINEAR, Writes
from traderagent_bybit.signing import sign_socket

TICKERS = "tickers."
SETTLED = {**LINEAR, "settleCoin": QUOTE}
DEFAULT_FEES = (Decimal("0.0002"), Decimal("0.00055"))
EXECUTION_HISTORY_MS = 28 * DAY_MS
AUTH_MS = 10_000


class BybitAdapter(ExchangeAdapter):
    """An entry from flat carries its stop, which is that of the position then; later stops are conditional orders."""

    capabilities = Capabilities(
        markets=frozenset({Market.LINEAR}),
        timeframes=tuple(translate.INTERVALS),
        stop_placements={Market.LINEAR: "attached"},
        can_amend=True,
        has_hedge_mode=True,
        has_funding=True,
        largest_batch=10,
        execution_history_ms=EXECUTION_HISTORY_MS,
    )

    def __init__(self, config: BybitConfig, surroundings: Surroundings) -> None:
        super().__init__(config, surroundings)
        self.capabilities = evolve(self.capabilities, request_lifetime_ms=config.recv_window_ms)
        hosts = hosts_of(config, surroundings.environment)
        self._rest = hosts.rest
        self._http = Http(config, hosts.rest, surroundings.credentials, self.clock)
        self._reads = Reads(self._http)
        self._facts: Broadcast[OrderFact] = Broadcast(self.clock)
        self._prices: Broadcast[PriceFact] = Broadcast(self.clock)
        self._last: dict[str, Price] = {}
        self._symbols = Symbols(surroundings.markets)
        self._stops = PositionStops(self._symbols)
        self._writes = Writes(self._http, self._stops, self.order, self._facts.publish)
        self._told = Facts(self._stops, self._symbols)
        names = dict.fromkeys(map(theirs, surroundings.markets))
        topics = [f"{kind}.{name}" for name in names for kind in ("publicTrade", "tickers")]
        self._private = self._stream(hosts.private, ["order", "execution"], self._hear_private, self._facts)
        self._public = self._stream(hosts.public, topics, self._hear_public, self._prices)

    def _stream(self, url: str, topics: list[str], hear: Any, source: Broadcast[Any]) -> Stream:
        return Stream(
            url,
            self.config,
            self.clock,
            session=lambda: self._http.session,
            topics=topics,
            pulse=Pulse(
                [topic for topic in topics if topic.startswith(TICKERS)], 3 * self.config.ticker_seconds
            ),
            credentials=self._auth if hear == self._hear_private else None,
            hear=hear,
            turn=source.publish,
        )

    def _auth(self) -> Sequence[object]:
        expires = self._http.venue_ms() + AUTH_MS
        credentials = self.surroundings.credentials
        return credentials.get("key", ""), expires, sign_socket(credentials.get("secret", ""), str(expires))

    async def connect(self) -> None:
        """Set the clock right, check key and position mode, open the sockets; without a key it has prices only."""
        await self._synchronise()
        if self.surroundings.credentials:
            await self._check_modes()
            self._private.start()
        self._public.start()

    async def _check_modes(self) -> None:
        """All symbols at once: of what is flat the venue tells only who asks for that symbol."""
        checks = map(self._check_mode, self.surroundings.markets)
        for found in await asyncio.gather(*checks, return_exceptions=True):
            if found is not None:
                raise found

    @sensible
    async def _check_mode(self, symbol: str) -> None:
        query = {**LINEAR, "symbol": theirs(symbol)}
        rows = await self._reads.every("/v5/position/list", query)
        problem = other_mode(symbol, [row["positionIdx"] for row in rows])
        if problem is not None:
            raise ExchangeRefusedError(problem)

    async def close(self) -> None:
        """End the streams and close all connections."""
        await self._private.stop()
        await self._public.stop()
        await self._http.close()
        self._facts.close()
        self._prices.close()

    async def _synchronise(self) -> int:
        try:
            return await self._http.synchronise()
        except (*UNANSWERED, *STRANGE) as error:
            raise ExchangeUnavailableError(
                f"{self._rest} does not answer ({type(error).__name__}: {error}); see that this machine has a "
                "network, and that exchange.rest_url, if it is set, is right"
            ) from error

    @property
    def heard(self) -> int:
        """Messages of both sockets so far."""
        return self._private.heard + self._public.heard

    @property
    def under_way(self) -> int:
        """Calls that have left and are not answered yet."""
        return self._http.under_way

    # -- reads ----------------------------------------------------------------------------------------------

    async def server_time(self) -> int:
        """The venue's time; our offset to it is set right on the way."""
        return await self._synchronise()

    @sensible
    async def instruments(self) -> Sequence[Instrument]:
        """All linear USDT perpetuals that trade, with the fees of this account."""
        rows = await self._reads.every(
            "/v5/market/instruments-info", {**LINEAR, "limit": 1000}, kind="public"
        )
        fees = await self._fees()
        wanted = [row for row in rows if row["quoteCoin"] == QUOTE and row["status"] == "Trading"]
        made = [translate.instrument(row, *fees.get(row["symbol"], DEFAULT_FEES)) for row in wanted]
        return [
            evolve(each, symbol=name) for each in made for name in self._symbols.of_name(theirs(each.symbol))
        ]

    async def _fees(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Maker and taker fees; a demo account does not tell them."""
        try:
            rows = await self._reads.whole("/v5/account/fee-rate", LINEAR, kind="slow")
        except ExchangeRefusedError:
            return {}
        return {
            row["symbol"]: (fields.amount(row, "makerFeeRate"), fields.amount(row, "takerFeeRate"))
            for row in rows
        }

    @sensible
    async def order(self, symbol: str, client_order_id: str) -> OrderReport | None:
        """Live orders first, then past ones; only both together can say that there is none."""
        if self._stops.has(symbol, client_order_id):
            return await self._stop_loss(symbol, client_order_id)
        query = {**LINEAR, "symbol": theirs(symbol), "orderLinkId": client_order_id}
        for path in ("/v5/order/realtime", "/v5/order/history"):
            for row in await self._reads.every(path, query):
                if row["orderLinkId"] == client_order_id:
                    return self._report(row)
        return None

    async def _stop_loss(self, symbol: str, client_order_id: str) -> OrderReport | None:
        """The same for the stop-loss of a position: by Bybit's id, once that has shown."""
        place = {**LINEAR, "symbol": theirs(symbol)}
        rows = await self._reads.every("/v5/order/realtime", {**place, "orderFilter": "StopOrder"})
        for order_id in self._stops.orders_of(client_order_id):
            rows += await self._reads.every("/v5/order/history", {**place, "orderId": order_id})
        found = (row for row in map(self._stops.named, rows) if row["orderLinkId"] == client_order_id)
        return next(map(self._report, found), None)

    @sensible
    async def open_orders(self) -> Sequence[OrderReport]:
        """All live orders of the account, conditional ones and those of positions included."""
        rows = await self._reads.every("/v5/order/realtime", {**SETTLED, "limit": 50})
        return [self._report(self._stops.named(row)) for row in rows]

    def _report(self, row: Row) -> OrderReport:
        return translate.report(row, self._symbols.of_row(row))

    @sensible
    async def executions(self, since_ms: int) -> Sequence[OrderFilled]:
        """All trades of the account from a time on."""
        rows = await self._executions(since_ms)
        trades = [self._stops.named(row) for row in rows if row["execType"] in translate.TRADES]
        found = {row["execId"]: translate.fill(row, self._symbols.of_row(row)) for row in trades}
        return sorted(found.values(), key=lambda fill: (fill.time_ms, fill.trade_id))

    async def _executions(self, since_ms: int, **more: str) -> list[Any]:
        now_ms = self._http.venue_ms()
        start = max(since_ms, now_ms - EXECUTION_HISTORY_MS)
        return await self._reads.windows(
            "/v5/execution/list", {**LINEAR, **more, "limit": 100}, start, now_ms + DAY_MS
        )

    @sensible
    async def positions(self) -> Sequence[PositionReport]:
        """All positions that are not flat."""
        rows = await self._reads.every("/v5/position/list", {**SETTLED, "limit": 200})
        return [
            translate.position(row, self._symbols.of_row(row)) for row in rows if fields.quantity(row, "size")
        ]

    @sensible
    async def balances(self) -> Mapping[str, Balance]:
        """The unified account; what is available is told for the whole account, in USD."""
        rows = await self._reads.whole("/v5/account/wallet-balance", {"accountType": "UNIFIED"})
        account = rows[0]
        free = fields.amount_or_zero(account, "totalAvailableBalance")
        found = {}
        for coin in rows_of(account["coin"]):
            total = fields.amount_or_zero(coin, "walletBalance")
            found[fields.name(coin, "coin")] = Balance(total, free if coin["coin"] == QUOTE else total)
        return found

    @sensible
    async def candles(self, symbol: str, timeframe: str, since_ms: int, limit: int) -> Candles:
        """Closed candles; the one that still forms is left out."""
        length = timeframe_ms(timeframe)
        start = -(-since_ms // length) * length
        query = {
            **LINEAR,
            "symbol": theirs(symbol),
            "interval": translate.INTERVALS[timeframe],
            "start": start,
            "end": start + limit * length - 1,
            "limit": limit,
        }
        result = await self._reads.one("/v5/market/kline", query, kind="public")
        closed_by = self._http.venue_ms()
        rows = [row for row in result["list"][::-1] if fields.time_ms(row, 0) + length <= closed_by]
        return translate.candles(symbol, timeframe, rows)

    @sensible
    async def funding_rates(self, symbol: str, since_ms: int) -> Sequence[FundingRate]:
        """Settled rates, oldest first."""
        found: dict[int, FundingRate] = {}
        end = self._http.venue_ms()
        while end >= since_ms:
            query = {
                **LINEAR,
                "symbol": theirs(symbol),
                "startTime": since_ms,
                "endTime": end,
                "limit": 200,
            }
            result = await self._reads.one("/v5/market/funding/history", query, kind="public")
            rates = [translate.funding_rate(row) for row in rows_of(result["list"])]
            found |= {rate.time_ms: rate for rate in rates}
            if len(rates) < 200:
                break
            end = min(rate.time_ms for rate in rates) - 1
        return [found[time_ms] for time_ms in sorted(found)]

    @sensible
    async def funding_paid(self, since_ms: int) -> Sequence[FundingPaid]:
        """Funding of this account, oldest first."""
        rows = {row["execId"]: row for row in await self._executions(since_ms, execType="Funding")}
        paid = [funding(row, self._symbols.of_row(row)) for row in rows.values()]
        return sorted(paid, key=lambda each: each.time_ms)

    # -- writes ---------------------------------------------------------------------------------------------

    async def submit(self, request: OrderRequest) -> Outcome:
        """Send an order, with the stop-loss that it carries; a repeated client order id is ALREADY_SO."""
        return await self._writes.submit(request)

    async def submit_all(self, requests: Sequence[OrderRequest]) -> Sequence[Outcome]:
        """Send up to ten orders at once; each has its own answer."""
        return await self._writes.submit_all(requests)

    async def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        """Cancel an order; one that is not open is ALREADY_SO."""
        return await self._writes.cancel(symbol, client_order_id)

    async def amend(self, symbol: str, amendment: Amendment) -> Outcome:
        """Change price or trigger, and quantity, of a live order."""
        return await self._writes.amend(symbol, amendment)

    async def set_leverage(self, symbol: str, leverage: Decimal) -> Outcome:
        """Set the leverage of both sides."""
        return await self._writes.set_leverage(symbol, leverage)

    def recall(self, symbol: str, stop: AttachedStop, venue_order_id: str) -> None:
        """The stop-loss of a position has no id of ours."""
        self._stops.learn(symbol, stop, venue_order_id)

    # -- streams --------------------------------------------------------------------------------------------

    def events(self) -> AsyncIterator[OrderFact]:
        """What the private socket tells of orders, executions and funding."""
        return self._facts.subscribe(_present(self._private, self.clock.now_ms()))

    def prices(self, symbols: Sequence[str]) -> AsyncIterator[PriceFact]:
        """Trades of the public socket; the present price of each symbol first."""
        wanted = frozenset(symbols)
        present = [self._last[symbol] for symbol in symbols if symbol in self._last]
        first: list[PriceFact] = [*_present(self._public, self.clock.now_ms()), *present]
        return self._prices.subscribe(
            first, lambda fact: not isinstance(fact, Price) or fact.symbol in wanted
        )

    def closed_candles(self, symbols: Sequence[str], timeframe: str) -> AsyncIterator[CandleFact]:
        """Candles read after each boundary."""
        return polled_candles(self, symbols, timeframe)

    def _hear_private(self, message: Mapping[str, Any]) -> None:
        for fact in self._told.of(message):
            self._facts.publish(fact)

    def _hear_public(self, message: Mapping[str, Any]) -> None:
        kind, _, name = fields.name(message, "topic").partition(".")
        symbols = self._symbols.of_name(name)
        if kind == "publicTrade":
            for row in rows_of(message["data"]):
                self._all_at(symbols, fields.time_ms(row, "T"), fields.positive(row, "p"))
        elif kind != "tickers":
            raise fields.NonsenseError(f"a message of {fields.shown(kind)}, which was not asked for")
        elif symbols[-1] not in self._last and message["data"].get("lastPrice"):
            now_ms, price = fields.time_ms(message, "ts"), fields.positive(message["data"], "lastPrice")
            self._all_at(symbols, now_ms, price)

    def _all_at(self, symbols: Sequence[str], time_ms: int, price: Decimal) -> None:
        """Both positions of hedge mode have one price."""
        for symbol in symbols:
            self._price(Price(time_ms, symbol, price))

    def _price(self, price: Price) -> None:
        self._last[price.symbol] = price
        self._prices.publish(price)


def _present(stream: Stream, now_ms: int) -> Iterator[LinkUp | LinkDown]:
    if stream.is_up:
        yield LinkUp(now_ms)
