"""Average true range (Wilder 1978), in price units and as a ratio of the close."""

from typing import ClassVar

import numpy as np
from attrs import define, field, frozen

from traderagent_core.indicators.base import Indicator, Running, at_least, ratio, ratio_column
from traderagent_core.indicators.pairs import PairRunning, shifted
from traderagent_core.indicators.series import column
from traderagent_core.indicators.smoothing import Smoother, wilder_mean
from traderagent_core.model.candle import Candle, Candles, FloatColumn


@frozen
class Atr(Indicator):
    """Wilder's mean of the true range, in quote currency; the first candle has no true range."""

    name: ClassVar[str] = "atr"
    period: int = field(validator=at_least(1))

    @property
    def warm_up(self) -> int:
        return self.period

    def start(self) -> Running:
        return _AtrRunning(self.key, wilder_mean(self.period))


@frozen
class AtrRatio(Indicator):
    """ATR / close: 0.01 is a mean range of one per cent of the price."""

    name: ClassVar[str] = "atr_ratio"
    period: int = field(validator=at_least(1))

    @property
    def warm_up(self) -> int:
        return self.period

    def start(self) -> Running:
        return _AtrRatioRunning(self.key, wilder_mean(self.period))


def true_range(candle: Candle, before: Candle) -> float:
    """The range of a candle extended to the close before; as high >= low, the largest of Wilder's three."""
    close = before.close
    top = candle.high if candle.high > close else close
    bottom = candle.low if candle.low < close else close
    return top - bottom


def true_range_column(candles: Candles, before: Candle) -> FloatColumn:
    """The batch twin of `true_range`."""
    close = shifted(column(candles, "close"), before.close)
    top = np.maximum(column(candles, "high"), close)
    top -= np.minimum(column(candles, "low"), close, out=close)
    return top


@define(eq=False)
class _AtrRunning(PairRunning):
    ranges: Smoother

    def _step(self, candle: Candle, before: Candle) -> float:
        return self.ranges.push(true_range(candle, before))

    def _advance_pairs(self, candles: Candles, before: Candle) -> FloatColumn:
        return self.ranges.advance(true_range_column(candles, before))

    def _smoothers(self) -> tuple[Smoother, ...]:
        return (self.ranges,)


@define(eq=False)
class _AtrRatioRunning(_AtrRunning):
    def _step(self, candle: Candle, before: Candle) -> float:
        return ratio(self.ranges.push(true_range(candle, before)), candle.close)

    def _advance_pairs(self, candles: Candles, before: Candle) -> FloatColumn:
        means = self.ranges.advance(true_range_column(candles, before))
        return ratio_column(means, column(candles, "close"))
