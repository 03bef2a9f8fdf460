"""Finds the next candle that touches a level, without walking the candles in between."""

from math import inf as INFINITY
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from traderagent_core.model.candle import Candles, FloatColumn

BLOCK = 256
NEAR = 512
CLOSE = 32
"""Where touches are no further apart than this, candles are looked at one by one: faster than an array for a few."""


class Finder(Protocol):
    """How the next wake of a market is found; the only thing in which simulator and reference differ."""

    def next_touch(self, first: int, up: float, down: float) -> int:
        """First candle from `first` on with high >= up or low <= down; -1 when there is none.

        May answer too early, never too late.
        """
        ...

    def next_close(self, first: int, floor: float, ceiling: float) -> int:
        """First candle from `first` on with close <= floor or close >= ceiling; -1 when there is none."""
        ...


class BlockScan:
    """Looks at near candles first, then at the extremes of blocks of 256, then inside the block found."""

    def __init__(self, candles: Candles) -> None:
        self._high = np.ascontiguousarray(candles.high)
        self._low = np.ascontiguousarray(candles.low)
        self._close = np.ascontiguousarray(candles.close)
        self._size = len(candles)
        starts = np.arange(0, self._size, BLOCK)
        self._block_high = np.maximum.reduceat(self._high, starts) if self._size else self._high
        self._block_low = np.minimum.reduceat(self._low, starts) if self._size else self._low
        self._is_dense = False
        self._kept = 0
        self._kept_high: list[float] = []
        self._kept_low: list[float] = []

    def next_touch(self, first: int, up: float, down: float) -> int:
        """See Finder."""
        start = first
        if self._is_dense:
            found = self._next_of_few(first, up, down)
            if found >= 0:
                return found
            start = self._kept + len(self._kept_high)
        found = self._next(start, up, down, self._high, self._low)
        self._is_dense = 0 <= found < first + CLOSE
        return found

    def _next_of_few(self, first: int, up: float, down: float) -> int:
        """Among a few candles that are kept as plain numbers from one call to the next; -1 when in none of them."""
        highs = self._kept_high
        begin = first - self._kept
        if not 0 <= begin < len(highs):
            self._kept, begin = first, 0
            self._kept_high = highs = self._high[first : first + CLOSE].tolist()
            self._kept_low = self._low[first : first + CLOSE].tolist()
        lows = self._kept_low
        for index in range(begin, len(highs)):
            if highs[index] >= up or lows[index] <= down:
                return self._kept + index
        return -1

    def next_close(self, first: int, floor: float, ceiling: float) -> int:
        """See Finder."""
        return self._next(first, ceiling, floor, self._close, self._close)

    def _next(self, first: int, up: float, down: float, high: FloatColumn, low: FloatColumn) -> int:
        size = self._size
        if first >= size or (up == INFINITY and down == -INFINITY):
            return -1
        last = first + NEAR
        if up == INFINITY:
            mask = low[first:last] <= down
        elif down == -INFINITY:
            mask = high[first:last] >= up
        else:
            mask = (high[first:last] >= up) | (low[first:last] <= down)
        found = int(mask.argmax())
        if mask.item(found):
            return first + found
        return self._next_in_blocks(last, up, down, high, low) if last < size else -1

    def _next_in_blocks(self, first: int, up: float, down: float, high: FloatColumn, low: FloatColumn) -> int:
        """Candles from `first` on: the rest of its block, then whole blocks whose extremes reach a level."""
        block = first // BLOCK
        while True:
            begin, end = max(first, block * BLOCK), (block + 1) * BLOCK
            found = _first((high[begin:end] >= up) | (low[begin:end] <= down))
            if found >= 0:
                return begin + found
            step = self._next_block(block + 1, up, down)
            if step < 0:
                return -1
            block = step

    def _next_block(self, block: int, up: float, down: float) -> int:
        width = 64
        count = len(self._block_high)
        while block < count:
            last = block + width
            found = _first((self._block_high[block:last] >= up) | (self._block_low[block:last] <= down))
            if found >= 0:
                return block + found
            block, width = last, width * 4
        return -1


def _first(mask: NDArray[np.bool_]) -> int:
    """Index of the first true value, or -1."""
    index = int(mask.argmax())
    return index if mask.item(index) else -1
