"""What the benchmarks measure from outside: start-up of the command line, a back-test from disk, peak memory."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from figures import Figure
from processes import HERE, TRADERAGENT, ProcessTimes, measure_process
from setups import HOURLY, MINUTES, MINUTES_GRID, Setup
from traderagent_core import Catalogue
from traderagent_core.data.columns import checksum
from traderagent_core.data.names import SeriesKey
from traderagent_core.data.series_info import Source


def start_up() -> list[Figure]:
    """`--help`, `plugins list` and a back-test of the hourly set-up from a catalogue to result.json."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        catalogue = _catalogue(folder, HOURLY)
        config = folder / "grid.yaml"
        config.write_text(json.dumps(HOURLY.bot.mapping()), encoding="utf-8")
        run = ("backtest", "--config", str(config), "--data", str(catalogue), "--out", str(folder / "out"))
        return [
            *_command("traderagent --help", ("--help",), 150.0, None),
            *_command("traderagent plugins list", ("plugins", "list"), 500.0, 60.0),
            *_command("traderagent backtest, 67,922 hours", run, 1500.0, None),
        ]


def peak_memory() -> list[Figure]:
    """A run over a million minutes in a process of its own."""
    with TemporaryDirectory() as place:
        catalogue = _catalogue(Path(place), MINUTES)
        grid = MINUTES_GRID
        arguments = [
            str(catalogue),
            MINUTES.series.timeframe,
            *map(str, (grid.lower, grid.upper, grid.levels)),
        ]
        times = measure_process([sys.executable, str(HERE / "one_run.py"), *arguments])
    return _figures(f"process: {MINUTES.name}", times, None, 250.0)


def _command(
    name: str, arguments: Sequence[str], wanted_ms: float | None, wanted_mb: float | None
) -> list[Figure]:
    return _figures(name, measure_process([TRADERAGENT, *arguments]), wanted_ms, wanted_mb)


def _figures(
    name: str, times: ProcessTimes, wanted_ms: float | None, wanted_mb: float | None
) -> list[Figure]:
    return [
        Figure.of(name, "ms", times.timing.read().scaled(1e3), wanted=wanted_ms),
        Figure("  its peak memory", "MB", times.peak_mb, wanted=wanted_mb),
    ]


def _catalogue(folder: Path, setup: Setup) -> Path:
    """A catalogue with the candles of a set-up."""
    root, candles = folder / "catalogue", setup.series.candles()
    source = Source(f"generated: {setup.series}", checksum(candles), int(candles.open_time[-1]))
    Catalogue(root).write(
        SeriesKey("generated", "spot", candles.symbol, candles.timeframe), candles, source=source
    )
    return root
