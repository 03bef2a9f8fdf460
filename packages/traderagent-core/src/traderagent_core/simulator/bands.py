"""When a close first leaves a band of equity: for one instrument a price, for several an array pass."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from traderagent_core.coordinator.guards import EquityBand
from traderagent_core.simulator.cursor import Cursor
from traderagent_core.simulator.joint_closes import JointCloses
from traderagent_core.simulator.scan import Finder


class BandExits:
    """Looks for the exits of bands on the markets of a run."""

    def __init__(self, cursors: Mapping[str, Cursor], finders: Mapping[str, Finder]) -> None:
        self._cursors = cursors
        self._finders = finders

    @cached_property
    def _joint(self) -> JointCloses:
        return JointCloses(self._cursors)

    def next(self, bands: Sequence[EquityBand], after_ms: int) -> int | None:
        """Time of the first close after `after_ms` that is at or outside one of the bands; may be too early."""
        exits = [self._exit(band, after_ms) for band in bands]
        return min((exit_ms for exit_ms in exits if exit_ms is not None), default=None)

    def _exit(self, band: EquityBand, after_ms: int) -> int | None:
        if len(self._cursors) == len(band.quantities) == 1:
            return self._single_exit(band, after_ms)
        return self._joint.first_outside(band, after_ms)

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
