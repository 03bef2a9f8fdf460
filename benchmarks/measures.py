"""What the benchmarks measure inside one process: quiet candles, fills, whole runs, and where their time goes."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from statistics import median

from attrs import astuple, evolve
from figures import Figure
from indicators import indicator_columns
from setups import (
    FILLS_BY_LEVELS,
    FILLS_BY_WIDTH,
    FILLS_SERIES,
    HOURLY,
    LONG,
    MINUTES_GRID,
    PLANNED,
    QUIET_BASE,
    QUIET_FACTORS,
    SETUPS,
    Grid,
    Setup,
    spread,
)
from stages import checked_run, run_driver, stages
from timing import Reading, Timing, measure, slope
from traderagent_core import Candles, simulate
from traderagent_core.config.load import Config

NANO, MICRO, MILLI = 1e9, 1e6, 1e3
QUIET_WANTED_NS = 2.0
FILL_WANTED_US = 20.0


def quiet_candles(repetitions: int) -> list[Figure]:
    """Cost of a candle on which nothing happens: the same fills among more and more flat candles."""
    base = QUIET_BASE.candles()
    series = {factor: spread(base, factor) for factor in QUIET_FACTORS}
    figures = []
    for timeframe in ("1m", "1h"):
        config = evolve(MINUTES_GRID, timeframe=timeframe).config()
        fills = {factor: checked_run(config, candles).metrics.fills for factor, candles in series.items()}
        if len(set(fills.values())) != 1:
            raise AssertionError(f"spreading changed the fills: {fills}")
        work: dict[tuple[str, int], Callable[[], object]] = {}
        for factor, candles in series.items():
            work["driver", factor] = partial(run_driver, config, candles)
            work["whole", factor] = partial(simulate, config, candles)
        times = measure(work, repetitions)
        sizes = [len(candles) for candles in series.values()]
        note = f"bot on {timeframe}; {fills[1]} fills among {sizes[0]:,} to {sizes[-1]:,} minutes"
        for part, told in (
            ("driver", "quiet candle, without equity and metrics"),
            ("whole", "quiet candle, whole run"),
        ):
            found = slope(sizes, [times[part, factor] for factor in QUIET_FACTORS]).scaled(NANO)
            wanted = QUIET_WANTED_NS if (part, timeframe) == ("driver", "1m") else None
            figures.append(Figure.of(told, "ns", found, wanted=wanted, note=note))
    return figures


def fills(repetitions: int) -> list[Figure]:
    """Cost of a fill with its counter order: the same candles, grids that fill more and more often."""
    candles = FILLS_SERIES.candles()
    return [
        *_fill_slopes("more levels", FILLS_BY_LEVELS, candles, repetitions),
        *_fill_slopes("narrower range", FILLS_BY_WIDTH, candles, repetitions),
    ]


def _fill_slopes(how: str, grids: Sequence[Grid], candles: Candles, repetitions: int) -> list[Figure]:
    configs = [grid.config() for grid in grids]
    counts = [checked_run(config, candles).metrics.fills for config in configs]
    work: dict[tuple[str, int], Callable[[], object]] = {}
    for index, config in enumerate(configs):
        work["driver", index] = partial(run_driver, config, candles)
        work["whole", index] = partial(simulate, config, candles)
    times = measure(work, repetitions)
    figures = []
    for part, told in (
        ("driver", "fill, up to its records"),
        ("whole", "fill, with rows, trades, equity and metrics"),
    ):
        found = [times[part, index] for index in range(len(grids))]
        note = f"{how}: {counts[0]:,} to {counts[-1]:,} fills"
        figures.append(_per_fill(told, counts, found, note, FILL_WANTED_US))
        figures += [
            _per_fill("  one more fill", between, pair, f"between {between[0]:,} and {between[1]:,} fills")
            for between, pair in zip(pairwise(counts), pairwise(found), strict=True)
        ]
    return figures


def whole_runs(repetitions: int) -> list[Figure]:
    """The three whole runs with their wanted times; every fill of them is proved to have passed the engine."""
    return [_whole_run(setup, repetitions) for setup in SETUPS]


def _whole_run(setup: Setup, repetitions: int) -> Figure:
    config, candles = setup.bot.config(), setup.series.candles()
    metrics = checked_run(config, candles).metrics
    times = measure({"": partial(simulate, config, candles)}, repetitions)[""]
    note = f"{metrics.fills:,} fills, {metrics.events:,} events, each through Engine.step; {setup.bot}"
    found = times.read().scaled(MILLI)
    return Figure.of(setup.name, "ms", found, wanted=setup.wanted_ms, note=note)


def planned_runs(repetitions: int) -> list[Figure]:
    """Whole runs of DCA and trend, whose plans, callbacks and stops cost more than a grid's; indicators apart."""
    return [figure for setup in PLANNED for figure in _planned_run(setup, repetitions)]


def _planned_run(setup: Setup, repetitions: int) -> list[Figure]:
    config, candles = setup.bot.config(), setup.series.candles()
    metrics = checked_run(config, candles).metrics
    work: dict[str, Callable[[], object]] = {
        "run": partial(simulate, config, candles),
        "indicators": partial(indicator_columns, config, candles),
    }
    times = measure(work, repetitions)
    run, columns = (times[part].read().scaled(MILLI) for part in ("run", "indicators"))
    rest = Reading(*(whole - part for whole, part in zip(astuple(run), astuple(columns), strict=True)))
    note = f"{metrics.fills:,} fills, {metrics.events:,} events, each through Engine.step; {setup.bot}"
    of_run, of_rest = (None, setup.wanted_ms) if setup.is_after_indicators else (setup.wanted_ms, None)
    per_fill = rest.scaled(MICRO / MILLI / metrics.fills)
    return [
        Figure.of(setup.name, "ms", run, wanted=of_run, note=note),
        Figure.of("  its indicators", "ms", columns),
        Figure.of("  after indicators", "ms", rest, wanted=of_rest),
        Figure.of("  for each fill, all of it", "µs", per_fill),
    ]


def where_time_goes(repetitions: int) -> dict[str, list[Figure]]:
    """Parts of a run by set-up: first coarsely, then with the driver split into its parts."""
    found = {}
    for setup in (HOURLY, LONG):
        config, candles = setup.bot.config(), setup.series.candles()
        found[setup.name] = _parts(config, candles, repetitions, is_fine=False)
        found[f"{setup.name}, driver split (clocks on every call slow it down)"] = _parts(
            config, candles, repetitions, is_fine=True
        )
    return found


def _parts(config: Config, candles: Candles, repetitions: int, *, is_fine: bool) -> list[Figure]:
    stages(config, candles, is_fine=is_fine)
    runs = [stages(config, candles, is_fine=is_fine) for _ in range(repetitions)]
    typical = median(sum(run.values()) for run in runs)
    figures = []
    for part in runs[0]:
        seconds = [run[part] for run in runs]
        share = f"{median(seconds) / typical:.0%}"
        figures.append(Figure(part, "ms", median(seconds) * MILLI, min(seconds) * MILLI, note=share))
    return figures


def _per_fill(
    name: str, counts: Sequence[int], timings: Sequence[Timing], note: str, wanted: float | None = None
) -> Figure:
    return Figure.of(name, "µs", slope(counts, timings).scaled(MICRO), wanted=wanted, note=note)
