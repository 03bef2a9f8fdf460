"""Real series for the benchmarks, from the folder that TRADERAGENT_DATA names; nothing of it is kept here."""

import os
import sys
from pathlib import Path

from traderagent_core import Candles
from traderagent_core.data.loading import load_for_backtest

VARIABLE = "TRADERAGENT_DATA"
MENDABLE = 2


def data_folder() -> Path:
    """The folder of real series; leaves with exit code 2 and says how to mend it when there is none."""
    told = os.environ.get(VARIABLE)
    if told and Path(told).is_dir():
        return Path(told)
    found = f"is {told!r}, which is no folder" if told else "is not set"
    print(f"{VARIABLE} {found}; set it to a folder of exchange_market_BASE-QUOTE_… files", file=sys.stderr)
    sys.exit(MENDABLE)


def series_files(folder: Path, exchange: str, market: str, symbol: str, timeframe: str) -> list[Path]:
    """The files of one series, oldest first; leaves with exit code 2 when there are none."""
    pattern = f"{exchange}_{market}_{symbol.replace('/', '-')}_{timeframe}_*.csv.gz"
    found = sorted(folder.glob(pattern))
    if not found:
        print(f"no file {pattern} in {folder}; name another folder in {VARIABLE}", file=sys.stderr)
        sys.exit(MENDABLE)
    return found


def read_candles(path: Path, symbol: str) -> Candles:
    """The candles of one file."""
    return load_for_backtest(path, [symbol], "1h").candles[symbol]
