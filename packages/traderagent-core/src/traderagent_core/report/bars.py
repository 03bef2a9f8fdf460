"""Bars of a chart: candles as they are, or aggregated to what a screen can show."""

from bisect import bisect_left

import numpy as np
from attrs import Factory, field, frozen

from traderagent_core.model.candle import Candles, FloatColumn, TimeColumn
from traderagent_core.model.timeframe import timeframe_name
from traderagent_core.report.curve import first_of_each_step, step_for


@frozen(eq=False)
class Bars:
    """Candles of one symbol, aggregated to `timeframe`."""

    timeframe: str
    step_ms: int
    open_time: TimeColumn
    open: FloatColumn
    high: FloatColumn
    low: FloatColumn
    close: FloatColumn
    _times: list[int] = field(
        init=False, default=Factory(lambda self: self.open_time.tolist(), takes_self=True)
    )

    def __len__(self) -> int:
        return len(self.open_time)

    @property
    def start_ms(self) -> int:
        """When the first bar opened."""
        return self._times[0]

    @property
    def end_ms(self) -> int:
        """When the last bar closes."""
        return self._times[-1] + self.step_ms

    def index_of(self, time_ms: int) -> int:
        """The bar in which something at `time_ms` happened; a close on a boundary belongs to the bar it ends."""
        return max(0, bisect_left(self._times, time_ms) - 1)

    def indexes_of(self, times_ms: TimeColumn) -> TimeColumn:
        """`index_of` of a whole column."""
        return np.maximum(self.open_time.searchsorted(times_ms) - 1, 0)

    def holds(self, from_ms: int, to_ms: int) -> bool:
        """Whether a span of time has a part on this chart."""
        return to_ms > self.start_ms and from_ms <= self.end_ms


def bars(candles: Candles, limit: int) -> Bars:
    """At most about `limit` bars: the candles themselves, or aggregated to the finest usual step that fits."""
    if len(candles) <= limit:
        return aggregated(candles, candles.duration_ms)
    span = int(candles.open_time[-1] - candles.open_time[0]) + candles.duration_ms
    return aggregated(candles, step_for(span, limit, candles.duration_ms))


def latest_bars(candles: Candles, step_ms: int, limit: int) -> Bars:
    """The latest bars of a step, at most `limit` of them; the first one is whole."""
    start_ms = (int(candles.open_time[-1]) // step_ms - limit + 1) * step_ms
    return aggregated(candles.between(start_ms, None), step_ms)


def aggregated(candles: Candles, step_ms: int) -> Bars:
    """Candles as bars of a step, which is at least as long as theirs."""
    times = candles.open_time
    if step_ms == candles.duration_ms:
        columns = candles.open, candles.high, candles.low, candles.close
        return Bars(candles.timeframe, step_ms, times, *columns)
    first = first_of_each_step(times, step_ms)
    last = np.append(first[1:], len(times)) - 1
    return Bars(
        timeframe_name(step_ms),
        step_ms,
        times[first] // step_ms * step_ms,
        candles.open[first],
        np.maximum.reduceat(candles.high, first),
        np.minimum.reduceat(candles.low, first),
        candles.close[last],
    )
