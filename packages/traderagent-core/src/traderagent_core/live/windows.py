"""Builds candles of a higher timeframe from base candles, one by one, as `data.resampling` does in columns."""

from collections.abc import Iterator

from attrs import define

from traderagent_core.data.resampling import grid_offset_ms
from traderagent_core.model.candle import Candle
from traderagent_core.model.timeframe import timeframe_ms


@define(eq=False)
class Window:
    """The candle of one timeframe that is being built; base candles that are missing are not invented."""

    length_ms: int
    offset_ms: int
    base_ms: int
    _open: Candle | None = None

    @classmethod
    def of(cls, timeframe: str, base: str) -> "Window":
        """An empty window of a timeframe over base candles of another."""
        return cls(timeframe_ms(timeframe), grid_offset_ms(timeframe), timeframe_ms(base))

    @property
    def end_ms(self) -> int | None:
        """When the candle that is being built closes; None while there is none."""
        return None if self._open is None else self._open.open_time + self.length_ms

    def add(self, candle: Candle) -> Iterator[Candle]:
        """Take the next base candle; gives the candles that this closes."""
        start = (candle.open_time - self.offset_ms) // self.length_ms * self.length_ms + self.offset_ms
        yield from self.close_until(start)
        self._open = _joined(self._open, candle, start)
        yield from self.close_until(candle.open_time + self.base_ms)

    def close_until(self, time_ms: int) -> Iterator[Candle]:
        """The candle that is over by a time, whether or not its last base candle was there."""
        done = self._open
        if done is not None and done.open_time + self.length_ms <= time_ms:
            self._open = None
            yield done


def _joined(former: Candle | None, candle: Candle, start: int) -> Candle:
    if former is None:
        return candle._replace(open_time=start)
    return Candle(
        start,
        former.open,
        max(former.high, candle.high),
        min(former.low, candle.low),
        candle.close,
        former.volume + candle.volume,
    )
