"""The Python API: simulate a configuration over candles in memory."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from traderagent_core.config.load import Config, load_config
from traderagent_core.data.funding import FundingRates
from traderagent_core.errors import ConfigError, DataError
from traderagent_core.model.candle import Candles
from traderagent_core.model.position import money_context
from traderagent_core.report.bounds import Bounds, bounds
from traderagent_core.report.comparison import THIS, Compared, Comparison, compared, in_cash
from traderagent_core.report.result import Result, result_of
from traderagent_core.report.text import iso
from traderagent_core.simulator.collecting import no_cyclic_collection
from traderagent_core.simulator.given import by_symbol
from traderagent_core.simulator.outcome import Outcome
from traderagent_core.simulator.preparing import RunOptions, prepare, refuse_fatal
from traderagent_core.simulator.rivals import Rival, rivals
from traderagent_core.simulator.run import run
from traderagent_core.venue.path import PathPolicy

__all__ = ["load_config", "simulate"]

COVERAGE = (
    "Measured coverage: of 744 runs of grids on one or two weeks of BTC, the return on 5 m or 15 m candles lay "
    "inside the range of the same run on 1 h candles in 96 %, the largest drawdown in 21 %."
)
"""What `benchmarks/bounds_coverage.py` has found; printed with every range."""

BOUND_PATHS = tuple(policy.value for policy in PathPolicy)


def simulate(
    config: Config | Mapping[str, Any] | str | Path,
    candles: Candles | Iterable[Candles] | Mapping[str, Candles],
    *,
    funding: Sequence[FundingRates] = (),
    path: str | None = None,
    start_ms: int | None = None,
    end_ms: int | None = None,
    with_bounds: bool = False,
    with_comparison: bool = False,
    progress: Callable[[int], None] | None = None,
    manifest: Mapping[str, Any] | None = None,
) -> Result:
    """Back-test a configuration over candles in memory.

    `config` is a loaded configuration, a mapping in the layout of the file, or the path of a YAML file. `path`
    replaces the configured path of the price inside a candle: default, pessimistic, optimistic or next_candle.
    Candles before `start_ms` (ms UTC) only warm indicators up; `end_ms` is exclusive. `with_bounds` runs all
    paths and reports the range. `with_comparison` puts buying and holding and cash beside the run, and, where bots
    have `strategy: auto`, each of their strategies alone. Raises ConfigError or DataError for what can be mended.
    """
    loaded = config if isinstance(config, Config) else load_config(config)
    series = by_symbol(candles)
    _check_period(series, start_ms, end_ms)
    options = RunOptions(start_ms, end_ms, progress)
    with money_context(), no_cyclic_collection():
        outcome = run_path(loaded, series, funding, options, path)
        if manifest is not None:
            outcome.manifest = manifest
        further = attrs.evolve(options, progress=None)
        return result_of(
            outcome,
            bounds=_bounds(loaded, series, funding, further, outcome) if with_bounds else None,
            comparison=_comparison(loaded, series, funding, further, outcome) if with_comparison else None,
        )


def refuse_empty_period(start_ms: int | None, end_ms: int | None) -> None:
    """Raise DataError for an end that is not after the start."""
    if start_ms is not None and end_ms is not None and start_ms >= end_ms:
        raise DataError(f"the period ends at {iso(end_ms)}, which is not after its start {iso(start_ms)}")


def _check_period(candles: Mapping[str, Candles], start_ms: int | None, end_ms: int | None) -> None:
    """There must be candles after the start."""
    refuse_empty_period(start_ms, end_ms)
    if start_ms is None:
        return
    last_ms = max((int(each.open_time[-1]) + each.duration_ms for each in candles.values()), default=start_ms)
    if candles and start_ms >= last_ms:
        raise DataError(
            f"the period starts at {iso(start_ms)}, but the last candle closes at {iso(last_ms)}; "
            "start earlier, or give later candles"
        )


def run_path(
    config: Config,
    candles: Mapping[str, Candles],
    funding: Sequence[FundingRates],
    options: RunOptions,
    path: str | None = None,
) -> Outcome:
    """One run under one stated path."""
    if path is not None:
        if path not in BOUND_PATHS:
            raise ConfigError(f"unknown path {path!r}; expected one of {', '.join(BOUND_PATHS)}")
        config = attrs.evolve(config, simulation=config.simulation.model_copy(update={"path": path}))

    prepared = prepare(config, candles, funding, options)
    refuse_fatal(prepared.problems)
    return run(prepared)


def _bounds(
    config: Config,
    candles: Mapping[str, Candles],
    funding: Sequence[FundingRates],
    options: RunOptions,
    known: Outcome,
) -> Bounds:
    outcomes = {
        path: known
        if path == known.assumptions["path"]
        else run_path(config, candles, funding, options, path)
        for path in BOUND_PATHS
    }
    return bounds(outcomes, note=COVERAGE)


def _comparison(
    config: Config,
    candles: Mapping[str, Candles],
    funding: Sequence[FundingRates],
    options: RunOptions,
    known: Outcome,
) -> Comparison:
    """The run beside its rivals, which begin when it began and walk the same path."""
    times, path = known.equity.time_ms, known.assumptions["path"]
    if options.start_ms is None and len(times):
        options = attrs.evolve(options, start_ms=int(times[0]) - 1)
    config = attrs.evolve(config, simulation=config.simulation.model_copy(update={"path": path}))

    def met(rival: Rival) -> Compared:
        if rival.why_not:
            return Compared(rival.name, rival.kind, why_not=rival.why_not)
        if rival.config is None:
            return compared(rival.name, rival.kind, in_cash(known))
        try:
            outcome = run_path(rival.config, candles, funding, options)
        except (ConfigError, DataError) as error:
            return Compared(rival.name, rival.kind, why_not=str(error))
        return compared(rival.name, rival.kind, outcome)

    return Comparison((compared(THIS, "run", known), *map(met, rivals(config))))
