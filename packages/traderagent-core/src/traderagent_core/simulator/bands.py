"""When a close first leaves a band of equity: for one instrument a price, for several an array pass."""

from collections.abc import Mapping, Sequence

import numpy as np

from traderagent_core.coordinator.guards import EquityBand
from traderagent_core.simulator.cursor import Cursor
from traderagent_core.simulator.scan import Finder

CHUNK = 4096


def next_band_exit(
    bands: Sequence[EquityBand], cursors: Mapping[str, Cursor], finders: Mapping[str, Finder], after_ms: int
) -> int | None:
    """Time of the first close after `after_ms` that is at or outside one of the bands; may be too early."""
    exits = [_exit(band, cursors, finders, after_ms) for band in bands]
    return min((exit_ms for exit_ms in exits if exit_ms is not None), default=None)


def _exit(
    band: EquityBand, cursors: Mapping[str, Cursor], finders: Mapping[str, Finder], after_ms: int
) -> int | None:
    if len(cursors) > len(band.quantities):
        # Money may have changed since the last close, and the next close may be of an instrument not held.
        soonest = _soonest_close(cursors, after_ms)
        if soonest is not None and _is_outside(band, cursors, soonest):
            return soonest
    if len(band.quantities) == 1:
        return _single_exit(band, cursors, finders, after_ms)
    return _joint_exit(band, cursors, after_ms) if band.quantities else None


def _soonest_close(cursors: Mapping[str, Cursor], after_ms: int) -> int | None:
    soonest = None
    for cursor in cursors.values():
        index = int(cursor.close_time.searchsorted(after_ms, side="right"))
        if index < len(cursor.close_time):
            time_ms = int(cursor.close_time[index])
            soonest = time_ms if soonest is None else min(soonest, time_ms)
    return soonest


def _is_outside(band: EquityBand, cursors: Mapping[str, Cursor], time_ms: int) -> bool:
    """Whether equity at the last closes up to a time is at or outside a band, or nearly."""
    equity = float(band.base)
    for symbol, quantity in band.quantities.items():
        index = int(cursors[symbol].close_time.searchsorted(time_ms, side="right")) - 1
        equity += float(quantity) * float(cursors[symbol].candles.close[max(index, 0)])
    margin = 1e-9 * abs(equity)
    if band.floor is not None and equity <= float(band.floor) + margin:
        return True
    return band.ceiling is not None and equity >= float(band.ceiling) - margin


def _single_exit(
    band: EquityBand, cursors: Mapping[str, Cursor], finders: Mapping[str, Finder], after_ms: int
) -> int | None:
    (symbol, quantity), *_ = band.quantities.items()
    low = -np.inf if band.floor is None else float((band.floor - band.base) / quantity)
    high = np.inf if band.ceiling is None else float((band.ceiling - band.base) / quantity)
    if quantity < 0:
        low = -np.inf if band.ceiling is None else float((band.ceiling - band.base) / quantity)
        high = np.inf if band.floor is None else float((band.floor - band.base) / quantity)
    cursor = cursors[symbol]
    first = int(cursor.close_time.searchsorted(after_ms, side="right"))
    index = finders[symbol].next_close(first, np.nextafter(low, np.inf), np.nextafter(high, -np.inf))
    return None if index < 0 else int(cursor.close_time[index])


def _joint_exit(band: EquityBand, cursors: Mapping[str, Cursor], after_ms: int) -> int | None:
    """Equity over the closes of all held instruments, each keeping its last close between its own."""
    held = [(cursors[symbol], float(quantity)) for symbol, quantity in band.quantities.items()]
    times = _union_of_closes([cursor for cursor, _ in held], after_ms)
    while len(times):
        equity = np.full(len(times), float(band.base))
        for cursor, quantity in held:
            index = cursor.close_time.searchsorted(times, side="right") - 1
            equity += quantity * np.asarray(cursor.candles.close)[np.maximum(index, 0)]
        is_out = np.zeros(len(times), dtype=bool)
        margin = 1e-9 * np.abs(equity)
        if band.floor is not None:
            is_out |= equity <= float(band.floor) + margin
        if band.ceiling is not None:
            is_out |= equity >= float(band.ceiling) - margin
        if is_out.any():
            return int(times[int(is_out.argmax())])
        times = _union_of_closes([cursor for cursor, _ in held], int(times[-1]))
    return None


def _union_of_closes(cursors: Sequence[Cursor], after_ms: int) -> np.ndarray:
    """Some closes after a time, complete up to the last one given."""
    parts = []
    for cursor in cursors:
        first = int(cursor.close_time.searchsorted(after_ms, side="right"))
        parts.append(np.asarray(cursor.close_time[first : first + CHUNK]))
    complete_to = min((part[-1] for part in parts if len(part) == CHUNK), default=None)
    times = np.unique(np.concatenate(parts))
    return times if complete_to is None else times[times <= complete_to]
