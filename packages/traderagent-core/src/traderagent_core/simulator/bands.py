"""When a close first leaves a band of equity: for one instrument a price, for several an array pass.

A band of one instrument is looked for to the end of its candles, and what is found holds as long as the band does.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from math import inf, nextafter

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
        self._last_close_ms = self._second_close_ms = 0
        self.next_close_ms = 0
        """When any market closes next; before it there is nothing to look for."""
        self._row = 0
        self._known: dict[int, tuple[EquityBand, int | None]] = {}
        """By the id of the band, which lives as long as it is kept here."""

    @cached_property
    def _joint(self) -> JointCloses:
        return JointCloses(self._cursors)

    def next(self, bands: Callable[[], Iterable[EquityBand]], after_ms: int, until_ms: int) -> int | None:
        """Time of the first close after `after_ms` that is at or outside one of the bands; may be too early.

        One that is later than `until_ms` may be left out: something else will have happened by then. Most events
        follow another before the next close, so that nobody has to be asked for bands.
        """
        if self._next_close(after_ms) > until_ms:
            return None
        if until_ms < self._second_close_ms:
            closes = self._closes()
            return self.next_close_ms if any(band.is_outside(closes) for band in bands()) else None
        known, self._known, exits = self._known, {}, []
        for band in bands():
            if len(band.quantities) > 1:
                exit_ms = self._joint.first_outside(band, after_ms, until_ms)
            else:
                exit_ms = known.get(id(band), (band, after_ms))[1]
                if exit_ms is not None and exit_ms <= after_ms:
                    exit_ms = self._single_exit(band) if band.quantities else self._idle_exit(band)
                self._known[id(band)] = band, exit_ms
            if exit_ms is not None:
                exits.append(exit_ms)
        return min(exits, default=None)

    @cached_property
    def _close_times(self) -> TimeColumn:
        return next(iter(self._cursors.values())).close_time if len(self._cursors) == 1 else self._joint.times

    def _next_close(self, after_ms: int) -> int:
        """The first close of any market after a time."""
        if not self._last_close_ms <= after_ms < self.next_close_ms:
            times = self._close_times
            row = int(times.searchsorted(after_ms, side="right"))
            self._row, last = row, len(times)
            self._last_close_ms = times.item(row - 1) if row else after_ms
            self.next_close_ms = times.item(row) if row < last else NO_CLOSE_MS
            self._second_close_ms = times.item(row + 1) if row + 1 < last else NO_CLOSE_MS
        return self.next_close_ms

    def _closes(self) -> dict[str, float]:
        """The last close of each market at the next close of any."""
        if len(self._cursors) > 1:
            return self._joint.at(self._row)
        return {symbol: cursor.candles.close.item(self._row) for symbol, cursor in self._cursors.items()}

    def _idle_exit(self, band: EquityBand) -> int | None:
        """With nothing held that can only be the next close of all: money may have changed since the last one."""
        return self.next_close_ms if band.is_outside({}) else None

    def _single_exit(self, band: EquityBand) -> int | None:
        """Already the next close of all, if the last one of its market is outside."""
        (symbol, quantity), *_ = band.quantities.items()
        under, over = (band.floor, band.ceiling) if quantity > 0 else (band.ceiling, band.floor)
        low = -inf if under is None else float((under - band.base) / quantity)
        high = inf if over is None else float((over - band.base) / quantity)
        cursor = self._cursors[symbol]
        first = int(cursor.close_time.searchsorted(self.next_close_ms, side="right")) - 1
        index = self._finders[symbol].next_close(max(first, 0), nextafter(low, inf), nextafter(high, -inf))
        return None if index < 0 else max(int(cursor.close_time[index]), self.next_close_ms)
