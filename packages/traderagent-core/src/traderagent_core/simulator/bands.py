"""When a close first leaves a band of equity: for one instrument a price, for several an array pass."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from traderagent_core.coordinator.guards import EquityBand
from traderagent_core.model.candle import TimeColumn
from traderagent_core.simulator.cursor import Cursor
from traderagent_core.simulator.joint_closes import JointCloses
from traderagent_core.simulator.scan import Finder

NO_CLOSE_MS = 1 << 62


class BandExits:
    """Looks for the exits of bands on the markets of a run."""

    def __init__(self, cursors: Mapping[str, Cursor], finders: Mapping[str, Finder]) -> None:
        self._cursors = cursors
        self._finders = finders
        self._last_close_ms = self._next_close_ms = 0

    @cached_property
    def _joint(self) -> JointCloses:
        return JointCloses(self._cursors)

    def next(self, bands: Callable[[], Sequence[EquityBand]], after_ms: int, until_ms: int) -> int | None:
        """Time of the first close after `after_ms` that is at or outside one of the bands; may be too early.

        One that is later than `until_ms` may be left out: something else will have happened by then. Most events
        follow another before the next close, so that nobody has to be asked for bands.
        """
        if self._next_close(after_ms) > until_ms:
            return None
        exits = [self._exit(band, after_ms, until_ms) for band in bands()]
        return min((exit_ms for exit_ms in exits if exit_ms is not None), default=None)

    @cached_property
    def _close_times(self) -> TimeColumn:
        return next(iter(self._cursors.values())).close_time if len(self._cursors) == 1 else self._joint.times

    def _next_close(self, after_ms: int) -> int:
        """The first close of any market after a time."""
        if not self._last_close_ms <= after_ms < self._next_close_ms:
            times = self._close_times
            row = int(times.searchsorted(after_ms, side="right"))
            self._last_close_ms = int(times[row - 1]) if row else after_ms
            self._next_close_ms = int(times[row]) if row < len(times) else NO_CLOSE_MS
        return self._next_close_ms

    def _exit(self, band: EquityBand, after_ms: int, until_ms: int) -> int | None:
        if len(self._cursors) == len(band.quantities) == 1:
            return self._single_exit(band, after_ms)
        return self._joint.first_outside(band, after_ms, until_ms)

    def _single_exit(self, band: EquityBand, after_ms: int) -> int | None:
        (symbol, quantity), *_ = band.quantities.items()
        low = -np.inf if band.floor is None else float((band.floor - band.base) / quantity)
        high = np.inf if band.ceiling is None else float((band.ceiling - band.base) / quantity)
        if quantity < 0:
            low = -np.inf if band.ceiling is None else float((band.ceiling - band.base) / quantity)
            high = np.inf if band.floor is None else float((band.floor - band.base) / quantity)
        cursor = self._cursors[symbol]
        first = int(cursor.close_time.searchsorted(after_ms, side="right"))
        index = self._finders[symbol].next_close(
            first, np.nextafter(low, np.inf), np.nextafter(high, -np.inf)
        )
        return None if index < 0 else int(cursor.close_time[index])
