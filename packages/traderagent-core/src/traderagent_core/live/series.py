"""A growing series of closed candles with its indicators, each advanced when somebody asks for its value.

Candle by candle or many at once gives the same values to the last bit; a history is taken in one burst.
"""

from collections.abc import Iterable
from math import isnan, nan

import numpy as np
from attrs import define, field

from traderagent_core.indicators import Indicator, Running
from traderagent_core.model.candle import Candle, Candles, FloatColumn

KEPT = 5_000
"""Candles that can be looked back on; indicators remember what they need of older ones."""


@define(eq=False)
class _Advanced:
    """An indicator at work, with its values at the first of the candles that are kept, those it has taken."""

    running: Running
    values: list[float]


@define(eq=False)
class LiveSeries:
    """Candles of one timeframe, oldest first; `close_ms` is when the last one closed, -1 before the first."""

    symbol: str
    timeframe: str
    duration_ms: int
    close_ms: int = -1
    _rows: list[Candle] = field(factory=list)
    _indicators: dict[Indicator, _Advanced] = field(factory=dict)

    def add(self, candle: Candle) -> None:
        """Take the next closed candle."""
        self._rows.append(candle)
        self.close_ms = candle.open_time + self.duration_ms
        if len(self._rows) >= KEPT + KEPT // 10:
            self._forget(len(self._rows) - KEPT)

    def _forget(self, count: int) -> None:
        for indicator in self._indicators:
            del self._values(indicator)[:count]
        del self._rows[:count]

    def declare(self, indicator: Indicator) -> None:
        """Follow an indicator from now on, anchored at the oldest candle that is kept."""
        if indicator not in self._indicators:
            self._indicators[indicator] = _Advanced(indicator.start(), [])

    def _values(self, indicator: Indicator) -> list[float]:
        """Its values at all candles that are kept."""
        self.declare(indicator)
        advanced = self._indicators[indicator]
        missing = len(self._rows) - len(advanced.values)
        if missing == 1:
            advanced.values.append(advanced.running.update(self._rows[-1]))
        elif missing:
            advanced.values += advanced.running.batch(self.last_candles(missing)).tolist()
        return advanced.values

    # -- reading --------------------------------------------------------------------------------------------

    def rows(self) -> tuple[Candle, ...]:
        """The candles that are kept, oldest first."""
        return tuple(self._rows)

    def last(self) -> Candle | None:
        """The last candle, or None before the first."""
        return self._rows[-1] if self._rows else None

    def last_candles(self, count: int) -> Candles:
        """At most `count` last candles, oldest first."""
        rows = self._rows[max(len(self._rows) - count, 0) :]
        times = np.array([row.open_time for row in rows], dtype=np.int64)
        columns = [np.array([row[place] for row in rows], dtype=np.float64) for place in range(1, 6)]
        return Candles(self.symbol, self.timeframe, times, *columns)

    def value(self, indicator: Indicator) -> float:
        """An indicator at the last candle; nan while it warms up."""
        values = self._values(indicator)
        return values[-1] if values else nan

    def is_warm(self, indicators: Iterable[Indicator]) -> bool:
        """Whether there is a candle, and all these indicators have a value at it."""
        return bool(self._rows) and not any(isnan(self.value(indicator)) for indicator in indicators)

    def columns(self, indicators: Iterable[Indicator], count: int) -> dict[str, FloatColumn]:
        """The last `count` rows of the candles' columns, and of indicators by their keys; they cannot be written."""
        candles = self.last_candles(count)
        names = ("open", "high", "low", "close", "volume")
        found: dict[str, FloatColumn] = {name: getattr(candles, name) for name in names}
        for indicator in indicators:
            values = self._values(indicator)
            found[indicator.key] = np.array(values[max(len(values) - count, 0) :], dtype=np.float64)
        for column in found.values():
            column.flags.writeable = False
        return found
