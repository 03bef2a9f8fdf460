"""Moving averages: exponential, simple, and of the volume."""

from typing import ClassVar

from attrs import define, field, frozen

from traderagent_core.indicators.base import Indicator, Running, at_least
from traderagent_core.indicators.series import SeriesRunning, Source, check_source
from traderagent_core.indicators.smoothing import exponential_mean
from traderagent_core.indicators.windows import Window
from traderagent_core.model.candle import FloatColumn


@frozen
class Ema(Indicator):
    """Exponential mean: factor 2 / (period + 1), seeded by the mean of the first `period` values."""

    name: ClassVar[str] = "ema"
    period: int = field(validator=at_least(1))
    source: Source = field(default="close", validator=check_source)

    @property
    def warm_up(self) -> int:
        return self.period - 1

    def start(self) -> Running:
        return SeriesRunning(self.key, self.source, exponential_mean(self.period))


@frozen
class Sma(Indicator):
    """Mean of the last `period` values."""

    name: ClassVar[str] = "sma"
    period: int = field(validator=at_least(1))
    source: Source = field(default="close", validator=check_source)

    @property
    def warm_up(self) -> int:
        return self.period - 1

    def start(self) -> Running:
        return SeriesRunning(self.key, self.source, WindowMean(Window(self.period)))


@frozen
class VolumeMean(Indicator):
    """Mean of the last `period` volumes, in base units."""

    name: ClassVar[str] = "volume_mean"
    period: int = field(validator=at_least(1))

    @property
    def warm_up(self) -> int:
        return self.period - 1

    def start(self) -> Running:
        return SeriesRunning(self.key, "volume", WindowMean(Window(self.period)))


@define(eq=False)
class WindowMean:
    """The mean of a window as a kernel."""

    window: Window

    def push(self, value: float) -> float:
        """Take one value; the mean, nan while the window fills."""
        self.window.push(value)
        return self.window.mean

    def advance(self, values: FloatColumn) -> FloatColumn:
        """Take a column; its means."""
        return self.window.advance_means(values)

    def save(self) -> tuple[float, ...]:
        """The state as plain floats."""
        return self.window.save()

    def load(self, values: tuple[float, ...]) -> None:
        """Take over what `save` gave."""
        self.window.load(values)
