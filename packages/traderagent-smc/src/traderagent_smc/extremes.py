"""The highest high and the lowest low of the last candles, in the memory of a handful of them."""

from collections import deque

from attrs import Factory, define


@define(eq=False)
class WindowRange:
    """The range of the last `length` candles (of fewer, while there are fewer).

    Only candles are kept that no later one exceeds: from the oldest on `tops` fall, and so do `bottoms`, which are
    negated lows.
    """

    length: int
    tops: deque[tuple[float, int]] = Factory(deque)
    bottoms: deque[tuple[float, int]] = Factory(deque)
    count: int = 0

    def take(self, highs: list[float], lows: list[float]) -> None:
        """The next candles, if there are any."""
        if not highs:
            return
        self.count += len(highs)
        self._follow(self.tops, highs)
        self._follow(self.bottoms, [-low for low in lows])

    def _follow(self, column: deque[tuple[float, int]], values: list[float]) -> None:
        last = self.count - 1
        fresh = _unexceeded(values, last)
        while column and column[-1][0] <= fresh[-1][0]:
            column.pop()
        column.extend(reversed(fresh))
        while column[0][1] <= last - self.length:
            column.popleft()

    @property
    def height(self) -> float:
        """Highest high - lowest low."""
        return self.tops[0][0] + self.bottoms[0][0]


def _unexceeded(values: list[float], last: int) -> list[tuple[float, int]]:
    """Those values that none after them comes up to, the last one first; `last` is its index."""
    extreme = values[-1]
    found = [(extreme, last)]
    for back, value in enumerate(reversed(values)):
        if value > extreme:
            extreme = value
            found.append((value, last - back))
    return found
