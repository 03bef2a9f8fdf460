"""What the correlation monitor says over a whole run: computed once, read at any time, told where it changes."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from attrs import define, field

from traderagent_core.config.coordinator import CorrelationConfig
from traderagent_core.coordinator.correlation import StressTimeline, stress_columns
from traderagent_core.data.times import iso
from traderagent_core.errors import DataError
from traderagent_core.model.candle import Candles, TimeColumn
from traderagent_core.model.timeframe import timeframe_ms

if TYPE_CHECKING:
    from traderagent_core.simulator.view import SimulatedView

_OFF = "switch the watch off by `risk_modes: {stress: {enabled: false}}`"


@define(eq=False)
class StressHistory:
    """The monitor's words over a run, and the closes (ms UTC) at which they change."""

    timeline: StressTimeline
    _times: list[int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._times = [time_ms for time_ms, _ in self.timeline.changes()]

    def at(self, time_ms: int) -> bool:
        """Whether there is stress at a time: every second change begins it, the others end it."""
        return bisect_right(self._times, time_ms) % 2 == 1

    @property
    def time_column(self) -> TimeColumn:
        """The changes, for a driver that has to wake at them."""
        return np.array(self._times, dtype=np.int64)


def stress_history(
    view: "SimulatedView", symbols: Iterable[str], config: CorrelationConfig, start_ms: int
) -> StressHistory:
    """The words on some symbols, from closes of the configured timeframe; those before `start_ms` may be left out.

    Raises DataError when the candles do not give that timeframe, or lie on different boundaries.
    """
    try:
        series = [view.series(symbol, config.timeframe).candles for symbol in symbols]
    except DataError as error:
        raise DataError(f"coordinator.correlation.timeframe: {error}; or {_OFF}") from None
    _check_aligned(config, series)
    return StressHistory(stress_columns(config, _with_window(config, series, start_ms)))


def _with_window(config: CorrelationConfig, series: Sequence[Candles], start_ms: int) -> list[Candles]:
    """What the words from the last close at or before the start hang on: none looks back further than its window."""
    step = timeframe_ms(config.timeframe)
    before = [candles.between(None, start_ms - step + 1).open_time[-1:] for candles in series]
    last_ms = max((int(times[0]) for times in before if len(times)), default=0)
    return [candles.between(last_ms - config.window * step, None) for candles in series]


def _check_aligned(config: CorrelationConfig, series: Sequence[Candles]) -> None:
    """Returns can be correlated only where the candles of all symbols open at the same times."""
    step, known = timeframe_ms(config.timeframe), [candles for candles in series if len(candles)]
    for candles in known:
        beside = (candles.open_time - known[0].open_time[0]) % step
        rows = np.flatnonzero(beside)
        if len(rows):
            at, late = iso(int(candles.open_time[rows[0]])), timedelta(milliseconds=int(beside[rows[0]]))
            raise DataError(
                f"coordinator.correlation: returns of other times cannot be correlated, and the {config.timeframe} "
                f"candle of {candles.symbol} at {at} opens {late} (h:mm:ss) later than one of {known[0].symbol}; "
                f"give all symbols candles with the same boundaries, or {_OFF}"
            )
