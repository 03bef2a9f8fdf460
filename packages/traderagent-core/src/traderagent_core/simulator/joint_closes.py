"""The closes of several markets side by side, each keeping its last one between its own; laid out block by block."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from traderagent_core.coordinator.guards import EquityBand
from traderagent_core.model.candle import FloatColumn, TimeColumn
from traderagent_core.simulator.cursor import Cursor

BLOCK = 4096
FIRST_LOOK = 16
"""Rows looked at first. Bands are asked for again after every event, so most exits are never waited for."""


class JointCloses:
    """Rows are the times at which any market closes, ms UTC; columns are the markets in their order."""

    def __init__(self, cursors: Mapping[str, Cursor]) -> None:
        self._cursors = list(cursors.values())
        self._place = {symbol: place for place, symbol in enumerate(cursors)}
        self.times: TimeColumn = np.unique(np.concatenate([each.close_time for each in self._cursors]))
        self._blocks: dict[int, FloatColumn] = {}

    def _rows(self, first: int, last: int) -> FloatColumn:
        """The closes of some rows, from the block that they begin in; perhaps fewer than asked for."""
        begin = first - first % BLOCK
        block = self._blocks.get(begin)
        if block is None:
            for old in [place for place in self._blocks if place < begin - BLOCK]:
                del self._blocks[old]
            block = self._blocks[begin] = self._laid_out(self.times[begin : begin + BLOCK])
        return block[first - begin : last - begin]

    def _laid_out(self, times: TimeColumn) -> FloatColumn:
        columns = []
        for cursor in self._cursors:
            index = cursor.close_time.searchsorted(times, side="right") - 1
            columns.append(np.asarray(cursor.candles.close)[np.maximum(index, 0)])
        return np.stack(columns, axis=1)

    def at(self, row: int) -> dict[str, float]:
        """The last close of each market at a row, by symbol."""
        (closes,) = self._rows(row, row + 1)
        return dict(zip(self._place, closes.tolist(), strict=True))

    def first_outside(self, band: EquityBand, after_ms: int, until_ms: int) -> int | None:
        """Time of the first close between two times at which equity is at or outside a band, or nearly."""
        row = int(self.times.searchsorted(after_ms, side="right"))
        last = int(self.times.searchsorted(until_ms, side="right"))
        quantities = self._held(band)
        base, size = float(band.base), FIRST_LOOK
        while row < last:
            closes = self._rows(row, min(row + size, last))
            is_out = outside(band, base + closes @ quantities)
            found = int(is_out.argmax())
            if is_out[found]:
                return int(self.times[row + found])
            row += len(closes)
            size *= 4
        return None

    def _held(self, band: EquityBand) -> FloatColumn:
        quantities = np.zeros(len(self._cursors))
        for symbol, quantity in band.quantities.items():
            quantities[self._place[symbol]] = float(quantity)
        return quantities


def outside(band: EquityBand, equity: FloatColumn) -> NDArray[np.bool_]:
    """Where equity is at or outside a band, or nearly."""
    margin = 1e-9 * np.abs(equity)
    is_out: NDArray[np.bool_] = np.zeros(len(equity), dtype=bool)
    if band.floor is not None:
        is_out |= equity <= float(band.floor) + margin
    if band.ceiling is not None:
        is_out |= equity >= float(band.ceiling) - margin
    return is_out
