"""Sums over a sliding window without drift, the same for one value and a whole column to the last bit.

Time is cut into blocks as long as the window, counted from the anchor. A window is then the tail of one block
and the head of the next: both are plain sequential sums that never hold a value outside the window, so
nothing drifts and nothing large is subtracted again. Sums are of deviations from the first value of the newer
block, which is always inside the window: a constant price has exactly itself as mean and 0 as deviation, and
cancellation costs the variance at most a factor of the window length (shifted data; Chan and others 1983).
"""

from math import nan, sqrt

import numpy as np
from attrs import define, field

from traderagent_core.model.candle import FloatColumn


@define(eq=False)
class Window:
    """The last `length` values of one series: their mean and population standard deviation."""

    length: int
    _older: list[float] = field(factory=list, init=False)  # the whole block before, empty at first
    _newer: list[float] = field(factory=list, init=False)  # the block being filled
    _tail_sums: list[float] = field(factory=list, init=False)
    _tail_squares: list[float] = field(factory=list, init=False)
    _sum: float = field(default=0.0, init=False)
    _squares: float = field(default=0.0, init=False)
    # The last results of `push`.
    mean: float = field(default=nan, init=False)
    deviation: float = field(default=nan, init=False)

    def push(self, value: float) -> None:
        """Take one value; `mean` and `deviation` are then those of the window that ends with it."""
        if len(self._newer) == self.length:
            self._older, self._newer = self._newer, []
        place = len(self._newer)
        if place == 0:
            self._turn(value)
        self._newer.append(value)
        reference = self._newer[0]
        apart = value - reference
        self._sum += apart
        self._squares += apart * apart
        if not self._older and place + 1 < self.length:
            return
        shift = (self._sum + self._tail_sums[place]) / self.length
        variance = (self._squares + self._tail_squares[place]) / self.length - shift * shift
        self.mean = reference + shift
        self.deviation = sqrt(variance) if variance > 0.0 else 0.0

    def _turn(self, reference: float) -> None:
        """Begin a block: sum the one before backwards; entry j holds what is left of it beside place j."""
        self._sum = self._squares = total = squares = 0.0
        sums, all_squares = [0.0], [0.0]
        for value in reversed(self._older[1:]):
            apart = value - reference
            total += apart
            squares += apart * apart
            sums.append(total)
            all_squares.append(squares)
        sums.reverse()
        all_squares.reverse()
        # Before there is an older block only the last place of the first one is read.
        missing = self.length - len(sums)
        self._tail_sums = [0.0] * missing + sums
        self._tail_squares = [0.0] * missing + all_squares

    def advance_means(self, values: FloatColumn) -> FloatColumn:
        """Take a column; its means, nan while the window fills."""
        blocks, first, last = self._blocks(values)
        shifts = _window_sums(blocks, power=1)
        shifts /= self.length
        shifts += blocks[:, :1]
        return self._finish(shifts, first, last)

    def advance_means_and_deviations(self, values: FloatColumn) -> tuple[FloatColumn, FloatColumn]:
        """Take a column; its means and population standard deviations, nan while the window fills."""
        blocks, first, last = self._blocks(values)
        shifts = _window_sums(blocks, power=1)
        shifts /= self.length
        variances = _window_sums(blocks, power=2)
        variances /= self.length
        variances -= shifts * shifts
        deviations = np.sqrt(np.maximum(variances, 0.0, out=variances), out=variances)
        shifts += blocks[:, :1]
        return self._finish(shifts, first, last), self._finish(deviations, first, last)

    def _blocks(self, values: FloatColumn) -> tuple[FloatColumn, int, int]:
        """Known and new values, one block a row, and where the new ones stand; takes the new ones in."""
        known = self._older + self._newer
        first, last = len(known), len(known) + len(values)
        flat = np.empty(-(-last // self.length) * self.length)
        flat[:first] = known
        flat[first:last] = values
        flat[last:] = flat[last - 1]
        self._take(flat, last)
        return flat.reshape(-1, self.length), first, last

    def _take(self, flat: FloatColumn, last: int) -> None:
        start = (last - 1) // self.length * self.length
        self._older = flat[max(start - self.length, 0) : start].tolist()
        self._newer = flat[start:last].tolist()
        self._rebuild()

    def _rebuild(self) -> None:
        """The running sums that pushing the kept values one by one leaves."""
        if self._newer:
            again, self._newer = self._newer, []
            for value in again:
                self.push(value)

    def _finish(self, grid: FloatColumn, first: int, last: int) -> FloatColumn:
        flat = grid.reshape(-1)
        if first < self.length:
            flat[: self.length - 1] = nan
        return flat[first:last]

    def save(self) -> tuple[float, ...]:
        """The state as plain floats: how many belong to the older block, then both blocks."""
        return (float(len(self._older)), *self._older, *self._newer)

    def load(self, values: tuple[float, ...]) -> None:
        """Take over what `save` gave."""
        split = 1 + int(values[0])
        self._older, self._newer = list(values[1:split]), list(values[split:])
        self._rebuild()


def _window_sums(blocks: FloatColumn, *, power: int) -> FloatColumn:
    """Sums, over the window ending at each place, of deviations (or squares) from its block's first value."""
    apart = blocks - blocks[:, :1]
    sums = _running_sums(apart if power == 1 else apart * apart)
    before = blocks[:-1, :0:-1] - blocks[1:, :1]
    tails = _running_sums(before if power == 1 else before * before)
    sums[1:, :-1] += tails[:, ::-1]
    return sums


def _running_sums(rows: FloatColumn) -> FloatColumn:
    sums: FloatColumn = np.add.accumulate(rows, axis=1)
    return sums
