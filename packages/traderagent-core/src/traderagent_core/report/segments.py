"""Horizontal lines of a chart: prices at which orders rested, stops, targets and averages, joined and thinned."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from traderagent_core.contract.history import RoundTrip
from traderagent_core.model.candle import FloatColumn
from traderagent_core.report.bars import Bars
from traderagent_core.report.curve import IndexColumn
from traderagent_core.report.digits import short
from traderagent_core.simulator.outcome import LevelRow

# Kinds, as the page's script knows them.
BUY, SELL, TARGET, STOP, AVERAGE = 0, 1, 2, 3, 4

Price = tuple[int, float, int, int]
"""Kind, price, from and to in ms."""
Segment = tuple[int, float, int, int]
"""Kind, price, first and last bar."""
Prices = NDArray[np.float64]
"""A `Price` in each row."""


def level_prices(levels: Iterable[LevelRow]) -> Iterator[tuple[str, Price]]:
    """Where orders rested, each with its symbol; where stops stood is told of positions."""
    for row in levels:
        if row.purpose != "STOP_LOSS":
            side = BUY if row.side == "BUY" else SELL
            kind = TARGET if row.purpose == "TAKE_PROFIT" else side
            yield row.symbol, (kind, float(row.price), row.from_ms, row.to_ms)


def trip_prices(trips: Iterable[RoundTrip], end_ms: int) -> Iterator[Price]:
    """Averages and stops of positions."""
    for trip in trips:
        last_ms = end_ms if trip.closed_ms is None else trip.closed_ms
        for kind, changes in ((AVERAGE, trip.averages), (STOP, trip.stops)):
            for (from_ms, price), (to_ms, _) in pairwise((*changes, (last_ms, None))):
                if price is not None:
                    yield kind, float(price), from_ms, to_ms


def as_rows(numbers: Iterable[float]) -> Prices:
    """Prices that follow each other as plain numbers, which takes a fifth of the memory of tuples."""
    return np.fromiter(numbers, np.float64).reshape(-1, 4)


def segments(rows: Prices, drawn: Bars, limit: int) -> list[Segment]:
    """Prices as segments between bars, joined where they touch or nearly so; of too many the longest, then latest.

    A gap of half a per cent of the chart is closed when that is needed to keep the limit, never more.
    """
    found = _joined(_placed(rows, drawn), 1)
    if len(found.first) > limit:
        found = _joined(found, max(1, len(drawn) // 200))
        found = found.at(_longest(found, limit))
    columns = (found.kind, found.price, found.first, found.last)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@frozen(eq=False)
class _Segments:
    """Segments as columns, sorted by kind, price, first and last bar."""

    kind: NDArray[np.int64]
    price: FloatColumn
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    def at(self, index: IndexColumn) -> "_Segments":
        """Some of them."""
        return _Segments(self.kind[index], self.price[index], self.first[index], self.last[index])


def _placed(rows: Prices, drawn: Bars) -> _Segments:
    """Those that have a part on the chart."""
    if len(rows):
        rows = rows[(rows[:, 3] > drawn.start_ms) & (rows[:, 2] <= drawn.end_ms)]
    kinds, times = rows[:, 0].astype(np.int64), rows[:, 2:].astype(np.int64)
    different, place = np.unique(rows[:, 1], return_inverse=True)
    prices = np.array(short(different), np.float64)[place]
    first = drawn.indexes_of(times[:, 0])
    last = np.maximum(first, drawn.indexes_of(times[:, 1]))
    return _Segments(kinds, prices, first, last).at(np.lexsort((last, first, prices, kinds)))


def _joined(parts: _Segments, gap: int) -> _Segments:
    """Those of one kind and price made one where no more than `gap` bars lie between their ends."""
    if not len(parts.first):
        return parts
    is_other = np.append(True, (np.diff(parts.kind) != 0) | (np.diff(parts.price) != 0))
    # The last bar of all so far that are of the same kind and price: raised from each such group to the next.
    raised = (int(parts.last.max()) + 1) * np.cumsum(is_other)
    reached = np.maximum.accumulate(parts.last + raised) - raised
    is_apart = np.append(True, parts.first[1:] - reached[:-1] > gap)
    begins = np.flatnonzero(is_other | is_apart)
    joined = parts.at(begins)
    return evolve(joined, last=reached[np.append(begins[1:], len(reached)) - 1])


def _longest(parts: _Segments, limit: int) -> IndexColumn:
    """Where the longest are, of equally long ones the latest."""
    order = np.lexsort((parts.last, parts.last - parts.first))
    return np.sort(order[max(len(order) - limit, 0) :])
