"""Horizontal lines of a chart: prices at which orders rested, stops, targets and averages, joined and thinned."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise

from traderagent_core.contract.history import RoundTrip
from traderagent_core.report.bars import Bars
from traderagent_core.report.digits import digits, longest
from traderagent_core.simulator.outcome import LevelRow

# Kinds, as the page's script knows them.
BUY, SELL, TARGET, STOP, AVERAGE = 0, 1, 2, 3, 4

Price = tuple[int, float, int, int]
"""Kind, price, from and to in ms."""
Segment = tuple[int, float, int, int]
"""Kind, price, first and last bar."""


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


def segments(rows: Iterable[Price], drawn: Bars, limit: int) -> list[Segment]:
    """Prices as segments between bars, joined where they touch or nearly so; of too many the longest, then latest.

    A gap of half a per cent of the chart is closed when that is needed to keep the limit, never more.
    """
    placed = sorted(
        (kind, digits(price), *_span(from_ms, to_ms, drawn))
        for kind, price, from_ms, to_ms in rows
        if drawn.holds(from_ms, to_ms)
    )
    found = _joined(placed, 1)
    if len(found) > limit:
        found = _joined(found, max(1, len(drawn) // 200))
    return longest(found, limit, lambda segment: segment[2:])


def _span(from_ms: int, to_ms: int, drawn: Bars) -> tuple[int, int]:
    first = drawn.index_of(from_ms)
    return first, max(first, drawn.index_of(to_ms))


def _joined(placed: Sequence[Segment], gap: int) -> list[Segment]:
    """Sorted segments of one kind and price made one where no more than `gap` bars lie between their ends."""
    joined: list[Segment] = []
    for (kind, price), same in groupby(placed, key=lambda segment: segment[:2]):
        for _, _, first, last in same:
            before = joined[-1] if joined and joined[-1][:2] == (kind, price) else None
            if before is not None and first - before[3] <= gap:
                joined[-1] = (kind, price, before[2], max(before[3], last))
            else:
                joined.append((kind, price, first, last))
    return joined
