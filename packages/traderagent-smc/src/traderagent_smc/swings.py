"""Swing highs and lows: known `length` candles after they happened, and never moved afterwards."""

from math import inf
from typing import NamedTuple

from attrs import Factory, define

from traderagent_smc.chart import Chart
from traderagent_smc.extremes import latest

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

    `active` is the end of the list of alternating swings: its last four.
    """

    chart: Chart
    length: int
    active: list[Swing] = Factory(list)
    top: float = -inf
    top_at: int = -1
    bottom: float = inf
    bottom_at: int = -1

    def update(self, t: int, high: float, low: float) -> SwingNews | None:
        """Judge the candidate of candle t, which the chart has already taken."""
        oldest = t - 2 * self.length
        if high >= self.top:
            self.top, self.top_at = high, t
        elif self.top_at <= oldest:
            self.top, self.top_at = latest(max, self.chart.high[-2 * self.length :], t + 1)
        if low <= self.bottom:
            self.bottom, self.bottom_at = low, t
        elif self.bottom_at <= oldest:
            self.bottom, self.bottom_at = latest(min, self.chart.low[-2 * self.length :], t + 1)
        if t < 3 * self.length - 1:
            return None
        at = -1 - self.length
        if self.chart.high[at] == self.top:
            return self._confirm(Swing(t - self.length, HIGH, self.top, t))
        if self.chart.low[at] == self.bottom:
            return self._confirm(Swing(t - self.length, LOW, self.bottom, t))
        return None

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
