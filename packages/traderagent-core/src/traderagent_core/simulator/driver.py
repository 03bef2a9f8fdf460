"""The simulator's driver: carries commands to the venue model and steps the engine from wake to wake."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, get_args

from traderagent_core.contract.entry_filter import Verdict
from traderagent_core.data.funding import FundingRates
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.stops import STOP_WATCH
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.candle import Candles, TimeColumn
from traderagent_core.model.plan import Plan
from traderagent_core.simulator.bands import BandExits
from traderagent_core.simulator.calls import CallBook
from traderagent_core.simulator.cursor import (
    BOUNDARY_PHASE,
    FUNDING_PHASE,
    OPERATOR_PHASE,
    TIMER_PHASE,
    VENUE_PHASE,
    Cursor,
)
from traderagent_core.simulator.hearing import Heard, StopMove
from traderagent_core.simulator.hits import NEVER, Hits
from traderagent_core.simulator.record_log import RecordLog
from traderagent_core.simulator.scan import BlockScan, Finder
from traderagent_core.simulator.timers import Agenda
from traderagent_core.simulator.view import Schedule, SimulatedView
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.path import PathPolicy

VenueCommand = cmd.Cancel | cmd.Amend | cmd.Watch | cmd.Unwatch | cmd.SetLeverage
DELAYED = (cmd.Submit, cmd.Cancel, cmd.Amend)
"""Commands that take the latency to reach the venue."""


class Driver:
    """One simulated run. The market with the earliest hit moves; everything else waits for its time."""

    def __init__(
        self,
        engine: Engine,
        exchange: SimulatedExchange,
        view: SimulatedView,
        candles: Mapping[str, Candles],
        *,
        policy: PathPolicy = PathPolicy.DEFAULT,
        latency_ms: int = 0,
        finder: Callable[[Candles], Finder] = BlockScan,
        records: RecordLog | None = None,
    ) -> None:
        self.engine = engine
        self.exchange = exchange
        self.view = view
        self.records = RecordLog() if records is None else records
        self.heard = Heard()
        self.events = 0
        self._latency_ms = latency_ms
        self._finders = {symbol: finder(series) for symbol, series in candles.items()}
        self._cursors = {
            symbol: Cursor(exchange.markets[symbol], exchange, series, policy, self._finders[symbol])
            for symbol, series in candles.items()
        }
        view.cursors = self._cursors
        engine.judge.on_verdict = self._answered
        self._carriers: dict[type, Callable[[Any, int], None]] = {
            cmd.Submit: self._submit,
            cmd.SetTimer: self._set_timer,
            cmd.CancelTimer: self._cancel_timer,
            cmd.Publish: self._published,
            **dict.fromkeys(get_args(VenueCommand), self._execute),
            cmd.Watch: self._watch,
            cmd.Unwatch: self._watch,
        }
        """What carries a command to where it is to arrive."""
        delayed = dict.fromkeys(DELAYED, self._delay) if latency_ms else {}
        self._takers: dict[type, Callable[[Any, int], None]] = self._carriers | delayed
        """What takes a command from the engine."""
        self._agenda = Agenda()
        self._calls = CallBook(self._agenda, self._due)
        self._hits = Hits(self._cursors.values())
        self._here: Cursor | None = None
        self._judged_ms = -1
        self._phase = VENUE_PHASE
        self._band: tuple[int, int] | None = None
        self._band_exits = BandExits(self._cursors, self._finders)
        self._is_band_stale = True
        self._band_until_ms = 0
        self.progress: Callable[[int], None] | None = None
        self.acknowledge_after_ms: int | None = None

    # -- preparing ------------------------------------------------------------------------------------------

    def schedule(self, bot: str, schedule: Schedule) -> None:
        """Start a bot at its time and call it on its closes."""
        self.start(bot, schedule.start_ms)
        self.schedule_calls(bot, schedule)

    def schedule_calls(self, bot: str, schedule: Schedule) -> None:
        """Call a bot, or one of the strategies of one, on its closes."""
        self._calls.add(schedule.due_ms, bot)

    def schedule_boundaries(self, times: TimeColumn, after_ms: int) -> None:
        """Wake at closes after a time on which no bot need be due, such as changes of regime."""
        self._calls.add(times[times.searchsorted(after_ms, side="right") :])

    def start(self, bot: str, start_ms: int) -> None:
        """Start a bot, or all strategies of one whose strategy is chosen by regime, at a time."""
        start = ev.OperatorCommand(start_ms, bot, "start")
        self._agenda.add(start_ms, OPERATOR_PHASE, lambda _: self._step(start))

    def schedule_funding(self, rates: Sequence[FundingRates]) -> None:
        """Settle funding at its times, where there is a position."""
        for series in rates:
            self._settle_next(series, 0)

    def _settle_next(self, series: FundingRates, index: int) -> None:
        if index >= len(series.time_ms):
            return

        def settle(time_ms: int) -> None:
            if self.exchange.markets[series.symbol].position.quantity:
                self._cursors[series.symbol].seek(time_ms)
                rate = Decimal(repr(float(series.rate[index])))
                self.exchange.settle_funding(series.symbol, rate, time_ms)
                self._pump()
            self._settle_next(series, index + 1)

        self._agenda.add(int(series.time_ms[index]), FUNDING_PHASE, settle)

    # -- running --------------------------------------------------------------------------------------------

    def run(self, end_ms: int) -> None:
        """Step until nothing more happens before or at `end_ms`."""
        agenda, view, pump, progress = self._agenda, self.view, self._pump, self.progress
        find_hit, look_again = self._hits.first, self._hits.look_again
        is_guarded, exits = self.engine.guards.is_watching, self._band_exits
        first: tuple[int, int]
        cursor: Cursor | None
        while True:
            first, cursor = find_hit()
            due = agenda.next()
            if due is not None and due < first:
                first, cursor = due, None
            band = self._next_band(first) if is_guarded and first[0] >= exits.next_close_ms else None
            if band is not None and band < first:
                first, cursor = band, None
            if first[0] > end_ms:
                return
            view.now_ms, self._phase = first
            if cursor is not None:
                self._here = cursor
                look_again(cursor)
                cursor.take()
                pump()
                self._here = None
            elif first is due:
                agenda.run_next()
            else:
                self._boundary(first[0])
            if progress is not None:
                progress(first[0])

    def _next_band(self, first: tuple[int, int]) -> tuple[int, int] | None:
        """When a close first leaves a band of the engine's guards, if that is before `first`; else perhaps None."""
        until_ms = first[0] if first[1] > BOUNDARY_PHASE else first[0] - 1
        if self._is_band_stale or (self._band is None and until_ms > self._band_until_ms):
            self._is_band_stale, self._band_until_ms = False, until_ms
            now_ms = self.view.now_ms
            is_over = self._judged_ms == now_ms or self._phase > BOUNDARY_PHASE
            after_ms = now_ms if is_over else now_ms - 1
            exit_ms = self._band_exits.next(self.engine.guards.bands, after_ms, until_ms)
            self._band = None if exit_ms is None else (exit_ms, BOUNDARY_PHASE)
        return self._band

    def _due(self, time_ms: int) -> None:
        """A close on which bots are due; while none of them hears it, nothing can change that but an event."""
        engine = self.engine
        here = self._calls.at(time_ms)
        if any(not calls.bot or engine.hears_candles(engine.members[calls.bot]) for calls in here):
            self._boundary(time_ms)
            return
        until_ms = self._next_event_ms() if here else None
        for calls in self._calls.taken(time_ms):
            calls.skip_to(until_ms)
            self._calls.arm(calls)

    def _next_event_ms(self) -> int | None:
        """When anything else happens next; None when nothing does."""
        times = [when for when in (self._hits.first()[0], self._agenda.next()) if when and when != NEVER]
        if self.engine.guards.is_watching:
            band = self._next_band(min(times, default=NEVER))
            times += [] if band is None else [band]
        return min(times)[0] if times else None

    def _boundary(self, time_ms: int) -> None:
        self._judged_ms = time_ms
        self._step(ev.CandlesClosed(time_ms))
        for calls in self._calls.taken(time_ms):
            self._calls.arm(calls)

    def _step(self, event: ev.Event) -> None:
        self.exchange.events.append(event)
        self._pump()

    def _pump(self) -> None:
        """Step the engine through all that has happened, and through what that makes happen at this time."""
        events = self.exchange.events
        step = self.engine.step
        records, takers = self.records.latest, self._takers
        while events:
            event = events.popleft()
            self.events += 1
            commands, decided = step(event)
            records += decided
            for command in commands:
                takers[type(command)](command, event.time_ms)
        self._is_band_stale = True
        if len(records) > self.records.most:
            self.records.pack()

    def _delay(self, command: cmd.Command, now_ms: int) -> None:
        due_ms = now_ms + self._latency_ms
        self._agenda.add(due_ms, VENUE_PHASE, lambda time_ms: self._arrive(command, time_ms))

    def _published(self, command: cmd.Publish, now_ms: int) -> None:
        """Nobody reads it; after the time that was asked for a halt is acknowledged all the same."""
        if command.topic == "halt" and self.acknowledge_after_ms is not None:
            event = ev.OperatorCommand(now_ms + self.acknowledge_after_ms, "*", "acknowledge", "simulated")
            self._agenda.add(event.time_ms, OPERATOR_PHASE, lambda _: self._step(event))

    def _arrive(self, command: cmd.Command, time_ms: int) -> None:
        self._carriers[type(command)](command, time_ms)
        self._pump()

    def _execute(self, command: VenueCommand, now_ms: int) -> None:
        """Bring a command's market to the present price, then let the venue have it."""
        cursor = self._cursors[command.symbol]
        if cursor is not self._here:
            cursor.seek(now_ms)
            self._hits.look_again(cursor)
        self.exchange.execute(command, now_ms)

    def _watch(self, command: cmd.Watch | cmd.Unwatch, now_ms: int) -> None:
        if command.name == STOP_WATCH:
            price = command.price if type(command) is cmd.Watch else None
            self.heard.stops.append(StopMove(len(self.records), now_ms, command.owner, price))
        self._execute(command, now_ms)

    def _answered(self, name: str, bot: str, plan: Plan, verdict: Verdict) -> None:
        symbol = self.engine.members[bot].symbol
        asked = (len(self.records), self.view.now_ms, name, bot, symbol, plan, self.view.price(symbol))
        self.heard.answered(*asked, verdict)

    def _submit(self, command: cmd.Submit, now_ms: int) -> None:
        request = command.request
        cursor = self._cursors[request.symbol]
        if cursor is not self._here:
            cursor.seek(now_ms)
            self._hits.look_again(cursor)
        self.exchange.submit(request, now_ms)

    def _cancel_timer(self, command: cmd.CancelTimer, now_ms: int) -> None:  # noqa: ARG002
        self._agenda.forget((command.owner, command.name))

    def _set_timer(self, command: cmd.SetTimer, now_ms: int) -> None:  # noqa: ARG002
        event = ev.TimerFired(max(command.due_ms, self.view.now_ms), command.owner, command.name)
        phase = TIMER_PHASE if command.owner else BOUNDARY_PHASE  # The engine's own is the end of a day.
        self._agenda.add(event.time_ms, phase, lambda _: self._step(event), (command.owner, command.name))
