"""Array passes over an equity curve: drawdown, day ends, thinning. All work on columns of millions of points."""

from itertools import pairwise

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from traderagent_core.model.candle import FloatColumn, TimeColumn
from traderagent_core.model.timeframe import DAY_MS, timeframe_ms

IndexColumn = NDArray[np.intp]

# Steps that people know from charts, ascending.
_STEPS_MS = tuple(
    timeframe_ms(name)
    for name in ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d", "3d", "1w", "4w", "13w")
)
_BLOCK = 4096


@frozen
class Drawdown:
    """The deepest fall from a peak: `ratio` of the peak; indexes into the curve, peak -1 is the start."""

    ratio: float
    peak: int
    trough: int


def max_drawdown(equity: FloatColumn, starting_equity: float) -> Drawdown | None:
    """The deepest drawdown, the starting equity counting as the first peak; None for a curve never below it.

    Magdon-Ismail & Atiya, "Maximum drawdown" (Risk, 2004). Only blocks whose extremes could hold a deeper
    fall than one already certain are looked at point by point.
    """
    if len(equity) == 0 or starting_equity <= 0:
        return None
    starts = np.arange(0, len(equity), _BLOCK)
    highs = np.maximum.reduceat(equity, starts)
    lows = np.minimum.reduceat(equity, starts)
    peaks = np.maximum(np.maximum.accumulate(highs), starting_equity)
    before = np.concatenate(([starting_equity], peaks[:-1]))
    certain = float(np.max(1.0 - lows / before))
    candidates = np.flatnonzero(1.0 - lows / peaks >= certain)
    ratio, trough = max(
        (_deepest(equity, int(starts[block]), float(before[block])) for block in candidates),
        key=lambda found: (found[0], -found[1]),
    )
    return Drawdown(ratio, _peak_before(equity, trough, starting_equity), trough) if ratio > 0 else None


def drawdown_column(equity: FloatColumn, starting_equity: float) -> FloatColumn:
    """Drawdown at each point as a ratio of the highest equity so far; zeros when nothing was there to lose."""
    if len(equity) == 0 or starting_equity <= 0:
        return np.zeros(len(equity))
    peaks = np.maximum.accumulate(equity)
    np.maximum(peaks, starting_equity, out=peaks)
    np.divide(equity, peaks, out=peaks)
    return np.subtract(1.0, peaks, out=peaks)


def daily_returns(
    time_ms: TimeColumn, equity: FloatColumn, start_ms: int, starting_equity: float
) -> FloatColumn:
    """Return of each UTC day from the day of `start_ms` on; together they compound to the whole change.

    A close at midnight ends the day before. The first and the last day may be unfinished. A day without a
    point, and a day that begins with nothing left, returns 0.
    """
    if len(time_ms) == 0:
        return np.empty(0)
    first = start_ms // DAY_MS + 1
    last = max(first, -(-int(time_ms[-1]) // DAY_MS))
    ends = np.arange(first, last + 1, dtype=np.int64) * DAY_MS
    index = np.searchsorted(time_ms, ends, side="right") - 1
    values = np.concatenate(([starting_equity], np.where(index < 0, starting_equity, equity[index])))
    before = values[:-1]
    returns = np.zeros(len(ends))
    np.divide(np.diff(values), before, out=returns, where=before > 0)
    return returns


def step_for(span_ms: int, limit: int, least_ms: int) -> int:
    """The finest usual step, at least `least_ms`, that cuts a span into no more than about `limit` parts."""
    for step in _STEPS_MS:
        if step >= least_ms and span_ms <= step * limit:
            return step
    coarsest = _STEPS_MS[-1]
    return coarsest * -(-span_ms // (coarsest * limit))


def last_of_each_step(close_ms: TimeColumn, step_ms: int) -> IndexColumn:
    """Index of the last close within each step; a close on a boundary belongs to the step that it ends."""
    if len(close_ms) == 0:
        return np.empty(0, dtype=np.intp)
    buckets = (close_ms - 1) // step_ms
    return np.append(np.flatnonzero(buckets[1:] != buckets[:-1]), len(close_ms) - 1)


def first_of_each_step(open_ms: TimeColumn, step_ms: int) -> IndexColumn:
    """Index of the first open within each step."""
    if len(open_ms) == 0:
        return np.empty(0, dtype=np.intp)
    buckets = open_ms // step_ms
    return np.concatenate(([0], np.flatnonzero(buckets[1:] != buckets[:-1]) + 1))


def outline_times(time_ms: TimeColumn, parts: int) -> TimeColumn:
    """Times to draw an `outline` at: four, evenly spread, in each of `parts` equal slices."""
    if len(time_ms) <= 4 * parts:
        return time_ms
    places = [np.linspace(first, end - 1, 4, dtype=np.intp) for first, end in _slices(len(time_ms), parts)]
    times: TimeColumn = time_ms[np.concatenate(places)]
    return times


def outline(values: FloatColumn, parts: int) -> FloatColumn:
    """First, least, greatest and last value of each of `parts` equal slices, extremes in the order they came.

    Every slice gives four values, so that a chart that spaces its points evenly keeps time undistorted.
    """
    if len(values) <= 4 * parts:
        return values
    kept: list[int] = []
    for first, end in _slices(len(values), parts):
        part = values[first:end]
        extremes = sorted((int(part.argmin()), int(part.argmax())))
        kept += (first, first + extremes[0], first + extremes[1], end - 1)
    return values[kept]


def _slices(length: int, parts: int) -> list[tuple[int, int]]:
    return list(pairwise(length * part // parts for part in range(parts + 1)))


def _deepest(equity: FloatColumn, start: int, peak_before: float) -> tuple[float, int]:
    falls = drawdown_column(equity[start : start + _BLOCK], peak_before)
    index = int(falls.argmax())
    return float(falls[index]), start + index


def _peak_before(equity: FloatColumn, trough: int, starting_equity: float) -> int:
    peak = int(equity[: trough + 1].argmax())
    return peak if equity[peak] > starting_equity else -1
