"""A small sound adapter on a wire that can be cut: tests of the kit start from it, and so can a driver's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import Factory, define, evolve

from traderagent_core.adapters.candle_polling import polled_candles
from traderagent_core.adapters.simulated import stop
from traderagent_core.adapters.streams import Broadcast
from traderagent_core.adapters.venue_adapter import VENUE_CAPABILITIES, VenueAdapter
from traderagent_core.contract.exchange_adapter import ExchangeAdapter, Surroundings
from traderagent_core.contract.outcome import Outcome
from traderagent_core.contract.venue_facts import (
    Balance,
    CandleFact,
    LinkDown,
    LinkUp,
    OrderFact,
    OrderReport,
    PositionReport,
    PriceFact,
)
from traderagent_core.errors import ExchangeUnavailableError
from traderagent_core.model.candle import Candles
from traderagent_core.model.event import OrderFilled
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import Amendment, OrderRequest
from traderagent_core.testing.venue_rig import VenueRig

CUT = "the wire was cut"


@define(eq=False)
class Wire:
    """What lies between adapter and exchange; each fault happens once."""

    backend: VenueAdapter
    loses_request: bool = False
    loses_reply: bool = False
    strange_answer: tuple[str, str] | None = None
    fails_read: bool = False
    is_up: bool = True
    is_changed: asyncio.Event = Factory(asyncio.Event)

    async def write(self, call: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Carry a write there and its answer back; raises TimeoutError when one of them is lost."""
        if self.loses_request:
            self.loses_request = False
            raise TimeoutError("no answer")
        if self.strange_answer is not None:
            (code, text), self.strange_answer = self.strange_answer, None
            return Outcome.unknown(code, text)
        answer = await call()
        if self.loses_reply:
            self.loses_reply = False
            raise TimeoutError("no answer")
        return answer

    def read(self) -> VenueAdapter:
        """The exchange, for a read; raises TimeoutError when the answer is lost."""
        if self.fails_read:
            self.fails_read = False
            raise TimeoutError("no answer")
        return self.backend


