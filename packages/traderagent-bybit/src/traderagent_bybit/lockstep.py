"""A sandbox and the adapter on virtual time: one thing happens, all that it brings about is done, then the next.

Orders, executions and candles go through REST and sockets as always. Only time is moved by hand, the present price is
asked for at each step, and a price somebody waits for is told when it comes there.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from attrs import define, evolve, field
from traderagent_core import (
    Amendment,
    CandleClosed,
    CandleFact,
    Candles,
    Instrument,
    OrderRequest,
    Outcome,
    Price,
    Surroundings,
)
from traderagent_core.adapters.clocks import ManualClock
from traderagent_core.adapters.streams import Broadcast
from traderagent_core.model import command as cmd
from traderagent_core.model.position import money_context
from traderagent_core.model.position_side import pair_of

from traderagent_bybit.adapter.bybit import BybitAdapter
from traderagent_bybit.adapter.config import BybitConfig
from traderagent_bybit.adapter.symbols import index_of, theirs
from traderagent_bybit.sandbox.app import serving
from traderagent_bybit.sandbox.contracts import Leg
from traderagent_bybit.sandbox.desk import Desk
from traderagent_bybit.sandbox.messages import settle
from traderagent_bybit.sandbox.session import LOCKSTEP, Session, Settings
from traderagent_bybit.sandbox.walker import BOUNDARY_PHASE, Moment
from traderagent_bybit.sandbox.world import AccountSpec

QUIET_TURNS = 12
"""Turns of the event loop in which nothing moves, after which nothing will."""

ACCOUNT = "lockstep"
FASTER = 10_000.0
"""Virtual time knows no calls per second."""


class InTurn(BybitAdapter):
    """The adapter on a clock that is moved by hand: writes arrive one by one, `latency_ms` after they left."""

    def __init__(self, url: str, surroundings: Surroundings, latency_ms: int = 0) -> None:
        sockets = url.replace("http", "ws", 1)
        config = BybitConfig(
            rest_url=url,
            private_url=f"{sockets}/v5/private",
            public_url=f"{sockets}/v5/public/linear",
            rate_factor=FASTER,
        )
        super().__init__(config, surroundings)
        self.latency_ms = latency_ms
        self.closes: Broadcast[CandleFact] = Broadcast(self.clock)
        self.hands: HandMovedSandbox | None = None
        self._turn = asyncio.Lock()
        self._public_messages: list[Mapping[str, Any]] = []
        self.waiting = 0

    async def connect(self) -> None:
        """Be there when both sockets are."""
        await super().connect()
        while not (self._private.is_up and self._public.is_up):
            await asyncio.sleep(0.001)

    async def close(self) -> None:
        """End the streams."""
        self.closes.close()
        await super().close()

    def closed_candles(self, symbols: Sequence[str], timeframe: str) -> Any:  # noqa: ARG002
        """Candles that are read when they close."""
        return self.closes.subscribe()

    def _hear_public(self, message: Mapping[str, Any]) -> None:
        self._public_messages.append(message)

    def tell_rest(self) -> bool:
        """Let out what the public socket has told: prices come after all that happened at them."""
        messages, self._public_messages = self._public_messages, []
        for message in messages:
            super()._hear_public(message)
        return bool(messages)

    def _price(self, price: Price) -> None:
        """One of before is over: what it would have met was asked for, and told when it came there."""
        if price.time_ms >= self.clock.now_ms():
            super()._price(price)

    def tell_price(self, price: Price) -> None:
        """Tell a price that somebody waits for."""
        self._price(price)

    async def submit(self, request: OrderRequest) -> Outcome:
        """See ExchangeAdapter."""
        return await self._arrive(lambda: super(InTurn, self).submit(request))

    async def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        """See ExchangeAdapter."""
        return await self._arrive(lambda: super(InTurn, self).cancel(symbol, client_order_id))

    async def amend(self, symbol: str, amendment: Amendment) -> Outcome:
        """See ExchangeAdapter."""
        return await self._arrive(lambda: super(InTurn, self).amend(symbol, amendment))

    async def _arrive(self, call: Callable[[], Awaitable[Outcome]]) -> Outcome:
        if self.latency_ms:
            await self.clock.sleep_until(self.clock.now_ms() + self.latency_ms)
        self.waiting += 1
        try:
            async with self._turn:
                assert self.hands is not None
                self.hands.bring()
                outcome = await call()
                await self.hands.heard_all()
                return outcome
        finally:
            self.waiting -= 1


@define(eq=False)
class HandMovedSandbox:
    """The sandbox behind an adapter, moved from moment to moment. All its candles are of one timeframe."""

    desk: Desk
    adapter: InTurn
    clock: ManualClock
    candles: Sequence[Candles]
    _base_ms: int = field(init=False)
    _end_ms: int = field(init=False)
    _closed_ms: int = field(init=False)
    _watched: dict[tuple[str, str], str] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self._base_ms = self.candles[0].duration_ms
        self._end_ms = max(int(each.open_time[-1]) for each in self.candles) + self._base_ms
        self._closed_ms = self.clock.now_ms() // self._base_ms * self._base_ms
        self.adapter.hands = self

    # -- moving ---------------------------------------------------------------------------------------------

    def next_moment(self) -> Moment | None:
        """Time and phase of the next thing: something at the venue, or a close."""
        close = (self._closed_ms + self._base_ms, BOUNDARY_PHASE)
        found = self.desk.session.world.next_moment(self._end_ms)
        first = close if found is None else min(found, close)
        return first if first[0] <= self._end_ms else None

    async def happen(self) -> None:
        """Let it happen, and be told through the sockets; closed candles are read."""
        moment = self.next_moment()
        assert moment is not None
        if moment[1] == BOUNDARY_PHASE:
            await self._close(moment[0])
            return
        self.desk.session.step(self._end_ms)
        self._flush()

    async def _close(self, close_ms: int) -> None:
        self._closed_ms = close_ms
        self.bring()
        for each in self.candles:
            found = await self.adapter.candles(each.symbol, each.timeframe, close_ms - self._base_ms, 1)
            for row in range(len(found)):
                self.adapter.closes.publish(CandleClosed(each.symbol, each.timeframe, found.candle(row)))

    def bring(self) -> None:
        """Let the sandbox come to the present; everything before has happened."""
        session = self.desk.session
        if session.world.now_ms < self.clock.now_ms():
            session.advance(self.clock.now_ms())
            self._flush()

    def _flush(self) -> None:
        self.desk.hub.flush()
        owner = self.desk.session.world.accounts[ACCOUNT]
        crossed, owner.crossed = owner.crossed, []
        for event in crossed:
            symbol = self._watched.pop((event.owner, event.name))
            self.adapter.tell_price(Price(event.time_ms, symbol, Decimal(repr(event.price))))

    # -- prices ---------------------------------------------------------------------------------------------

    def quote(self, symbol: str) -> Decimal:
        """The present price."""
        self.bring()
        state = self.desk.session.world.accounts[ACCOUNT].symbols[theirs(symbol)]
        return state.active_legs()[0].last_price

    def levels(self, command: cmd.Watch | cmd.Unwatch) -> None:
        """Tell the price when it comes to where somebody waits for it."""
        self.bring()
        self._watched[command.owner, command.name] = command.symbol
        owner = self.desk.session.world.accounts[ACCOUNT]
        leg = owner.symbols[theirs(command.symbol)].legs[Leg(index_of(command.symbol))]
        with money_context():
            owner.exchange.execute(evolve(command, symbol=leg.market.instrument.symbol), self.clock.now_ms())
            settle(owner)
        self._flush()

    # -- quiet ----------------------------------------------------------------------------------------------

    async def heard_all(self) -> None:
        """Return when all that the sandbox has told has been heard."""
        quiet = 0
        while quiet < QUIET_TURNS:
            await asyncio.sleep(0)
            quiet = quiet + 1 if self._is_heard() else 0

    def _is_heard(self) -> bool:
        told = sum(connection.told for connection in self.desk.hub.connections)
        return self.adapter.heard == told

    def is_quiet(self) -> bool:
        """Whether nothing is on its way, on the sockets or by REST."""
        return self._is_heard() and not self.adapter.under_way and not self.adapter.waiting

    def tell_rest(self) -> bool:
        """Let out what has to be told last; whether there was anything."""
        return self.adapter.tell_rest()


@asynccontextmanager
async def in_lockstep(
    *,
    candles: Sequence[Candles],
    instruments: Sequence[Instrument],
    clock: ManualClock,
    balance: Decimal,
    funding_rate: Decimal,
    latency_ms: int = 0,
) -> AsyncIterator[tuple[InTurn, HandMovedSandbox]]:
    """Serve a sandbox with one account from the time of the clock on, and an adapter to it; both are to be moved.

    Money is in USDT, `funding_rate` a ratio for eight hours. A symbol that names a position of hedge mode has its
    pair in that mode.
    """
    of_pair = {pair_of(each.symbol): each for each in candles}
    settings = Settings(
        [AccountSpec(ACCOUNT, ACCOUNT, ACCOUNT, balance)],
        start_ms=clock.now_ms(),
        speed=LOCKSTEP,
        keeps_dates=True,
        funding_rate=funding_rate,
        has_rate_limits=False,
        instruments={pair_of(each.symbol): evolve(each, symbol=pair_of(each.symbol)) for each in instruments},
    )
    session = Session(settings, [evolve(each, symbol=pair) for pair, each in of_pair.items()], clock.now_ms)
    for pair in (pair for pair, each in of_pair.items() if each.symbol != pair):
        session.apply(ACCOUNT, "switch-mode", {"category": "linear", "symbol": theirs(pair), "mode": 3})
    markets = {each.symbol: each.market for each in instruments}
    surroundings = Surroundings(clock, markets, "demo", {"key": ACCOUNT, "secret": ACCOUNT})
    async with serving(session) as (desk, url):
        adapter = InTurn(url, surroundings, latency_ms)
        yield adapter, HandMovedSandbox(desk, adapter, clock, candles)
