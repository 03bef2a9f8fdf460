"""What the portfolio of `examples/` costs on real hours: its parts in this process, and the whole command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import evolve, frozen
from figures import Figure
from market_data import data_folder, series_files
from processes import HERE, TRADERAGENT, measure_process
from timing import measure
from traderagent_core import Result, load_config, simulate
from traderagent_core.backtest import Request
from traderagent_core.cli.times import UTC_TIME
from traderagent_core.config.load import Config
from traderagent_core.data.loading import LoadedData

CONFIG = HERE.parent / "examples" / "portfolio.yaml"
COMMON = ("2020-12-01", "2021-07-16")
LONG = ("2020-08-18", "2024-12-31")
MAJORS = tuple(f"{name}/USDT" for name in ("BTC", "ETH", "BNB", "XRP", "ADA", "SOL", "DOGE", "DOT"))
MOST_REPETITIONS = 3


@frozen
class Portfolio:
    """A configuration with its candles in memory."""

    config: Config
    data: LoadedData
    start_ms: int
    end_ms: int

    def run(self, *, is_filtered: bool = True) -> Result:
        """One run, with the configured filters or without any."""
        config = self.config if is_filtered else evolve(self.config, filters=())
        return simulate(config, self.data.candles, start_ms=self.start_ms, end_ms=self.end_ms)


def portfolios(repetitions: int) -> list[Figure]:
    """All figures; leaves with exit code 2 where there are no real series."""
    repetitions = min(repetitions, MOST_REPETITIONS)
    config = load_config(CONFIG)
    with hours(config) as folder:
        return [
            *_parts("35 pairs, 7.5 months", config, folder, repetitions),
            *_command(folder, repetitions),
            *_majors(config, folder, repetitions),
        ]


def _parts(name: str, config: Config, folder: Path, repetitions: int) -> Iterator[Figure]:
    loaded = loaded_portfolio(config, folder, COMMON)
    result = loaded.run()
    events = f"{result.metrics.events:,} events, {result.metrics.fills:,} fills"
    with TemporaryDirectory() as out:
        work = {
            "reading files": lambda: loaded_portfolio(config, folder, COMMON),
            "a run without the SMC filter": lambda: loaded.run(is_filtered=False),
            "a run with it": loaded.run,
            "a run with it, and its files written": lambda: loaded.run().write(out),
        }
        for part, timing in measure(work, repetitions).items():
            note = events if part == "a run with it" else ""
            yield Figure.of(f"{name}: {part}", "s", timing.read(), note=note)


def _command(folder: Path, repetitions: int) -> list[Figure]:
    """`traderagent backtest` in a process of its own."""
    with TemporaryDirectory() as out:
        period = ("--from", COMMON[0], "--to", COMMON[1])
        files = ("--config", str(CONFIG), "--data", str(folder), "--out", out)
        times = measure_process([TRADERAGENT, "backtest", *files, *period], repetitions)
        size = sum(path.stat().st_size for path in Path(out).iterdir()) / 1e6
    return [
        Figure.of("traderagent backtest, 35 pairs", "s", times.timing.read(), wanted=10.0),
        Figure("  its peak memory", "MB", times.peak_mb, wanted=400.0),
        Figure("  its files", "MB", size),
    ]


def _majors(config: Config, folder: Path, repetitions: int) -> Iterator[Figure]:
    eight = evolve(config, bots=tuple(bot for bot in config.bots if bot.symbol in MAJORS))
    loaded = loaded_portfolio(eight, folder, LONG)
    (timing,) = measure({"run": loaded.run}, repetitions).values()
    yield Figure.of("8 majors, 52 months: a run with the SMC filter", "s", timing.read(), wanted=20.0)


def loaded_portfolio(config: Config, folder: Path, period: tuple[str, str]) -> Portfolio:
    start_ms, end_ms = (UTC_TIME.convert(day, None, None) for day in period)
    return Portfolio(config, Request(config, folder, start_ms, end_ms).load(), start_ms, end_ms)


@contextmanager
def hours(config: Config) -> Iterator[Path]:
    """A folder with nothing but the hourly series: a run takes the finest candles that it finds."""
    with TemporaryDirectory() as place:
        for bot in config.bots:
            for path in series_files(data_folder(), "binance", "spot", bot.symbol, "1h"):
                (Path(place) / path.name).symlink_to(path)
        yield Path(place)
