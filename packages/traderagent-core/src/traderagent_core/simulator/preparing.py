"""Builds a run and checks that it can start: engine, venue, view and driver."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import Factory, evolve, frozen

from traderagent_core.config.loaded import Config
from traderagent_core.config.schema import SimulationConfig
from traderagent_core.contract.capabilities import StopPlacement
from traderagent_core.contract.strategy import Problem
from traderagent_core.data.funding import FundingRates
from traderagent_core.data.resampling import divides
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.setup import problems_of
from traderagent_core.errors import ConfigError, DataError
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Market
from traderagent_core.model.timeframe import HOUR_MS
from traderagent_core.simulator.assumptions import assumptions_of, funding_of
from traderagent_core.simulator.driver import Driver
from traderagent_core.simulator.instruments import make_instrument
from traderagent_core.simulator.record_log import RecordLog
from traderagent_core.simulator.record_reader import RecordReader
from traderagent_core.simulator.scan import BlockScan, Finder
from traderagent_core.simulator.scheduling import schedule_bots
from traderagent_core.simulator.seats import Seating, seat
from traderagent_core.simulator.setting_up import STOP_PLACEMENTS, engine_setup
from traderagent_core.simulator.view import SimulatedView
from traderagent_core.venue.path import PathPolicy
from traderagent_core.venue.simulated import simulated_exchange


@frozen
class RunOptions:
    """What a run may be told beside its configuration. Times are ms UTC; None leaves a side open.

    `steps_from` are candles to read price and quantity steps off where they are not those of the run itself. With
    `starts_between_closes` bots start exactly at `start_ms`, not at the next close of their timeframe.
    `stop_placements` say where stops are, as at the exchange that a run is compared with.
    """

    start_ms: int | None = None
    end_ms: int | None = None
    progress: Callable[[int], None] | None = None
    finder: Callable[[Candles], Finder] = BlockScan
    steps_from: Mapping[str, Candles] = Factory(dict)
    starts_between_closes: bool = False
    stop_placements: Mapping[Market, StopPlacement] = STOP_PLACEMENTS


@frozen
class Prepared:
    """Everything built and checked, before the first event."""

    config: Config
    engine: Engine
    driver: Driver
    view: SimulatedView
    candles: Mapping[str, Candles]
    problems: Mapping[str, Sequence[Problem]]
    assumptions: Mapping[str, Any]
    start_ms: int
    end_ms: int
    reader: RecordReader
    """Has read of the driver's records those that are packed."""


def prepare(
    config: Config,
    candles: Mapping[str, Candles],
    funding: Sequence[FundingRates] = (),
    options: RunOptions = RunOptions(),
) -> Prepared:
    """Build a run; raises ConfigError or DataError when it cannot start."""
    candles = _checked_candles(config, candles, options)
    simulation, seating = config.simulation, seat(config)
    built = {
        bot.symbol: make_instrument(bot, simulation, options.steps_from.get(bot.symbol, candles[bot.symbol]))
        for bot in config.bots
    }
    instruments = {symbol: instrument for symbol, (instrument, _) in built.items()}
    view = SimulatedView(candles)
    engine = Engine(engine_setup(config, seating, instruments, options.stop_placements), view)
    forced_slippage = config.coordinator.transition.forced_slippage
    exchange = simulated_exchange(simulation, instruments.values(), forced_slippage)
    policy = PathPolicy(simulation.path)
    reader = RecordReader(simulation.balance)
    driver = Driver(
        engine,
        exchange,
        view,
        candles,
        policy=policy,
        latency_ms=simulation.latency_ms,
        finder=options.finder,
        records=RecordLog(reader.take),
    )
    driver.progress = options.progress
    driver.acknowledge_after_ms = acknowledge_after_ms(simulation)
    starts = schedule_bots(seating, engine, view, driver, config.coordinator, options)
    view.begin(min(starts.values()))
    rates = funding_of(config, candles, funding)
    driver.schedule_funding(rates)
    problems = _check(seating, engine, view, candles, starts)
    end_ms = max(int(series.open_time[-1]) + series.duration_ms for series in candles.values())
    assumptions = assumptions_of(config, built, candles, funding, rates)
    # A close at the very start of the period asked for belongs to the time before it.
    start_ms = options.start_ms + 1 if options.start_ms is not None else min(starts.values())
    return Prepared(
        evolve(config, bots=seating.seats),
        engine,
        driver,
        view,
        candles,
        problems,
        assumptions,
        start_ms,
        end_ms,
        reader,
    )


def acknowledge_after_ms(simulation: SimulationConfig) -> int | None:
    """How long after its publication a halt is acknowledged, ms; None when it never is."""
    hours = simulation.acknowledge_halt_after_hours
    return None if hours is None else int(hours * HOUR_MS)


def _checked_candles(
    config: Config, candles: Mapping[str, Candles], options: RunOptions
) -> Mapping[str, Candles]:
    chosen: dict[str, Candles] = {}
    for bot in config.bots:
        series = candles.get(bot.symbol)
        if series is None:
            there = ", ".join(candles) or "none"
            raise DataError(f"no candles of {bot.symbol}, which bot {bot.name!r} trades; there are: {there}")
        if not divides(series.timeframe, bot.timeframe):
            raise DataError(
                f"bot {bot.name!r} works on {bot.timeframe} candles, which cannot be built from the "
                f"{series.timeframe} candles of {bot.symbol}; give finer data or set a timeframe that is a "
                f"multiple of {series.timeframe}"
            )
        part = series.between(None, options.end_ms)
        if not len(part):
            raise DataError(f"the candles of {bot.symbol} have none before the end of the period asked for")
        chosen[bot.symbol] = part
    return chosen


def _check(
    seating: Seating,
    engine: Engine,
    view: SimulatedView,
    candles: Mapping[str, Candles],
    starts: Mapping[str, int],
) -> dict[str, Sequence[Problem]]:
    """What the strategies themselves say against starting, at the first price."""
    found: dict[str, Sequence[Problem]] = {}
    for bot in seating.seats:
        setup = engine.members[bot.name].setup
        series = view.series(bot.symbol, candles[bot.symbol].timeframe)
        index = int(series.close_time.searchsorted(starts[bot.name], side="right")) - 1
        price = Decimal(repr(float(series.candles.close[index])))
        found[bot.name] = problems_of(setup, price)
    return found


def refuse_fatal(problems: Mapping[str, Sequence[Problem]]) -> None:
    """Raise ConfigError naming every problem that forbids a start."""
    lines = [
        f"bot {bot!r}: {problem.message}" + (f"; {problem.remedy}" if problem.remedy else "")
        for bot, found in problems.items()
        for problem in found
        if problem.is_fatal
    ]
    if lines:
        raise ConfigError("cannot start:\n" + "\n".join(f"  {line}" for line in lines))