class WireAdapter(ExchangeAdapter):
    """Passes everything through, keeps nothing, and reconnects by itself."""

    capabilities = evolve(VENUE_CAPABILITIES, largest_batch=10)

    def __init__(self, config: Any, surroundings: Surroundings, wire: Wire) -> None:
        super().__init__(config, surroundings)
        self.wire = wire
        self.facts: Broadcast[OrderFact] = Broadcast(self.clock)
        self.ticks: Broadcast[PriceFact] = Broadcast(self.clock)
        self.tasks: list[asyncio.Task[None]] = []

    async def connect(self) -> None:
        """Follow the exchange's stream."""
        self.tasks.append(asyncio.create_task(self.follow()))

    async def close(self) -> None:
        """Stop following, end the streams."""
        tasks, self.tasks = self.tasks, []
        for task in tasks:
            await stop(task)
        self.facts.close()
        self.ticks.close()

    async def follow(self) -> None:
        """Pass facts on while the wire is up."""
        was_up = True
        facts = self.wire.backend.events()
        await anext(facts)
        async for fact in self.until_changed(facts):
            is_up = self.wire.is_up
            if is_up is not was_up:
                now_ms = self.clock.now_ms()
                self.facts.publish(LinkUp(now_ms) if is_up else LinkDown(now_ms, CUT))
            if is_up and fact is not None:
                self.pass_on(fact)
            was_up = is_up

    async def until_changed(self, facts: AsyncIterator[OrderFact]) -> AsyncIterator[OrderFact | None]:
        """Facts, and None whenever the wire was cut or mended."""
        fact = asyncio.ensure_future(anext(facts, None))
        change = asyncio.ensure_future(self.wire.is_changed.wait())
        try:
            while True:
                await asyncio.wait((fact, change), return_when=asyncio.FIRST_COMPLETED)
                if change.done():
                    self.wire.is_changed.clear()
                    change = asyncio.ensure_future(self.wire.is_changed.wait())
                    yield None
                if fact.done():
                    heard = fact.result()
                    fact = asyncio.ensure_future(anext(facts, None))
                    yield heard
        finally:
            for waiting in (fact, change):
                waiting.cancel()
            await asyncio.wait((fact, change))

    def pass_on(self, fact: Any) -> None:
        """Tell a fact."""
        self.facts.publish(fact)

    # -- reads ----------------------------------------------------------------------------------------------

    def read(self) -> VenueAdapter:
        """The exchange behind the wire."""
        try:
            return self.wire.read()
        except TimeoutError as error:
            raise ExchangeUnavailableError(str(error)) from error

    async def server_time(self) -> int:
        return await self.read().server_time()

    async def instruments(self) -> Sequence[Instrument]:
        return await self.read().instruments()

    async def order(self, symbol: str, client_order_id: str) -> OrderReport | None:
        return await self.read().order(symbol, client_order_id)

    async def open_orders(self) -> Sequence[OrderReport]:
        return await self.read().open_orders()

    async def executions(self, since_ms: int) -> Sequence[OrderFilled]:
        return await self.read().executions(since_ms)

    async def positions(self) -> Sequence[PositionReport]:
        return await self.read().positions()

    async def balances(self) -> Mapping[str, Balance]:
        return await self.read().balances()

    async def candles(self, symbol: str, timeframe: str, since_ms: int, limit: int) -> Candles:
        return await self.read().candles(symbol, timeframe, since_ms, limit)

    # -- writes ---------------------------------------------------------------------------------------------

    async def write(self, call: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """A write, with whatever becomes of it."""
        try:
            return await self.wire.write(call)
        except TimeoutError as error:
            return Outcome.unknown("timeout", str(error))

    async def submit(self, request: OrderRequest) -> Outcome:
        return await self.write(lambda: self.wire.backend.submit(request))

    async def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        return await self.write(lambda: self.wire.backend.cancel(symbol, client_order_id))

    async def amend(self, symbol: str, amendment: Amendment) -> Outcome:
        return await self.write(lambda: self.wire.backend.amend(symbol, amendment))

    async def set_leverage(self, symbol: str, leverage: Decimal) -> Outcome:
        return await self.write(lambda: self.wire.backend.set_leverage(symbol, leverage))

    # -- streams --------------------------------------------------------------------------------------------

    def events(self) -> AsyncIterator[OrderFact]:
        return self.facts.subscribe([LinkUp(self.clock.now_ms())])

    def prices(self, symbols: Sequence[str]) -> AsyncIterator[PriceFact]:
        source = self.wire.backend.prices(symbols)
        self.tasks.append(asyncio.create_task(self._follow_prices(source)))
        return self.ticks.subscribe()

    def closed_candles(self, symbols: Sequence[str], timeframe: str) -> AsyncIterator[CandleFact]:
        """Candles read after each boundary."""
        return polled_candles(self, symbols, timeframe)

    async def _follow_prices(self, source: AsyncIterator[PriceFact]) -> None:
        async for fact in source:
            self.ticks.publish(fact)


class WireRig(VenueRig):
    """The venue model behind a wire that can be cut."""

    adapter_class: type[WireAdapter] = WireAdapter

    def __init__(self, instrument: Instrument) -> None:
        super().__init__(instrument)
        self.wire = Wire(self.backend)

    def adapter(self) -> WireAdapter:
        """A new adapter on the same wire."""
        return self.adapter_class(None, self.backend.surroundings, self.wire)

    async def lose_next_request(self) -> None:
        self.wire.loses_request = True

    async def lose_next_reply(self) -> None:
        self.wire.loses_reply = True

    async def answer_next_write(self, code: str, text: str) -> None:
        self.wire.strange_answer = (code, text)

    async def fail_next_read(self) -> None:
        self.wire.fails_read = True

    async def break_links(self) -> None:
        await self._turn(is_up=False)

    async def mend_links(self) -> None:
        await self._turn(is_up=True)

    async def _turn(self, *, is_up: bool) -> None:
        self.wire.is_up = is_up
        self.wire.is_changed.set()
        await self.settle()
