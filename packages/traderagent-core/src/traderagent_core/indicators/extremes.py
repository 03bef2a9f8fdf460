"""The largest value of a sliding window: a falling queue for single values, doubling for columns. Exact."""

from collections import deque
from math import inf, nan

import numpy as np
from attrs import define, field

from traderagent_core.model.candle import FloatColumn


@define(eq=False)
class WindowMaximum:
    """The largest of the last `length` values; O(1) amortised, holds at most `length` values."""

    length: int
    _count: int = field(default=0, init=False)
    # (number of the value since the anchor, value), values falling: each one may still become the largest.
    _candidates: deque[tuple[int, float]] = field(factory=deque, init=False)

    def push(self, value: float) -> float:
        """Take one value; the largest of the window, nan while it fills."""
        self._queue(value)
        return self._candidates[0][1] if self._count >= self.length else nan

    def _queue(self, value: float) -> None:
        queue = self._candidates
        while queue and queue[-1][1] <= value:
            queue.pop()
        queue.append((self._count, value))
        self._count += 1
        if queue[0][0] <= self._count - 1 - self.length:
            queue.popleft()

    def advance(self, values: FloatColumn) -> FloatColumn:
        """Take a column; the largest of each window, nan while it fills."""
        missing = max(self.length - 1 - self._count, 0)
        padded = np.concatenate([self._history(), values])
        largest = _sliding_maximum(padded, self.length)
        largest[:missing] = nan
        self._skip(len(values))
        for value in values[-self.length :].tolist():
            self._queue(value)
        return largest

    def _history(self) -> FloatColumn:
        """The length - 1 values before, with -inf for those that cannot be the largest any more."""
        history = np.full(self.length - 1, -inf)
        for number, value in self._candidates:
            place = number - self._count + self.length - 1
            if place >= 0:
                history[place] = value
        return history

    def _skip(self, arriving: int) -> None:
        """Count the values that arrive and leave again within one column."""
        if arriving > self.length:
            self._candidates.clear()
            self._count += arriving - self.length

    def save(self) -> tuple[float, ...]:
        """The state as plain floats: the count, then number and value of each candidate."""
        return (float(self._count), *(float(part) for pair in self._candidates for part in pair))

    def load(self, values: tuple[float, ...]) -> None:
        """Take over what `save` gave."""
        self._count = int(values[0])
        numbers, candidates = values[1::2], values[2::2]
        self._candidates = deque((int(n), v) for n, v in zip(numbers, candidates, strict=True))


def _sliding_maximum(values: FloatColumn, length: int) -> FloatColumn:
    """Maxima of all whole windows: of 1, 2, 4 … values, and at last two that overlap."""
    largest, width = values.copy(), 1
    while width < length:
        step = min(width, length - width)
        largest = np.maximum(largest[:-step], largest[step:])
        width += step
    return largest
