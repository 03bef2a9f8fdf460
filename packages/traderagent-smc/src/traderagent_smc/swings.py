"""Swing highs and lows: known `length` candles after they happened, and never moved afterwards."""

from collections.abc import Callable
from typing import NamedTuple

from attrs import Factory, define, field

from traderagent_smc.chart import Chart

HIGH = 1
LOW = -1
TAIL = 4


@define(eq=False)
class Swing:
    """One swing. It is active from `confirmed_at` to `superseded_at`; equal means never."""

    idx: int
    direction: int
    level: float
    confirmed_at: int
    superseded_at: int | None = None

    @property
    def is_active(self) -> bool:
        """Whether it stands in the list of alternating highs and lows."""
        return self.superseded_at is None


class SwingNews(NamedTuple):
    """A confirmed swing, and the one of the same type whose place it took."""

    swing: Swing
    replaced: Swing | None


@define(eq=False)
class Swings:
    """Candidate i is judged at t = i + length: the extreme of length - 1 candles before it and length after it.

    `high_at` and `low_at` are the next candles at which there is a candidate to judge, and `due` the first of the
    two: a candle in the shade of a more extreme one is none. `active` is the end of the list of alternating swings:
    its last four.
    """

    chart: Chart
    length: int
    active: list[Swing] = Factory(list)
    high_at: int = field()
    low_at: int = field()
    due: int = field()

    @high_at.default
    @low_at.default
    @due.default
    def _first(self) -> int:
        return 3 * self.length - 1

    def update(self, t: int) -> SwingNews | None:
        """Judge the candidates of candle t, which the chart has already taken; needed where t has come to `due`."""
        is_high = is_low = False
        if t == self.high_at:
            is_high, self.high_at = self._judged(t, self.chart.high, max, HIGH)
        if t == self.low_at:
            is_low, self.low_at = self._judged(t, self.chart.low, min, LOW)
        self.due = min(self.high_at, self.low_at)
        at = t - self.length - self.chart.offset
        if is_high:
            return self._confirm(Swing(t - self.length, HIGH, self.chart.high[at], t))
        if is_low:
            return self._confirm(Swing(t - self.length, LOW, self.chart.low[at], t))
        return None

    def _judged(
        self, t: int, column: list[float], extreme: Callable[[list[float]], float], sign: int
    ) -> tuple[bool, int]:
        """Whether the candidate of candle t is a swing, and when the next candle is judged that can be one."""
        length, at = self.length, t - self.length - self.chart.offset
        level, later = column[at], column[at + 1 : at + length + 1]
        best = extreme(later)
        if (best - level) * sign > 0.0:
            # All before the best one have it after them.
            return False, t + 1 + later.index(best)
        earlier = column[at - length + 1 : at]
        earlier.reverse()
        for back, value in enumerate(earlier, start=1):
            if (value - level) * sign > 0.0:
                # None after the candidate is better than it: while this one is near, they are in its shade.
                return False, t + length - back
        return True, t + 1 + later.index(best) if best == level else t + length

    def _confirm(self, swing: Swing) -> SwingNews:
        active = self.active
        if not active or active[-1].direction != swing.direction:
            active.append(swing)
            del active[:-TAIL]
            return SwingNews(swing, None)
        last = active[-1]
        if (swing.level - last.level) * swing.direction > 0:
            last.superseded_at = swing.confirmed_at
            active[-1] = swing
            return SwingNews(swing, last)
        swing.superseded_at = swing.confirmed_at
        return SwingNews(swing, None)
