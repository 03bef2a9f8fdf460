"""The memory of one series: the last candles as plain lists, as many as the detectors look back."""

from collections.abc import Sequence
from typing import Any

from attrs import Factory, define, field

SLACK = 64
Columns = Sequence[list[Any]]
"""Open times, opens, highs, lows, closes and volumes of the same candles."""


@define(eq=False)
class Chart:
    """The last `keep` candles or some more. An index counts candles from the first one ever fed.

    The candle of index i stands at `i - offset` of the lists. While a burst is taken in, candles stand here that the
    detectors have not come to yet: at candle t they look no further than `t - offset`. Whoever feeds it has to `trim`
    it when `count` has come to `trim_at`.
    """

    keep: int
    count: int = 0
    offset: int = 0
    trim_at: int = field()
    time: list[int] = Factory(list)
    open: list[float] = Factory(list)
    high: list[float] = Factory(list)
    low: list[float] = Factory(list)
    close: list[float] = Factory(list)
    volume: list[float] = Factory(list)

    @trim_at.default
    def _first_trim(self) -> int:
        return 2 * self.keep + SLACK

    def extend(self, columns: Columns) -> None:
        """Take the next candles."""
        times, opens, highs, lows, closes, volumes = columns
        self.time += times
        self.open += opens
        self.high += highs
        self.low += lows
        self.close += closes
        self.volume += volumes
        self.count += len(times)

    def trim(self) -> None:
        """Forget all but the last `keep` candles."""
        extra = len(self.time) - self.keep
        for column in (self.time, self.open, self.high, self.low, self.close, self.volume):
            del column[:extra]
        self.offset += extra
        self.trim_at = self.count + self.keep + SLACK

    def row(self, index: int) -> tuple[int, float, float, float, float, float]:
        """A candle that is still remembered."""
        at = index - self.offset
        return (
            self.time[at],
            self.open[at],
            self.high[at],
            self.low[at],
            self.close[at],
            self.volume[at],
        )
