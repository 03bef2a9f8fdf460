"""The correlation monitor: whether most couples of traded symbols move alike.

Pearson's correlation of log returns over a window of candles, of those candles for which both symbols have a return.
A symbol has a return where it has this close and the one a candle before; a gap takes its two returns out, and
nothing is filled in. A couple is known when enough of the window remains and neither symbol stood still; stress is
when more than a given part of the known couples is correlated highly.

Returns are counted in whole steps of 2**-22 (0.24 millionths) and cut at ±1, a factor of 2.7 within a candle. So all
sums are sums of integers and exact: a window that slides by adding and subtracting and one that is summed anew give
the same to the last bit, in any order. With at most 720 candles n Σxx − (Σx)² is at most 720² · 2**44, below 2**63.
"""

from collections.abc import Sequence
from math import ceil, inf, log, nan

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from traderagent_core.config.coordinator import CorrelationConfig
from traderagent_core.model.candle import Candles, FloatColumn, TimeColumn
from traderagent_core.model.timeframe import timeframe_ms

STEPS = 2**22
"""Steps of a log return of 1."""

Whole = NDArray[np.int64]


@frozen(eq=False)
class StressTimeline:
    """What the monitor says at each close of any of its symbols; times in ms UTC."""

    time_ms: TimeColumn
    known: NDArray[np.int64]
    alike: NDArray[np.int64]
    is_stressed: NDArray[np.bool_]

    def changes(self) -> list[tuple[int, bool]]:
        """The closes at which the word changes, and to what; it is False before the first."""
        rows = np.flatnonzero(np.diff(self.is_stressed, prepend=False))
        return [(int(self.time_ms[row]), bool(self.is_stressed[row])) for row in rows]


def stress_columns(config: CorrelationConfig, series: Sequence[Candles]) -> StressTimeline:
    """The monitor's words over whole histories, one series of `config.timeframe` for each symbol.

    All candles of all symbols lie whole candles apart.
    """
    step = timeframe_ms(config.timeframe)
    closes = [candles.open_time + step for candles in series]
    ends = [times[[0, -1]] for times in closes if len(times)]
    if not ends:
        empty = np.empty(0, np.int64)
        return StressTimeline(empty, empty, empty, empty.astype(bool))
    first = int(min(start for start, _ in ends))
    rows = (int(max(last for _, last in ends)) - first) // step + 1
    returns, has_return = np.zeros((len(series), rows), np.int64), np.zeros((len(series), rows), np.int64)
    is_close = np.zeros(rows, bool)
    for place, (times, candles) in enumerate(zip(closes, series, strict=True)):
        at = (times - first) // step
        is_close[at] = True
        _lay_returns(at, np.asarray(candles.close), returns[place], has_return[place])
    known, alike = _count_couples(config, returns, has_return)
    is_stressed = stressed_where(config, known, alike)
    at = np.flatnonzero(is_close)
    return StressTimeline(first + at * step, known[at], alike[at], is_stressed[at])


def _lay_returns(at: TimeColumn, close: FloatColumn, returns: Whole, has_return: Whole) -> None:
    follows = np.flatnonzero(np.diff(at) == 1) + 1
    # Not numpy's logarithm, whose last bit may differ between one value and a column of them.
    logs = np.fromiter(map(_log, (close[follows] / close[follows - 1]).tolist()), np.float64, len(follows))
    is_known = ~np.isnan(logs)
    rows = at[follows][is_known]
    returns[rows] = np.clip(np.rint(logs[is_known] * STEPS), -STEPS, STEPS)
    has_return[rows] = 1


def _log(ratio: float) -> float:
    """The log return of two closes, nan where there is none."""
    return log(ratio) if 0.0 < ratio < inf else nan


def _count_couples(config: CorrelationConfig, returns: Whole, has_return: Whole) -> tuple[Whole, Whole]:
    """How many couples are known and how many of them move alike, at each row; one symbol with all after it."""
    known, alike = np.zeros(returns.shape[1], np.int64), np.zeros(returns.shape[1], np.int64)
    squares = returns * returns
    for place in range(len(returns) - 1):
        after = slice(place + 1, None)
        shared = [
            has_return[place] * has_return[after],
            returns[place] * has_return[after],
            has_return[place] * returns[after],
            squares[place] * has_return[after],
            has_return[place] * squares[after],
            returns[place] * returns[after],
        ]
        is_known, is_alike = judge(config, *(_window_sums(each, config.window) for each in shared))
        known += is_known.sum(axis=0)
        alike += is_alike.sum(axis=0)
    return known, alike


def _window_sums(values: Whole, window: int) -> Whole:
    """Sums over the last `window` values of each row, of fewer at its beginning."""
    sums = np.add.accumulate(values, axis=1)
    sums[:, window:] -= sums[:, :-window].copy()
    return sums


def judge(
    config: CorrelationConfig, count: Whole, x: Whole, y: Whole, xx: Whole, yy: Whole, xy: Whole
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether couples are known and whether they move alike, from the sums over their windows."""
    spread_x, spread_y = count * xx - x * x, count * yy - y * y
    is_known = (count >= ceil(config.window * config.least_overlap_ratio)) & (spread_x > 0) & (spread_y > 0)
    together = np.sqrt(spread_x.astype(np.float64)) * np.sqrt(spread_y.astype(np.float64))
    correlation = np.divide(count * xy - x * y, together, out=np.full(count.shape, nan), where=is_known)
    return is_known, correlation > float(config.high_correlation)


def stressed_where(config: CorrelationConfig, known: Whole, alike: Whole) -> NDArray[np.bool_]:
    """Whether so many couples of those that are known are stress."""
    part: FloatColumn = alike / np.maximum(known, 1)
    return part > float(config.stressed_ratio)
