"""The regime of each routed market over a whole run: computed once, read at any time, told where it changes."""

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np
from attrs import define, field

from traderagent_core.coordinator.regime import RegimeClassifier
from traderagent_core.coordinator.regime_timeline import RegimeColumns, classify_columns
from traderagent_core.errors import DataError
from traderagent_core.model.candle import TimeColumn
from traderagent_core.model.regime_reading import RegimeReading

if TYPE_CHECKING:
    from traderagent_core.simulator.view import SimulatedView

END_MS = 1 << 62


@define(eq=False)
class RegimeHistory:
    """The changes of one market's regime; times are those of closes, ms UTC, sorted."""

    times: list[int]
    readings: list[RegimeReading]
    _since_ms: int = field(default=0, init=False)
    _until_ms: int = field(default=0, init=False)
    _known: RegimeReading | None = field(default=None, init=False)

    def at(self, time_ms: int) -> RegimeReading | None:
        """What was known at a time; None before the first classification. Quick until the next change."""
        if not self._since_ms <= time_ms < self._until_ms:
            index = bisect_right(self.times, time_ms) - 1
            self._known = self.readings[index] if index >= 0 else None
            self._since_ms = self.times[index] if index >= 0 else 0
            self._until_ms = self.times[index + 1] if index + 1 < len(self.times) else END_MS
        return self._known

    @property
    def time_column(self) -> TimeColumn:
        """The times, for a driver that has to wake at them."""
        return np.array(self.times, dtype=np.int64)


def regime_history(view: "SimulatedView", symbol: str, classifier: RegimeClassifier) -> RegimeHistory:
    """Every change of a market's regime, from the closes of the regime's timeframe; DataError when there are none."""
    timeframe = classifier.config.regime_timeframe
    try:
        series = view.series(symbol, timeframe)
    except DataError as error:
        raise DataError(f"coordinator.regime.regime_timeframe: {error}") from None
    # Not by way of the view, which would keep them: they are read here and never again.
    columns = RegimeColumns(*(each.batch(series.candles) for each in classifier.indicators))
    times, readings = [], []
    for close, regime in classify_columns(classifier, columns).changes():
        time_ms = int(series.close_time[close])
        times.append(time_ms)
        readings.append(RegimeReading(regime, time_ms, *columns.row(close)))
    return RegimeHistory(times, readings)
