"""Relative strength index (Wilder, New Concepts in Technical Trading Systems, 1978)."""

from typing import ClassVar

import numpy as np
from attrs import define, field, frozen

from traderagent_core.indicators.base import Indicator, Running, at_least, ratio, ratio_column
from traderagent_core.indicators.pairs import PairRunning, shifted
from traderagent_core.indicators.series import column
from traderagent_core.indicators.smoothing import Smoother, wilder_mean
from traderagent_core.model.candle import Candle, Candles, FloatColumn


@frozen
class Rsi(Indicator):
    """Wilder's RSI of the close, 0 to 100: 100 × mean gain / (mean gain + mean loss).

    As in TA-Lib it is 0 while the price has never moved at all.
    """

    name: ClassVar[str] = "rsi"
    period: int = field(validator=at_least(2))

    @property
    def warm_up(self) -> int:
        return self.period

    def start(self) -> Running:
        return _RsiRunning(self.key, wilder_mean(self.period), wilder_mean(self.period))


@define(eq=False)
class _RsiRunning(PairRunning):
    gains: Smoother
    losses: Smoother

    def _step(self, candle: Candle, before: Candle) -> float:
        change = candle.close - before.close
        gain = self.gains.push(change if change > 0.0 else 0.0)
        loss = self.losses.push(-change if change < 0.0 else 0.0)
        return 100.0 * ratio(gain, gain + loss)

    def _advance_pairs(self, candles: Candles, before: Candle) -> FloatColumn:
        close = column(candles, "close")
        change = close - shifted(close, before.close)
        gain = np.maximum(change, 0.0)
        # gain - change is the loss exactly, and never -0.
        loss = self.losses.advance(gain - change)
        gain = self.gains.advance(gain)
        loss += gain
        strength = ratio_column(gain, loss)
        strength *= 100.0
        return strength

    def _smoothers(self) -> tuple[Smoother, ...]:
        return (self.gains, self.losses)
