"""The highest high and the lowest low of the last candles, in the memory of a handful of them."""

from collections import deque
from collections.abc import Callable
from operator import gt, lt

from attrs import Factory, define


@define(eq=False)
class WindowRange:
    """The range of the last `length` candles (of fewer, while there are fewer).

    Only candles are kept that no later one exceeds: `tops` fall and `bottoms` rise from the oldest on.
    """

    length: int
    tops: deque[tuple[float, int]] = Factory(deque)
    bottoms: deque[tuple[float, int]] = Factory(deque)
    count: int = 0

    def take(self, highs: list[float], lows: list[float]) -> None:
        """The next candles, if there are any."""
        if not highs:
            return
        tops, bottoms, first = self.tops, self.bottoms, self.count
        last = first + len(highs) - 1
        self.count = last + 1
        fresh = _unexceeded(highs, last, gt)
        while tops and tops[-1][0] <= fresh[-1][0]:
            tops.pop()
        tops.extend(reversed(fresh))
        fresh = _unexceeded(lows, last, lt)
        while bottoms and bottoms[-1][0] >= fresh[-1][0]:
            bottoms.pop()
        bottoms.extend(reversed(fresh))
        for column in (tops, bottoms):
            while column[0][1] <= last - self.length:
                column.popleft()

    @property
    def height(self) -> float:
        """Highest high - lowest low."""
        return self.tops[0][0] - self.bottoms[0][0]


def _unexceeded(
    values: list[float], last: int, is_beyond: Callable[[float, float], bool]
) -> list[tuple[float, int]]:
    """Those values that none after them comes up to, the last one first; `last` is its index."""
    extreme = values[-1]
    found = [(extreme, last)]
    for back, value in enumerate(reversed(values)):
        if is_beyond(value, extreme):
            extreme = value
            found.append((value, last - back))
    return found


def latest(choose: Callable[[list[float]], float], window: list[float], count: int) -> tuple[float, int]:
    """The extreme of a window that ends at candle `count` - 1, and the index of its last appearance."""
    value = choose(window)
    window.reverse()
    return value, count - 1 - window.index(value)
