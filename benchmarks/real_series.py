"""Back-tests one grid configuration each on the longest hourly series of XRP, BTC, ETH and SOL.

    TRADERAGENT_DATA=… python benchmarks/real_series.py --out traderagent-out/real

Prints the key figures in one table and writes the full results of each series into a folder of its own.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from market_data import data_folder, series_files
from traderagent_core import Catalogue, load_config
from traderagent_core.backtest import Request, run_request
from traderagent_core.data.importing import import_files
from traderagent_core.report.result import Result
from traderagent_core.report.terminal import aligned

CONFIGS = Path(__file__).parent / "configs"
NAMES = ("xrp", "btc", "eth", "sol")
IMPORTED_AT_MS = 1_735_689_600_000  # 2025-01-01, after the last candle; any time does
HEAD = (
    "series",
    "candles",
    "days",
    "ROI",
    "hold",
    "max drawdown",
    "cycles",
    "fills",
    "ambiguous",
    "run",
    "files written",
)


def main() -> None:
    """Import the files into a catalogue, run the four configurations, print the table."""
    given = _arguments()
    with TemporaryDirectory() as place:
        catalogue = Catalogue(place)
        rows = [_row(name, catalogue, given.out / name) for name in NAMES]
    print(aligned([HEAD, *rows]))
    print(
        "run: from candles in memory to metrics; hold: buying at the first open and keeping to the last close"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for a folder of results per series")
    return parser.parse_args()


def _row(name: str, catalogue: Catalogue, out: Path) -> Sequence[str]:
    config = load_config(CONFIGS / f"{name}.yaml")
    symbol = config.bots[0].symbol
    files = series_files(data_folder(), "binance", "spot", symbol, "1h")
    import_files(catalogue, files, imported_at_ms=IMPORTED_AT_MS)
    request = Request(config, catalogue.root)
    loaded = request.load()
    start = time.perf_counter()
    result = run_request(request, loaded)
    simulated = time.perf_counter()
    result.write(out)
    return _cells(result, symbol, simulated - start, time.perf_counter() - simulated)


def _cells(result: Result, symbol: str, run_seconds: float, write_seconds: float) -> Sequence[str]:
    metrics, candles = result.metrics, result.outcome.candles[symbol]
    hold = float(candles.close[-1] / candles.open[0]) - 1
    return (
        symbol,
        f"{len(candles):,}",
        f"{metrics.days:,.0f}",
        _percent(metrics.roi),
        _percent(hold),
        _percent(metrics.max_drawdown),
        f"{metrics.cycles:,}",
        f"{metrics.fills:,}",
        _percent(metrics.ambiguous_fills_ratio),
        f"{run_seconds:.2f} s",
        f"{write_seconds:.2f} s",
    )


def _percent(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio * 100:,.1f} %"


if __name__ == "__main__":
    main()
