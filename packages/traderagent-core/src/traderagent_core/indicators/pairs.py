"""Indicators over a candle and the one before it; the very first candle has no value."""

from abc import abstractmethod
from math import nan

import numpy as np
from attrs import define, field

from traderagent_core.indicators.base import Running
from traderagent_core.indicators.smoothing import Smoother
from traderagent_core.model.candle import Candle, Candles, FloatColumn


@define(eq=False)
class PairRunning(Running):
    """Keeps the candle before and the smoothers' states; what is done with them is left open."""

    _before: Candle | None = field(default=None, init=False)

    def update(self, candle: Candle) -> float:
        before, self._before = self._before, candle
        return nan if before is None else self._step(candle, before)

    def _advance(self, candles: Candles) -> FloatColumn:
        before, self._before = self._before, candles.candle(-1)
        if before is not None:
            return self._advance_pairs(candles, before)
        if len(candles) == 1:
            return np.array([nan])
        return np.concatenate([[nan], self._advance_pairs(candles[1:], candles.candle(0))])

    @abstractmethod
    def _step(self, candle: Candle, before: Candle) -> float:
        """The value at a candle."""

    @abstractmethod
    def _advance_pairs(self, candles: Candles, before: Candle) -> FloatColumn:
        """The batch twin of `_step` for at least one candle; `before` precedes the first of them."""

    @abstractmethod
    def _smoothers(self) -> tuple[Smoother, ...]:
        """The smoothers whose states are saved."""

    def _save(self) -> tuple[float, ...]:
        known = () if self._before is None else self._before
        return (*(value for smoother in self._smoothers() for value in smoother.save()), *map(float, known))

    def _load(self, values: tuple[float, ...]) -> None:
        at = 0
        for smoother in self._smoothers():
            smoother.load(values[at : at + smoother.STATE_SIZE])
            at += smoother.STATE_SIZE
        known = values[at:]
        self._before = Candle(int(known[0]), *known[1:]) if known else None


def shifted(column: FloatColumn, before: float) -> FloatColumn:
    """The column one candle later: `before` first, the last value left out."""
    moved = np.empty(len(column))
    moved[0] = before
    moved[1:] = column[:-1]
    return moved
