"""What a closed candle must be before it is taken: finite, in order, high not below low."""

from collections.abc import Iterator
from itertools import repeat
from math import isfinite
from operator import ge, sub

from traderagent_core import Candle, Candles, DataError
from traderagent_core.model.timeframe import timeframe_ms

from traderagent_smc.chart import Columns


def check_candle(candle: Candle, last_open_ms: int | None, timeframe: str) -> int:
    """1 when there is a hole in time before it, else 0; raises DataError when it cannot come next."""
    open_time, start, high, low, close, volume = candle
    # A sum is finite unless one of its parts is not, or it is past any price.
    if not isfinite(start + high + low + close + volume):
        raise DataError(_said(timeframe, open_time, "holds a number that is not finite", "import it again"))
    if high < low:
        raise DataError(
            _said(timeframe, open_time, f"has a high {high} below its low {low}", "import it again")
        )
    if last_open_ms is None:
        return 0
    if open_time <= last_open_ms:
        raise DataError(
            _said(timeframe, open_time, f"comes after the one of {last_open_ms}", "sort and deduplicate")
        )
    return int(open_time > last_open_ms + timeframe_ms(timeframe))


def check_columns(columns: Columns, last_open_ms: int | None, timeframe: str) -> int:
    """The number of holes in time; raises DataError as `check_candle` does for the first wrong candle."""
    times, length_ms = columns[0], timeframe_ms(timeframe)
    if not times:
        return 0
    before = times[0] - length_ms if last_open_ms is None else last_open_ms
    if _are_numbers(columns):
        if times == [*range(before + length_ms, before + length_ms * (len(times) + 1), length_ms)]:
            return 0
        steps = [*map(sub, times, [before, *times])]
        if min(steps) > 0:
            return sum(step > length_ms for step in steps)
    holes = 0
    for candle in rows_of(columns):
        holes += check_candle(candle, last_open_ms, timeframe)
        last_open_ms = candle.open_time
    return holes


def _are_numbers(columns: Columns) -> bool:
    """Whether candles are finite and in order; told of all of them in a few calls."""
    _, opens, highs, lows, closes, volumes = columns
    total = sum(opens) + sum(highs) + sum(lows) + sum(closes) + sum(volumes)
    return isfinite(total) and all(map(ge, highs, lows))


def plain_columns(candles: Candles) -> Columns:
    """The candles as lists of plain Python numbers."""
    columns = (candles.open_time, candles.open, candles.high, candles.low, candles.close, candles.volume)
    return [column.tolist() for column in columns]


def rows_of(columns: Columns) -> Iterator[Candle]:
    """The candles one by one; a named tuple made this way takes a third of the time of calling its class."""
    return map(tuple.__new__, repeat(Candle), zip(*columns, strict=True))


def _said(timeframe: str, open_time: int, found: str, remedy: str) -> str:
    return (
        f"the {timeframe} candle opened at {open_time} ms UTC {found}; "
        f"expected finite numbers, high >= low and rising times; {remedy}"
    )
