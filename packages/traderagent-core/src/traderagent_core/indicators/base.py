"""What an indicator is: a frozen declaration, and the running state that it starts."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import attrs
import numpy as np
from attrs import define, frozen

from traderagent_core.model.candle import Candle, Candles, FloatColumn

# Columns are worked through in parts that stay in the processor's cache: a third less time than in one piece.
CHUNK = 1 << 15


@frozen
class IndicatorState:
    """The saved state of a running indicator: the key of its declaration and plain finite floats."""

    key: str
    values: tuple[float, ...]


@define(eq=False)
class Running(ABC):
    """An indicator at work on one series. It counts from the first candle it was fed: its anchor.

    `update` candle by candle and `batch` in bursts of any size give the same values and leave the same state,
    to the last bit. Prices and volumes must be finite, not negative and below 1e150, as squares are taken.
    """

    key: str

    @abstractmethod
    def update(self, candle: Candle) -> float:
        """Take the next closed candle; the value at its close, nan while warming up."""

    def batch(self, candles: Candles) -> FloatColumn:
        """Take the next candles; one value for each, nan while warming up."""
        values = np.empty(len(candles))
        for start in range(0, len(candles), CHUNK):
            values[start : start + CHUNK] = self._advance(candles[start : start + CHUNK])
        return values

    def snapshot(self) -> IndicatorState:
        """The state to be kept; `restore` on a fresh start of the same declaration goes on from it."""
        return IndicatorState(self.key, self._save())

    def restore(self, state: IndicatorState) -> None:
        """Go on from a snapshot; raises ValueError if another declaration took it."""
        if state.key != self.key:
            raise ValueError(
                f"cannot restore {self.key} from a snapshot of {state.key}; they must be the same"
            )
        self._load(state.values)

    @abstractmethod
    def _advance(self, candles: Candles) -> FloatColumn:
        """The batch twin of `update` for one part of a column."""

    @abstractmethod
    def _save(self) -> tuple[float, ...]:
        """The state as plain floats."""

    @abstractmethod
    def _load(self, values: tuple[float, ...]) -> None:
        """Take over what `_save` gave."""


@frozen
class Indicator(ABC):
    """A declared need such as `Ema(20)`: equal and hashed by class and parameters, so it can key a cache."""

    name: ClassVar[str]

    @property
    def key(self) -> str:
        """Stable text of the declaration, such as `ema(20)`; the source is told if it is not the usual one."""
        values = ((a, getattr(self, a.name)) for a in attrs.fields(type(self)))
        shown = (str(value) for a, value in values if a.name != "source" or value != a.default)
        return f"{self.name}({','.join(shown)})"

    @property
    @abstractmethod
    def warm_up(self) -> int:
        """Number of candles before the first value, which is also its index in a batch."""

    @abstractmethod
    def start(self) -> Running:
        """A fresh running indicator whose anchor is the next candle it gets."""

    def batch(self, candles: Candles) -> FloatColumn:
        """Values for a whole series, anchored at its first candle."""
        return self.start().batch(candles)


def at_least(minimum: int) -> Callable[[Any, object, int], None]:
    """The validator of a period in candles; anything but a whole number >= minimum raises ValueError."""

    def check(owner: Any, _attribute: object, value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
            expected = f"a whole number of at least {minimum}"
            raise ValueError(f"{owner.name}: period must be {expected}, got {value!r}")

    return check


def ratio(part: float, whole: float) -> float:
    """part / whole, and 0 where the whole is 0, as TA-Lib has it; nan stays nan."""
    return part / whole if whole != 0.0 else part * 0.0


def ratio_column(part: FloatColumn, whole: FloatColumn) -> FloatColumn:
    """The batch twin of `ratio`."""
    is_void = whole == 0.0
    if not is_void.any():
        return part / whole
    quotient: FloatColumn = part / np.where(is_void, 1.0, whole)
    quotient[is_void] = part[is_void] * 0.0
    return quotient
