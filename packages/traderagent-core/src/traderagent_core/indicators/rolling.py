"""Rolling extremes: highest high and lowest low."""

from typing import ClassVar

import numpy as np
from attrs import define, field, frozen

from traderagent_core.indicators.base import Indicator, Running, at_least
from traderagent_core.indicators.extremes import WindowMaximum
from traderagent_core.indicators.series import SeriesRunning, Source, check_source
from traderagent_core.model.candle import FloatColumn


@frozen
class Highest(Indicator):
    """The highest high of the last `period` candles."""

    name: ClassVar[str] = "highest"
    period: int = field(validator=at_least(1))
    source: Source = field(default="high", validator=check_source)

    @property
    def warm_up(self) -> int:
        return self.period - 1

    def start(self) -> Running:
        return SeriesRunning(self.key, self.source, WindowMaximum(self.period))


@frozen
class Lowest(Indicator):
    """The lowest low of the last `period` candles."""

    name: ClassVar[str] = "lowest"
    period: int = field(validator=at_least(1))
    source: Source = field(default="low", validator=check_source)

    @property
    def warm_up(self) -> int:
        return self.period - 1

    def start(self) -> Running:
        return SeriesRunning(self.key, self.source, WindowMinimum(WindowMaximum(self.period)))


@define(eq=False)
class WindowMinimum:
    """The smallest value of a window: the largest of the negatives, which is exact."""

    negatives: WindowMaximum

    def push(self, value: float) -> float:
        """Take one value; the smallest of the window, nan while it fills."""
        return -self.negatives.push(-value)

    def advance(self, values: FloatColumn) -> FloatColumn:
        """Take a column; the smallest of each window."""
        largest = self.negatives.advance(-values)
        return np.negative(largest, out=largest)

    def save(self) -> tuple[float, ...]:
        """The state as plain floats."""
        return self.negatives.save()

    def load(self, values: tuple[float, ...]) -> None:
        """Take over what `save` gave."""
        self.negatives.load(values)
