"""Higher candles from base candles, on boundaries that are the same for everyone."""

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from traderagent_core.errors import DataError
from traderagent_core.model.candle import Candles, FloatColumn
from traderagent_core.model.timeframe import DAY_MS, timeframe_ms

_WEEK_MS = 7 * DAY_MS
_FIRST_MONDAY_MS = 4 * DAY_MS  # 1970-01-05; the epoch itself is a Thursday.


@frozen(eq=False)
class Resampled:
    """Higher candles and how many base candles each is made of; fewer than `full_count` means a partial one."""

    candles: Candles
    counts: NDArray[np.int64]
    full_count: int

    @property
    def partial(self) -> NDArray[np.int64]:
        """Indices of the candles whose window lacks base candles."""
        return np.flatnonzero(self.counts < self.full_count)


def grid_offset_ms(timeframe: str) -> int:
    """Where windows of a timeframe start, as an offset from the epoch: Monday 00:00 UTC for weeks, else 0."""
    return _FIRST_MONDAY_MS if timeframe_ms(timeframe) % _WEEK_MS == 0 else 0


def divides(base: str, timeframe: str) -> bool:
    """Whether candles of `timeframe` can be built from those of `base`."""
    if timeframe_ms(timeframe) % timeframe_ms(base):
        return False
    return base == timeframe or (grid_offset_ms(timeframe) - grid_offset_ms(base)) % timeframe_ms(base) == 0


def require_divides(symbol: str, base: str, timeframe: str) -> None:
    """Raise DataError when candles of `timeframe` cannot be built from those of `base`."""
    if not divides(base, timeframe):
        raise DataError(
            f"{timeframe} candles of {symbol} cannot be built from {base} candles; "
            f"expected a multiple of {base}; choose another timeframe or import finer data"
        )


def resample(candles: Candles, timeframe: str, *, keep_incomplete: bool = False) -> Candles:
    """Candles of a higher timeframe; see `resample_with_counts`."""
    return resample_with_counts(candles, timeframe, keep_incomplete=keep_incomplete).candles


def resample_with_counts(candles: Candles, timeframe: str, *, keep_incomplete: bool = False) -> Resampled:
    """Builds higher candles from whatever base candles their windows hold; missing ones are not invented.

    Windows lie on multiples of the timeframe since the epoch, weeks on Mondays. The last window is dropped while its
    last base candle is missing, unless `keep_incomplete`. Volume is added up candle by candle in order of time, so a
    candle fed one by one gives the same last bit. Raises DataError when the timeframe is no multiple of the base.
    """
    require_divides(candles.symbol, candles.timeframe, timeframe)
    length = timeframe_ms(timeframe)
    full_count = length // candles.duration_ms
    if full_count == 1 or not len(candles):
        return Resampled(_renamed(candles, timeframe), np.ones(len(candles), dtype=np.int64), full_count)
    offset = grid_offset_ms(timeframe)
    bounds = _window_bounds(candles.open_time, length, offset)
    last_end = (int(candles.open_time[-1]) - offset) // length * length + offset + length
    if not keep_incomplete and int(candles.open_time[-1]) + candles.duration_ms < last_end:
        bounds = bounds[:-1]
    return _combined(candles, timeframe, bounds, full_count)


def _renamed(candles: Candles, timeframe: str) -> Candles:
    return candles if candles.timeframe == timeframe else _with_timeframe(candles, timeframe)


def _with_timeframe(candles: Candles, timeframe: str) -> Candles:
    columns = (candles.open_time, candles.open, candles.high, candles.low, candles.close, candles.volume)
    return Candles(candles.symbol, timeframe, *columns)


def _window_bounds(open_time: NDArray[np.int64], length: int, offset: int) -> NDArray[np.int64]:
    """Index of the first candle of each window, and the end of the last one."""
    windows = (open_time - offset) // length
    changes = np.flatnonzero(windows[1:] != windows[:-1]) + 1
    return np.concatenate(([0], changes, [len(open_time)])).astype(np.int64)


def _combined(candles: Candles, timeframe: str, bounds: NDArray[np.int64], full_count: int) -> Resampled:
    starts, ends = bounds[:-1], bounds[1:]
    if not len(starts):
        return Resampled(_with_timeframe(candles[:0], timeframe), np.empty(0, dtype=np.int64), full_count)
    used = candles[: int(ends[-1])]
    length, offset = timeframe_ms(timeframe), grid_offset_ms(timeframe)
    higher = Candles(
        candles.symbol,
        timeframe,
        (used.open_time[starts] - offset) // length * length + offset,
        used.open[starts],
        np.maximum.reduceat(used.high, starts),
        np.minimum.reduceat(used.low, starts),
        used.close[ends - 1],
        _sums_in_order(used.volume, starts, ends - starts),
    )
    return Resampled(higher, ends - starts, full_count)


def _sums_in_order(values: FloatColumn, starts: NDArray[np.int64], counts: NDArray[np.int64]) -> FloatColumn:
    """Sums of windows, each from left to right: numpy's own sums add pairwise and differ in the last bit."""
    by_size = np.argsort(-counts, kind="stable")
    sizes, firsts = counts[by_size], starts[by_size]
    descending = -sizes
    sums = values[firsts].astype(np.float64, copy=True)
    for step in range(1, int(sizes[0])):
        active = int(np.searchsorted(descending, -step, side="left"))
        sums[:active] += values[firsts[:active] + step]
    result = np.empty_like(sums)
    result[by_size] = sums
    return result
