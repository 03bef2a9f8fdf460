"""Average directional index and the directional indicators under it (Wilder 1978)."""

from typing import ClassVar

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from traderagent_core.indicators.base import Indicator, Running, at_least, ratio, ratio_column
from traderagent_core.indicators.directional import movement, movement_columns
from traderagent_core.indicators.pairs import PairRunning
from traderagent_core.indicators.smoothing import Smoother, wilder_mean, wilder_sum
from traderagent_core.indicators.volatility import true_range, true_range_column
from traderagent_core.model.candle import Candle, Candles, FloatColumn


@frozen
class PlusDi(Indicator):
    """+DI, 0 to 100: smoothed movement upwards in per cent of the smoothed true range."""

    name: ClassVar[str] = "plus_di"
    period: int = field(validator=at_least(2))

    @property
    def warm_up(self) -> int:
        return self.period

    def start(self) -> Running:
        return _DiRunning(self.key, wilder_sum(self.period), wilder_sum(self.period), direction=0)


@frozen
class MinusDi(Indicator):
    """-DI, 0 to 100: smoothed movement downwards in per cent of the smoothed true range."""

    name: ClassVar[str] = "minus_di"
    period: int = field(validator=at_least(2))

    @property
    def warm_up(self) -> int:
        return self.period

    def start(self) -> Running:
        return _DiRunning(self.key, wilder_sum(self.period), wilder_sum(self.period), direction=1)


@frozen
class Adx(Indicator):
    """Wilder's mean of 100 × |+DI - -DI| / (+DI + -DI), 0 to 100; its parts are `PlusDi` and `MinusDi`.

    As in TA-Lib a candle without any smoothed movement leaves the value as it is.
    """

    name: ClassVar[str] = "adx"
    period: int = field(validator=at_least(2))

    @property
    def warm_up(self) -> int:
        return 2 * self.period - 1

    def start(self) -> Running:
        return _AdxRunning(
            self.key, wilder_sum(self.period), wilder_sum(self.period), wilder_mean(self.period)
        )


@define(eq=False)
class _DiRunning(PairRunning):
    movements: Smoother
    ranges: Smoother
    direction: int = field(kw_only=True)

    def _step(self, candle: Candle, before: Candle) -> float:
        moved = self.movements.push(movement(candle, before)[self.direction])
        return 100.0 * ratio(moved, self.ranges.push(true_range(candle, before)))

    def _advance_pairs(self, candles: Candles, before: Candle) -> FloatColumn:
        moved = self.movements.advance(movement_columns(candles, before)[self.direction])
        index = ratio_column(moved, self.ranges.advance(true_range_column(candles, before)))
        index *= 100.0
        return index

    def _smoothers(self) -> tuple[Smoother, ...]:
        return (self.movements, self.ranges)


@define(eq=False)
class _AdxRunning(PairRunning):
    """The true range is in both DI and cancels out of their ratio, so it is not needed here."""

    ups: Smoother
    downs: Smoother
    mean: Smoother
    _value: float = field(default=0.0, init=False)

    def _step(self, candle: Candle, before: Candle) -> float:
        up, down = movement(candle, before)
        is_silent = self.ups.silent > 0
        up, down = self.ups.push(up), self.downs.push(down)
        if is_silent:
            return up
        total = up + down
        if total == 0.0 and not self.mean.to_seed:
            return self._value
        value = self.mean.push(100.0 * ratio(abs(up - down), total))
        if self.mean.to_seed:
            return value
        # Rounding may carry a mean of hundreds a last bit above them.
        self._value = min(value, 100.0)
        return self._value

    def _advance_pairs(self, candles: Candles, before: Candle) -> FloatColumn:
        silent = self.ups.silent
        up, down = movement_columns(candles, before)
        up, down = self.ups.advance(up), self.downs.advance(down)
        if not silent:
            return self._advance_mean(up, down)
        return np.concatenate([up[:silent], self._advance_mean(up[silent:], down[silent:])])

    def _advance_mean(self, up: FloatColumn, down: FloatColumn) -> FloatColumn:
        if not len(up):
            return up
        total = up + down
        up -= down
        index = ratio_column(np.abs(up, out=up), total)
        index *= 100.0
        is_fed = total != 0.0
        is_fed[: self.mean.to_seed] = True
        values = self.mean.advance(index) if is_fed.all() else self._advance_with_pauses(index, is_fed)
        np.minimum(values, 100.0, out=values)
        if not self.mean.to_seed:
            self._value = float(values[-1])
        return values

    def _advance_with_pauses(self, index: FloatColumn, is_fed: NDArray[np.bool]) -> FloatColumn:
        """Only the fed values reach the mean; in between its last value is held."""
        known = np.concatenate([[self._value], self.mean.advance(index[is_fed])])
        held: FloatColumn = known[np.add.accumulate(is_fed, dtype=np.intp)]
        return held

    def _smoothers(self) -> tuple[Smoother, ...]:
        return (self.ups, self.downs, self.mean)

    def _save(self) -> tuple[float, ...]:
        return (self._value, *PairRunning._save(self))

    def _load(self, values: tuple[float, ...]) -> None:
        self._value = values[0]
        PairRunning._load(self, values[1:])
