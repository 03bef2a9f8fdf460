"""Runs a strategy in the simulator with everything exchangeable: the venue, the view, the finder, the engine.

run = run_strategy(GridStrategy, config, market("ranging"), instrument)
assert not run.failures
"""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from attrs import Factory, define, evolve, frozen

from traderagent_core.account.state import Record
from traderagent_core.contract.entry_filter import EntryFilter
from traderagent_core.contract.risk_mode import RiskMode
from traderagent_core.contract.strategy import Strategy
from traderagent_core.engine.engine import Effects, Engine
from traderagent_core.engine.setup import BotSetup, EngineSetup, StopPlacement
from traderagent_core.engine.snapshot import restore, snapshot
from traderagent_core.model import event as ev
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument
from traderagent_core.simulator.cursor import BOUNDARY_PHASE, OPERATOR_PHASE
from traderagent_core.simulator.driver import Driver
from traderagent_core.simulator.scan import BlockScan, Finder
from traderagent_core.simulator.view import SimulatedView
from traderagent_core.testing.faulty_exchanges import ObservedExchange

CALLBACKS = (
    "on_start",
    "on_candle",
    "on_fill",
    "on_order",
    "on_verdict",
    "on_timer",
    "on_watch",
    "on_closed",
    "on_resume",
    "on_release",
)
"""Methods of a strategy that the engine calls."""

Around = Callable[[Strategy, str, Any, Callable[[], Any]], Any]
"""(strategy, callback, context, call): has to call `call()` and to return what that returns."""


@frozen
class Bot:
    """One bot of a run. `budget` is in quote currency, before leverage."""

    strategy_class: type[Strategy]
    config: Any
    candles: Candles
    instrument: Instrument
    budget: Decimal = Decimal(10_000)
    leverage: Decimal = Decimal(1)
    name: str = "bot"
    stop_placement: StopPlacement = "engine"


@frozen
class Conditions:
    """Under what a run takes place; the defaults are a venue that behaves and nobody who interferes.

    `exchange` builds the venue from (instruments, balance=…). `operator` gives commands at their times. `wakes` are
    times at which the engine is woken although nobody asked for it. `restart_at` says after how many steps the
    engine and its plugins are saved, thrown away and restored. `around` is called around every callback. `filters`
    and `modes` build entry filters and risk modes for each engine, by name.
    """

    exchange: Callable[..., ObservedExchange] = ObservedExchange
    view: Callable[[Mapping[str, Candles]], SimulatedView] = SimulatedView
    finder: Callable[[Candles], Finder] = BlockScan
    operator: Sequence[ev.OperatorCommand] = ()
    wakes: Sequence[int] = ()
    restart_at: Callable[[int], bool] | None = None
    around: Around | None = None
    latency_ms: int = 0
    balance: Decimal | None = None
    filters: Mapping[str, Callable[[], EntryFilter]] = Factory(dict)
    modes: Mapping[str, Callable[[], RiskMode]] = Factory(dict)


GOOD = Conditions()


@define(eq=False)
class Run:
    """A run that is over."""

    bots: Sequence[Bot]
    engine: Engine
    exchange: ObservedExchange
    records: list[Record]
    events: int
    end_ms: int
    lines: list[str] = Factory(list)

    def __attrs_post_init__(self) -> None:
        self.lines = [repr(record) for record in self.records]

    def of(self, *kinds: str) -> list[Record]:
        """The records of some kinds."""
        return [record for record in self.records if record[0] in kinds]

    @property
    def failures(self) -> list[Record]:
        """Callbacks that raised: (kind, time_ms, bot, callback, error)."""
        return self.of("plugin_failed")


def run_strategy(
    strategy_class: type[Strategy],
    config: Any,
    candles: Candles,
    instrument: Instrument,
    *,
    budget: Decimal = Decimal(10_000),
    leverage: Decimal = Decimal(1),
    conditions: Conditions = GOOD,
) -> Run:
    """Run one strategy over candles from the first close at which its indicators are warm to the last close."""
    return run_bots([Bot(strategy_class, config, candles, instrument, budget, leverage)], conditions)


