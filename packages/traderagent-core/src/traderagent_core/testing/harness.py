"""Runs a strategy in the simulator with everything exchangeable: the venue, the view, the finder, the engine.

run = run_strategy(GridStrategy, config, market("ranging"), instrument)
assert not run.failures
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TypeVar, cast, overload

from attrs import fields

from traderagent_core.contract.strategy import Strategy
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.setup import BotSetup, EngineSetup
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument
from traderagent_core.simulator.view import SimulatedView
from traderagent_core.testing.conditions import GOOD, Around, Bot, Conditions
from traderagent_core.testing.faulty_exchanges import ObservedExchange
from traderagent_core.testing.restarting import RestartingEngine
from traderagent_core.testing.run import InterferingDriver, Run
from traderagent_core.venue.path import PathPolicy

AnyRun = TypeVar("AnyRun", bound=Run)

CALLBACKS = (
    "on_start",
    "takes_over",
    "on_take_over",
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


def run_strategy(
    strategy_class: type[Strategy],
    config: Any,
    candles: Candles,
    instrument: Instrument,
    *,
    conditions: Conditions = GOOD,
    **bot: Any,
) -> Run:
    """Run one strategy over candles from the first close at which its indicators are warm to the last close.

    Other fields of a Bot, such as `budget` and `leverage`, go by their names.
    """
    return run_bots([Bot(strategy_class, config, candles, instrument, **bot)], conditions)


@overload
def start_strategy(
    strategy_class: type[Strategy],
    config: Any,
    candles: Candles,
    instrument: Instrument,
    *,
    run_class: type[AnyRun],
    **named: Any,
) -> AnyRun: ...


@overload
def start_strategy(
    strategy_class: type[Strategy], config: Any, candles: Candles, instrument: Instrument, **named: Any
) -> Run: ...


def start_strategy(
    strategy_class: type[Strategy],
    config: Any,
    candles: Candles,
    instrument: Instrument,
    *,
    run_class: type[Run] = Run,
    **named: Any,
) -> Run:
    """Make one strategy ready, in an account that holds its budget and no more: a run that is still at its start.

    Fields of Bot and of Conditions go by their names; `run_class` may be a class of your own.
    """
    names = {field.name for field in fields(Bot)} & named.keys()
    bot = Bot(strategy_class, config, candles, instrument, **{name: named.pop(name) for name in names})
    return start_bots([bot], Conditions(**{"balance": bot.budget, **named}), run_class)


def run_bots(bots: Sequence[Bot], conditions: Conditions = GOOD) -> Run:
    """Run several bots, each on its own instrument, in one engine."""
    return start_bots(bots, conditions).run()


@overload
def start_bots(bots: Sequence[Bot], conditions: Conditions = GOOD) -> Run: ...


@overload
def start_bots(bots: Sequence[Bot], conditions: Conditions, run_class: type[AnyRun]) -> AnyRun: ...


def start_bots(bots: Sequence[Bot], conditions: Conditions = GOOD, run_class: type[Run] = Run) -> Run:
    """Make several bots ready in one engine: a run, of a class of your own if need be, that is still at its start."""
    candles = {bot.candles.symbol: bot.candles for bot in bots}
    view = conditions.view(candles)
    balance = conditions.balance or 2 * sum((bot.budget for bot in bots), Decimal(0))
    engine = RestartingEngine(lambda: _engine(bots, view, balance, conditions), conditions.restart_at)
    driver = InterferingDriver(
        cast(Engine, engine),
        _exchange(bots, balance, conditions),
        view,
        candles,
        policy=conditions.policy,
        latency_ms=conditions.latency_ms,
        finder=conditions.finder,
    )
    for bot in bots:
        strategy = engine.members[bot.name].strategy
        driver.schedule(bot.name, view.schedule(bot.name, bot.candles.symbol, bot.looks_at, strategy, 0))
    driver.interfere(conditions)
    return run_class(bots, driver, engine)


def _exchange(bots: Sequence[Bot], balance: Decimal, conditions: Conditions) -> ObservedExchange:
    exchange = conditions.exchange([bot.instrument for bot in bots], balance=balance)
    exchange.slippage_ratio = conditions.slippage_ratio
    exchange.defers_orders = conditions.policy is PathPolicy.NEXT_CANDLE
    return exchange


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
                bot.looks_at,
                bot.budget,
                bot.leverage,
                bot.limits,
                bot.places_stops,
            )
        )
    filters = {name: build() for name, build in conditions.filters.items()}
    modes = tuple((name, build()) for name, build in conditions.modes.items())
    return Engine(EngineSetup(tuple(setups), balance, filters, modes, tuple(conditions.pairs)), view)


def spy(strategy: Strategy, around: Around) -> None:
    """Have `around` called around every callback of this one strategy object."""
    for name in CALLBACKS:
        setattr(strategy, name, _spied(strategy, name, getattr(strategy, name), around))


def _spied(strategy: Strategy, name: str, method: Callable[..., Any], around: Around) -> Callable[..., Any]:
    def callback(context: Any, *arguments: Any, **named: Any) -> Any:
        return around(strategy, name, context, lambda: method(context, *arguments, **named))

    return callback
