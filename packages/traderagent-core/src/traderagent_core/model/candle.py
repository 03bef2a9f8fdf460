"""Candles: one closed bar, and a series of them as columns."""

from typing import NamedTuple

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from traderagent_core.model.timeframe import timeframe_ms

FloatColumn = NDArray[np.float64]
TimeColumn = NDArray[np.int64]


class Candle(NamedTuple):
    """One closed candle; `open_time` in ms UTC, prices in quote currency, volume in base units."""

    open_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@frozen(eq=False)
class Candles:
    """A series of closed candles of one instrument as equally long columns, oldest first.

    `open_time` is int64 ms UTC and strictly increasing; it may have gaps. The other columns are float64.
    Columns may be memory-mapped and read-only.
    """

    symbol: str
    timeframe: str
    open_time: TimeColumn
    open: FloatColumn
    high: FloatColumn
    low: FloatColumn
    close: FloatColumn
    volume: FloatColumn

    def __len__(self) -> int:
        return len(self.open_time)

    def __getitem__(self, part: slice) -> "Candles":
        """The candles of a slice, without copying."""
        return Candles(
            self.symbol,
            self.timeframe,
            self.open_time[part],
            self.open[part],
            self.high[part],
            self.low[part],
            self.close[part],
            self.volume[part],
        )

    @property
    def duration_ms(self) -> int:
        """Length of one candle in ms."""
        return timeframe_ms(self.timeframe)

    def candle(self, index: int) -> Candle:
        """One candle as plain Python numbers."""
        return Candle(
            self.open_time.item(index),
            self.open.item(index),
            self.high.item(index),
            self.low.item(index),
            self.close.item(index),
            self.volume.item(index),
        )

    def between(self, start_ms: int | None, end_ms: int | None) -> "Candles":
        """Candles with start <= open_time < end; None leaves that side open."""
        first = 0 if start_ms is None else int(np.searchsorted(self.open_time, start_ms))
        last = len(self) if end_ms is None else int(np.searchsorted(self.open_time, end_ms))
        return self[first:last]
