"""The live driver: what an exchange tells becomes events, one after the other, and what the engine wants is sent."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from attrs import evolve, frozen

from traderagent_core.config.loaded import Config
from traderagent_core.contract.exchange_adapter import ExchangeAdapter
from traderagent_core.contract.venue_facts import CandleClosed, LinkDown, LinkUp, Price
from traderagent_core.coordinator.halt import Stage
from traderagent_core.live.aligning import Aligning, Hands
from traderagent_core.live.assembling import Assembly
from traderagent_core.live.boundaries import GRACE_MS, Boundaries, Close
from traderagent_core.live.entries import CANDLE, Entries
from traderagent_core.live.observing import Observer
from traderagent_core.live.reconcile import Reads
from traderagent_core.live.starting import Starts
from traderagent_core.live.stepper import LEAVING
from traderagent_core.live.vitals import Vitals
from traderagent_core.live.waits import until_some
from traderagent_core.live.wakes import is_awaited
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.candle import Candle
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.simulator.cursor import BOUNDARY_PHASE, OPERATOR_PHASE

INBOX = 100_000
"""Facts that may wait; those who tell more have to wait themselves."""

BATCH = 256
"""Facts that may share one flush of the journal."""

MOST_LEARNED = 500
"""Candles without an event before they are written down by themselves."""

WORDS = {"start": "bot_started", "acknowledge": "halt_acknowledged"}
"""What the log calls the words that the driver says for the operator."""

Levels = Callable[[cmd.Watch | cmd.Unwatch], None]


@frozen
class Options:
    """How a driver works. `flush` makes the journal durable; `base` is the timeframe of closed candles.

    `bots` are to be started: at a close of their timeframe at or after `start_ms`, or without it as soon as they
    can. `quote` tells the present price of a symbol and `levels` is told which prices are waited for, where an
    exchange can do so. `tell` takes what a log should have: what happened, and values by name. On recorded
    candles a halt acknowledges itself `acknowledge_after_ms` later. `config` is what the process was started with.
    """

    config: Config
    base: str
    flush: Callable[[], Awaitable[None]]
    bots: tuple[str, ...]
    start_ms: int | None = None
    grace_ms: int = GRACE_MS
    quote: Callable[[str], Decimal] | None = None
    levels: Levels | None = None
    tell: Callable[..., None] = lambda *_, **__: None
    acknowledge_after_ms: int | None = None


@frozen
class Due:
    """A timer is due, or a close has been waited for long enough."""


class Driver:
    """One account, live. Everything that is told goes through one queue, and is taken one thing at a time."""

    def __init__(self, adapter: ExchangeAdapter, assembly: Assembly, options: Options) -> None:
        self.adapter = adapter
        self.assembly = assembly
        self.stepper = stepper = assembly.stepper
        self.engine = stepper.engine
        self.view = stepper.view
        self.options = options
        self.symbols = tuple(dict.fromkeys(member.symbol for member in self.engine.members.values()))
        self.vitals = Vitals()
        self.observer = Observer(self.engine, self.vitals, options.tell)
        stepper.saw = self.observer.saw
        stepper.calls.slow = self._called_slowly
        self.entries = Entries(self.engine, adapter.clock, self.step, options.tell)
        hands = Hands(self.step, self.tell, self.say, options.tell)
        self.aligning = Aligning(adapter, stepper, self.entries, self.vitals, hands)
        self.resolver, self.outbox = self.aligning.resolver, self.aligning.outbox
        self.boundaries = Boundaries(self.view, self.symbols, timeframe_ms(options.base), options.grace_ms)
        self.starts = Starts(self.engine, self.view, options.start_ms, options.bots)
        self.wants_reads = asyncio.Event()
        self.has_prices = asyncio.Event()
        self.has_due = asyncio.Event()
        self.taken = 0
        self._due_ms: int | None = None
        self._is_down = False
        self._said: list[ev.OperatorCommand] = []
        self._inbox: deque[Any] = deque()
        self._has_facts = asyncio.Event()
        self._leaving: list[cmd.Command] = []
        self._takers: dict[type, Callable[[Any], None]] = {
            Price: self._price,
            CandleClosed: self._candle,
            LinkUp: self._link_up,
            LinkDown: self._link_down,
            Reads: self.aligning.reconcile,
            Due: self._due,
            ev.OrderFilled: self._filled,
            ev.FundingPaid: self._funding,
        }

    # -- the queue ------------------------------------------------------------------------------------------

    def tell(self, fact: Any) -> None:
        """Have something taken after all that has been told before; a function is called in its turn."""
        self._inbox.append(fact)
        self._has_facts.set()

    async def hear(self, name: str, stream: Any, tell: Callable[[Any], None]) -> None:
        """Have everything told that a stream tells, until it ends."""
        async for fact in stream:
            if isinstance(fact, LinkUp | LinkDown):
                self.note_link(name, fact)
            while len(self._inbox) >= INBOX:
                await asyncio.sleep(0.01)
            tell(fact)

    def note_link(self, name: str, fact: LinkUp | LinkDown) -> None:
        """Note how a stream stands."""
        cause = "" if isinstance(fact, LinkUp) else fact.cause
        self.vitals.link(name, is_up=isinstance(fact, LinkUp), time_ms=fact.time_ms, cause=cause)

    async def work(self) -> None:
        """Take what is told until cancelled: step, make the journal durable, let the commands leave."""
        inbox = self._inbox
        while True:
            await until_some(inbox, self._has_facts)
            self._take(inbox.popleft())
            for _ in range(min(len(inbox), BATCH)):
                self._take(inbox.popleft())
            await self.release()
            self._look_at_time()

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits to be taken or sent."""
        return not self._inbox and self.outbox.is_empty and not self._leaving

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way whose end the exchange has still to tell."""
        is_exiting = any(member.exit_reason for member in self.engine.members.values())
        is_asking = self.outbox.in_flight or self.resolver.cases
        return is_exiting or bool(is_asking or self.aligning.reconciler.suspected)

    def _take(self, fact: Any) -> None:
        self.taken += 1
        taker = self._takers.get(type(fact))
        if taker is not None:
            taker(fact)
        elif callable(fact):
            fact()
        else:
            self.step(fact)

    def say(self, bot: str, action: str, reason: str = "") -> None:
        """Step the engine with an operator's word."""
        now_ms = max(self.adapter.clock.now_ms(), self.engine.now_ms)
        self.step(ev.OperatorCommand(now_ms, bot, action, reason))

    def step(self, event: ev.Event) -> None:
        """Step the engine; its commands leave at the next `release`."""
        self._ask_prices()
        seen = self.engine.account.seen_trades
        traded = event if isinstance(event, ev.OrderFilled) and event.trade_id not in seen else None
        self._follow(self.stepper.take(event))
        if traded is not None:
            self.aligning.has_traded(traded.client_order_id)

    def change(self, config: Config, event: ev.OperatorCommand) -> None:
        """Go over to another configuration, of which it is known that it can be; see `live.reloading`."""
        self._ask_prices()
        self._follow(self.assembly.change(config, event))
        self.starts = Starts(self.engine, self.view, self.options.start_ms, self.starts.bots)

    def _follow(self, commands: Sequence[cmd.Command]) -> None:
        self._leaving += commands
        for command in commands:
            if isinstance(command, cmd.Publish):
                self._published(command, self.engine.now_ms)

    def _published(self, command: cmd.Publish, now_ms: int) -> None:
        self.options.tell("published", topic=command.topic, text=command.text)
        after_ms = self.options.acknowledge_after_ms
        if command.topic == "halt" and after_ms is not None:
            self._say_at(ev.OperatorCommand(now_ms + after_ms, "*", "acknowledge", "simulated"))

    def remind(self) -> None:
        """Say again what the process before may not have got through: leverage, and a halt nobody has answered.

        A strategy that hung between two events is put into quarantine; one that hung in a step has been.
        """
        for call in self.stepper.calls.outstanding():
            self.say(call.bot, "quarantine", call.callback)
        self.aligning.set_leverage_again()
        state = self.engine.halting.state
        if state.stage is Stage.AWAIT_ACK:
            self._published(cmd.Publish("halt", state.reason), self.engine.now_ms)

    def _called_slowly(self, bot: str, callback: str, took_ms: int) -> None:
        self.vitals.was_slow(bot, callback, took_ms)
        self.observer.callback_slow(self.engine.now_ms, bot, callback, took_ms)

    def _say_at(self, command: ev.OperatorCommand) -> None:
        """Have a word taken at its time, after those of the same time that came before it."""
        self._said.append(command)
        self._said.sort(key=lambda each: each.time_ms)

    def _ask_prices(self) -> None:
        quote = self.options.quote
        if quote is not None:
            for symbol in self.symbols:
                self.view.learn_price(symbol, quote(symbol))

    async def release(self) -> None:
        """Make everything durable that has been decided, then let it leave."""
        if not self._leaving:
            return
        leaving, self._leaving = self._leaving, []
        if any(isinstance(command, LEAVING) for command in leaving):
            await self.options.flush()
        self.outbox.put(self._prepared(leaving))

    def _prepared(self, commands: Iterable[cmd.Command]) -> Iterable[Any]:
        for command in commands:
            if isinstance(command, LEAVING):
                yield command
            elif isinstance(command, cmd.Watch | cmd.Unwatch):
                yield lambda command=command: self._look_at(command)

    # -- prices, candles, time ------------------------------------------------------------------------------

    def _look_at(self, command: cmd.Watch | cmd.Unwatch) -> None:
        """A watch has come to its turn; the price may be there already."""
        if self.options.levels is not None:
            self.options.levels(command)
        if isinstance(command, cmd.Watch) and self.view.has_price(command.symbol):
            price = self.view.price(command.symbol)
            for crossed in self._crossed(command.symbol, price, self.adapter.clock.now_ms()):
                self.tell(crossed)

    def _price(self, fact: Price) -> None:
        self.view.learn_price(fact.symbol, fact.last)
        for crossed in self._crossed(fact.symbol, fact.last, fact.time_ms):
            self.step(crossed)
        self.start_bots(fact.time_ms, is_close=False)

    def _crossed(self, symbol: str, price: Decimal, now_ms: int) -> list[ev.WatchCrossed]:
        watches = self.stepper.watches.crossed(symbol, price)
        return [ev.WatchCrossed(now_ms, watch.owner, watch.name, float(price)) for watch in watches]

    def learn_history(self, candles: Mapping[str, Sequence[Candle]], now_ms: int) -> None:
        """Take the candles that have closed while nobody was there, up to a time; they wake nobody but watches."""
        for symbol, found in candles.items():
            for candle in found:
                self.view.learn_candle(symbol, candle)
        self.boundaries.pass_over(now_ms)
        self.stepper.learn()
        for symbol, found in candles.items():
            for candle in found:
                self._prove(symbol, candle)
        self.start_bots(now_ms, is_close=False)

    def _candle(self, fact: CandleClosed) -> None:
        self._prove(fact.symbol, fact.candle)
        self.boundaries.add(fact.symbol, fact.candle)
        self.observer.candle_closed(self.adapter.clock.now_ms(), fact.symbol, fact.candle.close)
        self._close(self.boundaries.complete())

    def _prove(self, symbol: str, candle: Candle) -> None:
        """Watches whose price has come and gone unheard; not where an exchange is told what is watched."""
        if self.options.levels is None:
            now_ms = max(self.adapter.clock.now_ms(), self.engine.now_ms)
            for watch, price in self.stepper.watches.crossed_in(symbol, candle):
                self.step(ev.WatchCrossed(now_ms, watch.owner, watch.name, price))

    def _close(self, closes: Iterable[Close]) -> None:
        for close_ms, missing in closes:
            if is_awaited(self.engine, self.view, close_ms):
                with self._without_entries(close_ms, missing):
                    self.step(ev.CandlesClosed(close_ms))
            self.start_bots(close_ms, is_close=True)
        if len(self.view.learned_candles) >= MOST_LEARNED:
            self.stepper.learn()

    @contextmanager
    def _without_entries(self, close_ms: int, symbols: Sequence[str]) -> Iterator[None]:
        """Hold entries back on symbols whose candle of a close has not come; recorded candles are never late."""
        late = symbols if self.options.grace_ms else ()
        for symbol in late:
            self.entries.bar(CANDLE, f"the candle that closed at {close_ms} has not come", symbol)
        yield
        for symbol in late:
            self.entries.allow(CANDLE, symbol)

    def start_bots(self, time_ms: int, *, is_close: bool) -> None:
        """Have the bots started that can start now, one after the other."""
        if not self.starts.are_over and not self.entries.are_barred:
            self._ask_prices()
            for bot in self.starts.ready(time_ms, is_close=is_close):
                self._say_at(ev.OperatorCommand(time_ms, bot, "start"))

    def awaits(self, bot: str) -> bool:
        """Whether a bot is about to be started."""
        return self.starts.awaits(bot) or any(
            said.bot == bot and said.action == "start" for said in self._said
        )

    def forget_start(self, bot: str) -> None:
        """Have a bot not started after all."""
        self.starts.forget(bot)
        self._said = [said for said in self._said if (said.bot, said.action) != (bot, "start")]

    def next_due(self) -> tuple[int, int] | None:
        """Time and phase of the first timer, close or word that is waited for."""
        first = self._first_due()
        return None if first is None else first[0]

    def _first_due(self) -> tuple[tuple[int, int], Callable[[], None]] | None:
        """Time and phase of what is waited for, and the function that does it; at equal moments a close is first."""
        timer, close_ms = self.stepper.timers.next(), self.boundaries.next_ms()
        first: tuple[tuple[int, int], Callable[[], None]] | None = None
        if close_ms is not None:
            first = (close_ms, BOUNDARY_PHASE), self._late_close
        if timer is not None:
            due = self.boundaries.due_ms(timer[0]), timer[1]
            first = (due, self._timer) if first is None or due < first[0] else first
        if self._said and (first is None or (self._said[0].time_ms, OPERATOR_PHASE) < first[0]):
            first = (self._said[0].time_ms, OPERATOR_PHASE), self._hear_operator
        return first

    def _look_at_time(self) -> None:
        """Say that something is due, or something else than before will be first."""
        first = self._first_due()
        due_ms = None if first is None else first[0][0]
        if due_ms != self._due_ms or (due_ms is not None and due_ms <= self.adapter.clock.now_ms()):
            self._due_ms = due_ms
            self.has_due.set()

    def _due(self, _: Due) -> None:
        """One thing that is due; if another one is too, that is told again."""
        self._due_ms = None
        if self.aligning.suspects_clock():
            self.wants_reads.set()
        first = self._first_due()
        if first is not None and first[0][0] <= self.adapter.clock.now_ms():
            first[1]()

    def _late_close(self) -> None:
        self._close(self.boundaries.late(self.adapter.clock.now_ms()))

    def _timer(self) -> None:
        timer = self.stepper.timers.next()
        assert timer is not None
        event = self.stepper.timers.pop(timer)
        self.step(evolve(event, time_ms=max(event.time_ms, self.engine.now_ms)))

    def _hear_operator(self) -> None:
        command = self._said.pop(0)
        self.options.tell(WORDS[command.action], bot=command.bot)
        self.step(command)

    # -- the account ----------------------------------------------------------------------------------------

    def _filled(self, fill: ev.OrderFilled) -> None:
        """What others trade where no bot does is nothing to the engine: it has no price there."""
        if fill.symbol in self.symbols:
            self.step(fill)

    def _funding(self, paid: ev.FundingPaid) -> None:
        if paid.symbol in self.symbols and self.aligning.reconciler.is_new_funding(paid):
            self.step(paid)

    def _link_down(self, fact: LinkDown) -> None:
        self._is_down = True
        self.options.tell("link_lost", cause=fact.cause)

    def _link_up(self, _: LinkUp) -> None:
        """What happened before a stream is up, after the first one too, nobody has told: it has to be read."""
        self.wants_reads.set()
        if self._is_down:
            self._is_down = False
            self.options.tell("link_mended")
