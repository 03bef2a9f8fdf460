"""What a closed candle must be before it is taken: finite, in order, high not below low."""

from math import isfinite

import numpy as np
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


def check_candles(candles: Candles, last_open_ms: int | None) -> int:
    """The number of holes in time; raises DataError as `check_candle` does for the first wrong candle."""
    times = candles.open_time
    before = times[:1] - timeframe_ms(candles.timeframe) if last_open_ms is None else [last_open_ms]
    steps = np.diff(times, prepend=before)
    sums = candles.open + candles.high + candles.low + candles.close + candles.volume
    is_wrong = ~np.isfinite(sums) | (candles.high < candles.low) | (steps <= 0)
    if is_wrong.any():
        index = int(is_wrong.argmax())
        last = int(times[index] - steps[index]) if index or last_open_ms is not None else None
        check_candle(candles.candle(index), last, candles.timeframe)
    return int((steps > timeframe_ms(candles.timeframe)).sum())


def _said(timeframe: str, open_time: int, found: str, remedy: str) -> str:
    return (
        f"the {timeframe} candle opened at {open_time} ms UTC {found}; "
        f"expected finite numbers, high >= low and rising times; {remedy}"
    )
