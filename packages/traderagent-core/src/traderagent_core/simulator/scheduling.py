"""When the bots of a run start and on which closes they are called."""

from typing import TYPE_CHECKING

from traderagent_core.config.coordinator import CoordinatorConfig
from traderagent_core.config.loaded import Bot
from traderagent_core.coordinator.regime import RegimeClassifier
from traderagent_core.engine.engine import Engine
from traderagent_core.model.position_side import one_of_each_pair
from traderagent_core.simulator.driver import Driver
from traderagent_core.simulator.regimes import regime_history
from traderagent_core.simulator.seats import RoutedPair, Seating
from traderagent_core.simulator.stress import stress_history
from traderagent_core.simulator.view import Schedule, SimulatedView

if TYPE_CHECKING:
    from traderagent_core.simulator.preparing import RunOptions


def schedule_bots(
    seating: Seating,
    engine: Engine,
    view: SimulatedView,
    driver: Driver,
    coordinator: CoordinatorConfig,
    options: "RunOptions",
) -> dict[str, int]:
    """Schedule everything; returns when each strategy starts, ms UTC. All strategies of a pair start together."""
    pairs = {name: pair for pair in seating.pairs for name in pair.seats}
    schedules = {bot.name: _schedule(bot, engine, view, options) for bot in seating.seats}
    starts = {}
    for bot in seating.seats:
        pair, schedule = pairs.get(bot.name), schedules[bot.name]
        if pair is None:
            driver.schedule(bot.name, schedule)
            starts[bot.name] = schedule.start_ms
            continue
        if bot.name == pair.seats[0]:
            start_ms = max(schedules[name].start_ms for name in pair.seats)
            driver.start(pair.bot.name, start_ms)
        driver.schedule_calls(bot.name, schedule)
        starts[bot.name] = start_ms
    for pair in seating.pairs:
        _watch_regime(pair, view, driver, coordinator, starts[pair.seats[0]])
    if engine.guards.account.watches_stress:
        symbols = one_of_each_pair(bot.symbol for bot in seating.seats)
        start_ms = min(starts.values())
        view.stress = stress_history(view, symbols, coordinator.correlation, start_ms)
        driver.schedule_boundaries(view.stress.time_column, start_ms)
        if view.stress.at(start_ms):
            driver.schedule_boundaries(view.next_close(start_ms), start_ms)  # Stress that is there already.
    return starts


def _schedule(bot: Bot, engine: Engine, view: SimulatedView, options: "RunOptions") -> Schedule:
    return view.schedule(
        bot.name,
        bot.symbol,
        bot.timeframe,
        engine.members[bot.name].strategy,
        options.start_ms or 0,
        is_exact=options.starts_between_closes,
    )


def _watch_regime(
    pair: RoutedPair, view: SimulatedView, driver: Driver, coordinator: CoordinatorConfig, start_ms: int
) -> None:
    symbol = pair.bot.symbol
    history = regime_history(view, symbol, RegimeClassifier(coordinator.regime))
    view.regimes[symbol] = history
    driver.schedule_boundaries(history.time_column, start_ms)
