"""The `paper` exchange: live prices of another exchange, with simulated fills."""

import asyncio
from collections.abc import Sequence
from typing import Any

from attrs import evolve

from traderagent_core.adapters.simulated import stop
from traderagent_core.adapters.venue_adapter import VenueAdapter
from traderagent_core.config.schema import SimulationConfig
from traderagent_core.contract.exchange_adapter import ExchangeAdapter, Surroundings
from traderagent_core.contract.venue_facts import FundingRate, LinkDown, Price
from traderagent_core.errors import ExchangeRefusedError, ExchangeUnavailableError
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.position import money_context
from traderagent_core.model.timeframe import HOUR_MS
from traderagent_core.venue.exchange import SimulatedExchange

FUNDING_DELAY_MS = 30_000
"""How long after the full hour a settled rate is asked for."""


class PaperAdapter(VenueAdapter):
    """Prices, candles, instruments and funding rates come from `source`; orders never reach it.

    Fees are those of the source's instruments unless the section `simulation` names its own. While the source is
    not heard nothing trades, and the streams of prices tell the break.
    """

    def __init__(self, config: Any, surroundings: Surroundings, source: ExchangeAdapter) -> None:
        super().__init__(config, evolve(surroundings, clock=source.clock))
        simulation = surroundings.simulation
        assert isinstance(simulation, SimulationConfig)
        self.source = source
        self.capabilities = evolve(
            self.capabilities,
            markets=source.capabilities.markets,
            timeframes=source.capabilities.timeframes,
            has_hedge_mode=source.capabilities.has_hedge_mode,
            has_funding=source.capabilities.has_funding,
            candles_per_request=source.capabilities.candles_per_request,
        )
        self.latency_ms = simulation.latency_ms
        self._simulation = simulation
        self._settled_ms: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def connect(self) -> None:
        """Connect the source and follow its prices from the first one on."""
        if self._tasks:
            return
        await self.source.connect()
        found = {each.symbol: each for each in await self.source.instruments()}
        missing = [symbol for symbol in self.surroundings.markets if symbol not in found]
        if missing:
            raise ExchangeRefusedError(
                f"the exchange that prices come from does not have {', '.join(missing)}"
            )
        if self._exchange is None:
            traded = [self._with_fees(found[symbol]) for symbol in self.surroundings.markets]
            simulation = self._simulation
            self._exchange = SimulatedExchange(
                traded,
                balance=simulation.balance,
                slippage_ratio=simulation.slippage,
                forced_slippage_ratio=self.surroundings.forced_slippage,
            )
        has_price = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._follow(has_price)))
        if self.capabilities.has_funding:
            self._tasks.append(asyncio.create_task(self._settle()))
        await has_price.wait()

    async def close(self) -> None:
        """Let go of the source, and end the streams."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            await stop(task)
        await self.source.close()
        await super().close()

    def _with_fees(self, instrument: Instrument) -> Instrument:
        simulation = self._simulation
        return evolve(
            instrument,
            maker_fee_ratio=instrument.maker_fee_ratio
            if simulation.maker_fee is None
            else simulation.maker_fee,
            taker_fee_ratio=instrument.taker_fee_ratio
            if simulation.taker_fee is None
            else simulation.taker_fee,
        )

    async def _follow(self, has_price: asyncio.Event) -> None:
        waiting = set(self.surroundings.markets)
        if not waiting:
            has_price.set()
        async for fact in self.source.prices(list(self.surroundings.markets)):
            if isinstance(fact, Price):
                self.tick(fact.symbol, fact.last)
                waiting.discard(fact.symbol)
                if not waiting:
                    has_price.set()
            else:
                self._prices.publish(fact)
        self._prices.publish(LinkDown(self.clock.now_ms(), "the source of prices has ended"))

    # -- funding --------------------------------------------------------------------------------------------

    async def _settle(self) -> None:
        now_ms = self.clock.now_ms()
        while True:
            due_ms = (now_ms // HOUR_MS + 1) * HOUR_MS + FUNDING_DELAY_MS
            await self.clock.sleep_until(due_ms)
            now_ms = self.clock.now_ms()
            for symbol, market in self.exchange.markets.items():
                if market.is_linear:
                    await self._settle_one(symbol, now_ms)

    async def _settle_one(self, symbol: str, now_ms: int) -> None:
        """Charge what was settled since the last time; a failed read is made up for an hour later."""
        since_ms = self._settled_ms.get(symbol, now_ms - FUNDING_DELAY_MS)
        try:
            rates = await self.source.funding_rates(symbol, since_ms)
        except ExchangeUnavailableError:
            self._settled_ms.setdefault(symbol, since_ms)
            return
        with money_context():
            for settled in rates:
                self.exchange.settle_funding(symbol, settled.rate, settled.time_ms)
        self._settled_ms[symbol] = max((each.time_ms + 1 for each in rates), default=since_ms)
        self.tell()

    # -- what the source knows ------------------------------------------------------------------------------

    async def server_time(self) -> int:
        """The source's time."""
        return await self.source.server_time()

    async def candles(self, symbol: str, timeframe: str, since_ms: int, limit: int) -> Candles:
        """The source's candles."""
        return await self.source.candles(symbol, timeframe, since_ms, limit)

    async def funding_rates(self, symbol: str, since_ms: int) -> Sequence[FundingRate]:
        """The source's rates."""
        return await self.source.funding_rates(symbol, since_ms)

    def closed_candles(self, symbols: Sequence[str], timeframe: str) -> Any:
        """The source's stream."""
        return self.source.closed_candles(symbols, timeframe)
