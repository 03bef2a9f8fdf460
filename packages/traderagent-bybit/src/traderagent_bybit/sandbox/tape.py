"""The market as a tape: where the price is at any time, a pure function of the candles.

Inside a candle the price walks the path that the simulator takes too (`venue.path`), rounded to the tick.
"""

from typing import NamedTuple

import numpy as np
from traderagent_core import Candles
from traderagent_core.model.instrument import Instrument
from traderagent_core.venue.path import PathPoints, PathPolicy, path_points, price_between


class Place(NamedTuple):
    """A place on the tape: a candle and the way travelled on its path, in quote currency."""

    candle: int
    travelled: float


class Path(NamedTuple):
    """The path of one candle: its turning points and its length."""

    points: PathPoints
    length: float


class Bar(NamedTuple):
    """Open, high, low, close and volume of any stretch of time."""

    open: float
    high: float
    low: float
    close: float
    volume: float


class Tape:
    """The candles of one instrument. A boundary belongs to the candle that closes there."""

    def __init__(self, candles: Candles, instrument: Instrument) -> None:
        self.candles = candles
        self.tick = float(instrument.tick_size)
        self.duration_ms = candles.duration_ms
        self._cached: tuple[int, Path] = (-1, Path((0.0, 0.0, 0.0, 0.0), 0.0))

    def trade(self, now_ms: int, price: float) -> int:
        """Forget what was to come after now, a boundary, and let one candle go to a price; gives its close time."""
        index = self.index_at(now_ms)
        last = self.price_at(now_ms)
        if self.open_ms(index) + self.duration_ms != now_ms:
            raise ValueError("a price can be made only when a candle has just closed")
        c, kept = self.candles, slice(0, index + 1)
        new = (last, max(last, price), min(last, price), price, 1.0)
        old = (c.open, c.high, c.low, c.close, c.volume)
        columns = [np.append(column[kept], value) for column, value in zip(old, new, strict=True)]
        times = np.append(c.open_time[kept], now_ms)
        self.candles = Candles(c.symbol, c.timeframe, times, *columns)
        self._cached = (-1, self._cached[1])
        return now_ms + self.duration_ms

    @property
    def first_ms(self) -> int:
        """Open time of the first candle."""
        return int(self.candles.open_time[0])

    @property
    def end_ms(self) -> int:
        """When the last candle closes; the price stands still from then on."""
        return int(self.candles.open_time[-1]) + self.duration_ms

    def open_ms(self, index: int) -> int:
        """Open time of a candle."""
        return int(self.candles.open_time[index])

    def index_at(self, time_ms: int) -> int:
        """The candle that a time lies in (its close included); -1 before the tape begins."""
        return int(np.searchsorted(self.candles.open_time, time_ms)) - 1

    def path(self, index: int) -> Path:
        """The path inside one candle."""
        if self._cached[0] != index:
            c = self.candles
            prices = (c.open.item(index), c.high.item(index), c.low.item(index), c.close.item(index))
            self._cached = (index, Path(*path_points(PathPolicy.DEFAULT, prices, 0)))
        return self._cached[1]

    def place(self, time_ms: int) -> Place:
        """Where the tape is at a time, which must not lie before its first candle."""
        index = self.index_at(time_ms)
        share = min((time_ms - self.open_ms(index)) / self.duration_ms, 1.0)
        return Place(index, self.path(index).length * share)

    def time_ms(self, place: Place) -> int:
        """When a place is reached."""
        length = self.path(place.candle).length
        share = place.travelled / length if length else 0.0
        return self.open_ms(place.candle) + min(int(self.duration_ms * share), self.duration_ms)

    def price(self, place: Place) -> float:
        """The price at a place: turning points as the candle has them, between them on the last tick passed."""
        points, _ = self.path(place.candle)
        start, rest = points[0], place.travelled
        for end in points[1:]:
            step = abs(end - start)
            if rest < step:
                return price_between(start, end, rest, self.tick)
            rest -= step
            start = end
        return start

    def price_at(self, time_ms: int) -> float:
        """The last price at a time."""
        return self.price(self.place(time_ms))

    def turns(self, index: int) -> tuple[float, float, float]:
        """The way travelled at the three turning points after the open of a candle."""
        (a, b, c, d), _ = self.path(index)
        first = abs(b - a)
        second = first + abs(c - b)
        return first, second, second + abs(d - c)

    def next_turn(self, place: Place) -> Place | None:
        """The first turning point, or open of a candle, after a place; None at the end of the tape."""
        for turn in self.turns(place.candle):
            if turn > place.travelled:
                return Place(place.candle, turn)
        return Place(place.candle + 1, 0.0) if place.candle + 1 < len(self.candles) else None

    def bar(self, start_ms: int, end_ms: int) -> Bar | None:
        """What the price did from `start_ms` up to `end_ms`; None when the tape has nothing there."""
        first = max(int(np.searchsorted(self.candles.open_time, start_ms - self.duration_ms, "right")), 0)
        last = self.index_at(end_ms)
        if first == last and (start_ms, end_ms - start_ms) == (self.open_ms(first), self.duration_ms):
            return self._whole(first)
        parts = [self._part(index, start_ms, end_ms) for index in {first, last} if first <= last]
        if not parts:
            return None
        parts.sort()
        bars = [part for _, part in parts]
        inner = slice(first + 1, last)
        if last - first > 1:
            c = self.candles
            whole = Bar(
                0.0, float(c.high[inner].max()), float(c.low[inner].min()), 0.0, float(c.volume[inner].sum())
            )
        else:
            whole = Bar(0.0, bars[0].high, bars[0].low, 0.0, 0.0)
        return Bar(
            bars[0].open,
            max(whole.high, *(bar.high for bar in bars)),
            min(whole.low, *(bar.low for bar in bars)),
            bars[-1].close,
            whole.volume + sum(bar.volume for bar in bars),
        )

    def _whole(self, index: int) -> Bar:
        c = self.candles
        return Bar(*(column.item(index) for column in (c.open, c.high, c.low, c.close, c.volume)))

    def _part(self, index: int, start_ms: int, end_ms: int) -> tuple[int, Bar]:
        """The part of one candle that lies between two times."""
        open_ms = self.open_ms(index)
        length = self.path(index).length
        shares = [min(max((time - open_ms) / self.duration_ms, 0.0), 1.0) for time in (start_ms, end_ms)]
        begin, end = (Place(index, length * share) for share in shares)
        prices = [self.price(begin), self.price(end)]
        points = self.path(index).points
        inner = [
            p
            for p, turn in zip(points[1:], self.turns(index), strict=True)
            if begin.travelled < turn < end.travelled
        ]
        volume = self.candles.volume.item(index) * (shares[1] - shares[0])
        return index, Bar(prices[0], max(*prices, *inner), min(*prices, *inner), prices[1], volume)
