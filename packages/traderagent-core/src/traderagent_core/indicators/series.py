"""Indicators over one column of the candles: where the column comes from and how it runs."""

from collections.abc import Callable
from operator import itemgetter
from typing import Literal, Protocol

import numpy as np
from attrs import define, field

from traderagent_core.indicators.base import Indicator, Running
from traderagent_core.model.candle import Candle, Candles, FloatColumn

Source = Literal["open", "high", "low", "close", "volume"]
_SOURCES = ("open", "high", "low", "close", "volume")


class Kernel(Protocol):
    """A calculation on a bare series of numbers, with its two twins and its state."""

    def push(self, value: float) -> float:
        """Take one value."""

    def advance(self, values: FloatColumn) -> FloatColumn:
        """Take a column."""

    def save(self) -> tuple[float, ...]:
        """The state as plain floats."""

    def load(self, values: tuple[float, ...]) -> None:
        """Take over what `save` gave."""


@define(eq=False)
class SeriesRunning(Running):
    """A kernel fed from one column."""

    source: str
    kernel: Kernel
    _pick: Callable[[Candle], float] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._pick = itemgetter(Candle._fields.index(self.source))

    def update(self, candle: Candle) -> float:
        return self.kernel.push(self._pick(candle))

    def _advance(self, candles: Candles) -> FloatColumn:
        return self.kernel.advance(column(candles, self.source))

    def _save(self) -> tuple[float, ...]:
        return self.kernel.save()

    def _load(self, values: tuple[float, ...]) -> None:
        self.kernel.load(values)


def column(candles: Candles, source: str) -> FloatColumn:
    """One column as a bare array: a memory-mapped one would carry its class through every operation."""
    return np.asarray(getattr(candles, source))


def check_source(owner: Indicator, _attribute: object, value: object) -> None:
    """The validator of the column an indicator reads; another name raises ValueError."""
    if value not in _SOURCES:
        raise ValueError(f"{owner.name}: source must be one of {', '.join(_SOURCES)}, got {value!r}")
