"""What the correlation monitor says over a whole run: computed once, read at any time, told where it changes."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from attrs import define, field

from traderagent_core.config.coordinator import CorrelationConfig
from traderagent_core.coordinator.correlation import StressTimeline, stress_columns
from traderagent_core.model.candle import TimeColumn

if TYPE_CHECKING:
    from traderagent_core.simulator.view import SimulatedView


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


def stress_history(view: "SimulatedView", symbols: Iterable[str], config: CorrelationConfig) -> StressHistory:
    """The words on some symbols, from closes of the configured timeframe."""
    series = [view.series(symbol, config.timeframe).candles for symbol in symbols]
    return StressHistory(stress_columns(config, series))
