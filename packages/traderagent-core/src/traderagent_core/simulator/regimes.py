"""The regime of each routed market over a whole run: computed once, read at any time, told where it changes."""

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from traderagent_core.coordinator.regime import RegimeClassifier
from traderagent_core.coordinator.regime_timeline import RegimeColumns, classify_columns
from traderagent_core.errors import DataError
from traderagent_core.model.candle import TimeColumn
from traderagent_core.model.regime_reading import RegimeReading

if TYPE_CHECKING:
    from traderagent_core.simulator.view import SimulatedView


@frozen(eq=False)
class RegimeHistory:
    """The changes of one market's regime; times are those of closes, ms UTC, sorted."""

    times: list[int]
    readings: list[RegimeReading]

    def at(self, time_ms: int) -> RegimeReading | None:
        """What was known at a time; None before the first classification."""
        index = bisect_right(self.times, time_ms) - 1
        return self.readings[index] if index >= 0 else None

    @property
    def time_column(self) -> TimeColumn:
        """The times, for a driver that has to wake at them."""
        return np.array(self.times, dtype=np.int64)


def regime_history(view: "SimulatedView", symbol: str, classifier: RegimeClassifier) -> RegimeHistory:
    """Every change of a market's regime, from the closes of the regime's timeframe; DataError when there are none."""
    timeframe = classifier.config.regime_timeframe
    try:
        closes = view.series(symbol, timeframe).close_time
    except DataError as error:
        raise DataError(f"coordinator.regime.regime_timeframe: {error}") from None
    columns = RegimeColumns(*(view.column(symbol, timeframe, each) for each in classifier.indicators))
    times, readings = [], []
    for close, regime in classify_columns(classifier, columns).changes():
        time_ms = int(closes[close])
        times.append(time_ms)
        readings.append(RegimeReading(regime, time_ms, *columns.row(close)))
    return RegimeHistory(times, readings)