def run_bots(bots: Sequence[Bot], conditions: Conditions = GOOD) -> Run:
    """Run several bots, each on its own instrument, in one engine."""
    candles = {bot.candles.symbol: bot.candles for bot in bots}
    view = conditions.view(candles)
    balance = conditions.balance or 2 * sum((bot.budget for bot in bots), Decimal(0))
    engine = _Restarting(lambda: _engine(bots, view, balance, conditions), conditions.restart_at)
    exchange = conditions.exchange([bot.instrument for bot in bots], balance=balance)
    driver = _Driver(
        cast(Engine, engine),
        exchange,
        view,
        candles,
        latency_ms=conditions.latency_ms,
        finder=conditions.finder,
    )
    for bot in bots:
        strategy = engine.members[bot.name].strategy
        schedule = view.schedule(bot.name, bot.candles.symbol, bot.candles.timeframe, strategy, 0)
        driver.schedule(bot.name, schedule)
    driver.interfere(conditions)
    end_ms = max(int(series.open_time[-1]) + series.duration_ms for series in candles.values())
    driver.run(end_ms)
    return Run(bots, engine.engine, exchange, driver.records, driver.events, end_ms)


def run_once_more(run: Run, conditions: Conditions) -> Run:
    """The same bots and candles under other conditions."""
    return run_bots(run.bots, conditions)


def with_candles(bot: Bot, candles: Candles) -> Bot:
    """The same bot on other candles."""
    return evolve(bot, candles=candles)


def _engine(bots: Sequence[Bot], view: SimulatedView, balance: Decimal, conditions: Conditions) -> Engine:
    setups = []
    for bot in bots:
        strategy = bot.strategy_class(bot.config)
        if conditions.around is not None:
            spy(strategy, conditions.around)
        setups.append(
            BotSetup(
                bot.name,
                bot.strategy_class.__name__.lower(),
                strategy,
                bot.instrument,
                bot.candles.timeframe,
                bot.budget,
                bot.leverage,
                stop_placement=bot.stop_placement,
            )
        )
    filters = {name: build() for name, build in conditions.filters.items()}
    modes = tuple((name, build()) for name, build in conditions.modes.items())
    return Engine(EngineSetup(tuple(setups), balance, filters, modes), view)


def spy(strategy: Strategy, around: Around) -> None:
    """Have `around` called around every callback of this one strategy object."""
    for name in CALLBACKS:
        setattr(strategy, name, _spied(strategy, name, getattr(strategy, name), around))


def _spied(strategy: Strategy, name: str, method: Callable[..., Any], around: Around) -> Callable[..., Any]:
    def callback(context: Any, *arguments: Any, **named: Any) -> Any:
        return around(strategy, name, context, lambda: method(context, *arguments, **named))

    return callback


class _Driver(Driver):
    """The simulator's driver, with an operator and with wakes nobody asked for."""

    def interfere(self, conditions: Conditions) -> None:
        for command in conditions.operator:
            self._at(command.time_ms, OPERATOR_PHASE, command)
        for time_ms in conditions.wakes:
            self._at(time_ms, BOUNDARY_PHASE, ev.CandlesClosed(time_ms))

    def _at(self, time_ms: int, phase: int, event: ev.Event) -> None:
        self._agenda.add(time_ms, phase, lambda _: self._step(event))


class _Restarting:
    """An engine that is now and then replaced by a fresh one with the saved state, by way of JSON text."""

    def __init__(self, make: Callable[[], Engine], is_due: Callable[[int], bool] | None) -> None:
        self.engine = make()
        self._make = make
        self._is_due = is_due
        self._steps = 0

    def step(self, event: ev.Event) -> Effects:
        if self._is_due is not None and self._is_due(self._steps):
            text = json.dumps(snapshot(self.engine))
            self.engine = self._make()
            restore(self.engine, json.loads(text))
        self._steps += 1
        return self.engine.step(event)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)
