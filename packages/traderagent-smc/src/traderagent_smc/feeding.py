"""What a closed candle must be before it is taken: finite, in order, high not below low."""

from collections.abc import Sequence
from math import isfinite
from operator import ge

from traderagent_core import Candle, Candles, DataError
from traderagent_core.model.timeframe import timeframe_ms


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


def check_candles(candles: Sequence[Candle], last_open_ms: int | None, timeframe: str) -> int:
    """The number of holes in time; raises DataError as `check_candle` does for the first wrong candle."""
    if candles and last_open_ms is not None and _are_as_usual(candles, last_open_ms, timeframe_ms(timeframe)):
        return 0
    holes = 0
    for candle in candles:
        holes += check_candle(candle, last_open_ms, timeframe)
        last_open_ms = candle.open_time
    return holes


def _are_as_usual(candles: Sequence[Candle], last_open_ms: int, length_ms: int) -> bool:
    """Whether candles follow each other, finite and in order; told of all of them in a few calls."""
    times, *columns = zip(*candles, strict=True)
    if times != tuple(
        range(last_open_ms + length_ms, last_open_ms + length_ms * (len(times) + 1), length_ms)
    ):
        return False
    return isfinite(sum(map(sum, columns))) and all(map(ge, columns[1], columns[2]))


def plain_rows(candles: Candles) -> list[Candle]:
    """The candles as plain Python numbers."""
    columns = (candles.open_time, candles.open, candles.high, candles.low, candles.close, candles.volume)
    return [*map(Candle._make, zip(*[column.tolist() for column in columns], strict=True))]


def _said(timeframe: str, open_time: int, found: str, remedy: str) -> str:
    return (
        f"the {timeframe} candle opened at {open_time} ms UTC {found}; "
        f"expected finite numbers, high >= low and rising times; {remedy}"
    )
