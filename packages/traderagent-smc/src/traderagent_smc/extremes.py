"""The highest high and the lowest low of the last candles, in the memory of a handful of them."""

from collections import deque
from collections.abc import Callable

from attrs import Factory, define


@define(eq=False)
class WindowRange:
    """The range of the last `length` candles (of fewer, while there are fewer).

    Only candles are kept that no later one exceeds: `tops` fall and `bottoms` rise from the oldest on.
    """

    length: int
    tops: deque[tuple[float, int]] = Factory(deque)
    bottoms: deque[tuple[float, int]] = Factory(deque)

    def take(self, t: int, high: float, low: float) -> None:
        """The candle of index t, the next one."""
        tops, bottoms = self.tops, self.bottoms
        while tops and tops[-1][0] <= high:
            tops.pop()
        tops.append((high, t))
        if tops[0][1] <= t - self.length:
            tops.popleft()
        while bottoms and bottoms[-1][0] >= low:
            bottoms.pop()
        bottoms.append((low, t))
        if bottoms[0][1] <= t - self.length:
            bottoms.popleft()

    @property
    def height(self) -> float:
        """Highest high - lowest low."""
        return self.tops[0][0] - self.bottoms[0][0]


def latest(choose: Callable[[list[float]], float], window: list[float], count: int) -> tuple[float, int]:
    """The extreme of a window that ends at candle `count` - 1, and the index of its last appearance."""
    value = choose(window)
    window.reverse()
    return value, count - 1 - window.index(value)
