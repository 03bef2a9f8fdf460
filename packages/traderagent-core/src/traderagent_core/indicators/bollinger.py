"""Bollinger bands: mean of the close plus and minus a number of population standard deviations."""

from math import inf
from typing import ClassVar

from attrs import define, field, frozen

from traderagent_core.indicators.base import Indicator, Running, at_least, ratio, ratio_column
from traderagent_core.indicators.series import column
from traderagent_core.indicators.windows import Window
from traderagent_core.model.candle import Candle, Candles, FloatColumn


def _check_deviations(owner: Indicator, _attribute: object, value: float) -> None:
    if not 0.0 < value < inf:
        raise ValueError(f"{owner.name}: deviations must be a finite number above 0, got {value!r}")


@frozen
class _Bollinger(Indicator):
    period: int = field(validator=at_least(1))
    deviations: float = field(default=2.0, converter=float, validator=_check_deviations)

    @property
    def warm_up(self) -> int:
        return self.period - 1


@frozen
class BollingerUpper(_Bollinger):
    """Upper band: mean + deviations × standard deviation of the last `period` closes. The middle is `Sma`."""

    name: ClassVar[str] = "bollinger_upper"

    def start(self) -> Running:
        return _BandRunning(self.key, Window(self.period), self.deviations)


@frozen
class BollingerLower(_Bollinger):
    """Lower band: mean - deviations × standard deviation of the last `period` closes. The middle is `Sma`."""

    name: ClassVar[str] = "bollinger_lower"

    def start(self) -> Running:
        return _BandRunning(self.key, Window(self.period), -self.deviations)


@frozen
class BollingerWidth(_Bollinger):
    """(upper - lower) / middle, a ratio: 0.04 is a band four per cent of the price wide."""

    name: ClassVar[str] = "bollinger_width"

    def start(self) -> Running:
        return _WidthRunning(self.key, Window(self.period), 2.0 * self.deviations)


@define(eq=False)
class _BollingerRunning(Running):
    window: Window
    factor: float

    def _save(self) -> tuple[float, ...]:
        return self.window.save()

    def _load(self, values: tuple[float, ...]) -> None:
        self.window.load(values)


@define(eq=False)
class _BandRunning(_BollingerRunning):
    def update(self, candle: Candle) -> float:
        self.window.push(candle.close)
        return self.window.mean + self.factor * self.window.deviation

    def _advance(self, candles: Candles) -> FloatColumn:
        means, deviations = self.window.advance_means_and_deviations(column(candles, "close"))
        deviations *= self.factor
        deviations += means
        return deviations


@define(eq=False)
class _WidthRunning(_BollingerRunning):
    def update(self, candle: Candle) -> float:
        self.window.push(candle.close)
        return ratio(self.factor * self.window.deviation, self.window.mean)

    def _advance(self, candles: Candles) -> FloatColumn:
        means, deviations = self.window.advance_means_and_deviations(column(candles, "close"))
        deviations *= self.factor
        return ratio_column(deviations, means)
