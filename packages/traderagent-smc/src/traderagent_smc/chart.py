"""The memory of one series: the last candles as plain lists, as many as the detectors look back."""

from itertools import islice

from attrs import Factory, define, field

SLACK = 64


@define(eq=False)
class Chart:
    """The last `keep` candles or some more. An index counts candles from the first one ever fed.

    `lists[-1]` is the latest candle; the candle of index i stands at `i - offset`. Whoever feeds it has to `trim` it
    when `count` has come to `trim_at`.
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

    def append(self, row: tuple[int, float, float, float, float, float]) -> int:
        """Take the next candle (open time, open, high, low, close, volume) and give its index."""
        time, start, high, low, close, volume = row
        self.time.append(time)
        self.open.append(start)
        self.high.append(high)
        self.low.append(low)
        self.close.append(close)
        self.volume.append(volume)
        index = self.count
        self.count = index + 1
        return index

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

    def largest_body(self, first: int, last: int) -> float:
        """The largest |close - open| among the candles first … last."""
        start, end = first - self.offset, last - self.offset + 1
        pairs = zip(islice(self.open, start, end), islice(self.close, start, end), strict=True)
        return max(abs(close - start) for start, close in pairs)
