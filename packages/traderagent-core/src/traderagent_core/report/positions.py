"""Positions on a chart: their spans, and how far the price went for and against them."""

from collections.abc import Iterable, Sequence
from typing import Any

from traderagent_core.contract.exhibit import Column, Table
from traderagent_core.contract.history import RoundTrip
from traderagent_core.report.bars import Bars
from traderagent_core.report.digits import digits, longest

COLUMNS = (
    Column("bot", "Bot"),
    Column("number", "No", "count"),
    Column("side", "Side"),
    Column("plan", "Plan"),
    Column("opened", "Opened", "time"),
    Column("closed", "Closed", "time"),
    Column("entries", "Entries", "count"),
    Column("quantity", "Quantity", "number"),
    Column("entry", "Entry", "number"),
    Column("exit", "Exit", "number"),
    Column("reason", "Ended by"),
    Column("gross", "Gross", "money"),
    Column("fees", "Fees", "number"),
    Column("funding", "Funding", "money"),
    Column("net", "Net", "money"),
    Column("mfe_ratio", "Best", "ratio"),
    Column("mae_ratio", "Worst", "ratio"),
)
NOTE = (
    "From flat to flat. Best and worst are the largest excursions for and against the position, as a share of its"
    " average entry."
)


def positions_table(trips: Sequence[RoundTrip]) -> Table:
    """All positions of a run."""
    return Table("positions", "Positions", COLUMNS, [_row(trip) for trip in trips], NOTE)


def spans(trips: Iterable[RoundTrip], drawn: Bars, end_ms: int, limit: int) -> list[list[Any]]:
    """Positions as [first bar, last bar, long, entry, exit, net, best, worst, number, entries, reason]."""
    shown = [trip for trip in trips if drawn.holds(trip.opened_ms, trip.closed_ms or end_ms)]
    kept = longest(shown, limit, lambda trip: (trip.opened_ms, trip.closed_ms or end_ms))
    return [_span(trip, drawn, end_ms) for trip in kept]


def excursions(trips: Iterable[RoundTrip], drawn: Bars) -> list[list[float]]:
    """By the bar in which positions ended: [bar, best, worst, mean result], in per cent of the entry."""
    found: dict[int, list[tuple[float, float, float]]] = {}
    for trip in trips:
        if trip.closed_ms is not None and drawn.holds(trip.closed_ms, trip.closed_ms):
            shares = (
                trip.mfe / trip.entry_price,
                trip.mae / trip.entry_price,
                trip.net_profit / trip.invested,
            )
            best, worst, net = (float(share) * 100 for share in shares)
            found.setdefault(drawn.index_of(trip.closed_ms), []).append((best, worst, net))
    return [
        [bar, *(round(part, 4) for part in (max(best), max(worst), sum(net) / len(net)))]
        for bar, own in sorted(found.items())
        for best, worst, net in [tuple(zip(*own, strict=True))]
    ]


def _span(trip: RoundTrip, drawn: Bars, end_ms: int) -> list[Any]:
    first = drawn.index_of(trip.opened_ms)
    return [
        first,
        max(first, drawn.index_of(trip.closed_ms or end_ms)),
        int(trip.is_long),
        digits(float(trip.entry_price)),
        None if trip.exit_price is None else digits(float(trip.exit_price)),
        digits(float(trip.net_profit)),
        digits(float(trip.mfe)),
        digits(float(trip.mae)),
        trip.number,
        trip.entries,
        trip.reason,
    ]


def _row(trip: RoundTrip) -> tuple[Any, ...]:
    return (
        trip.bot,
        trip.number,
        "LONG" if trip.is_long else "SHORT",
        trip.plan,
        trip.opened_ms,
        trip.closed_ms,
        trip.entries,
        trip.quantity,
        trip.entry_price,
        trip.exit_price,
        trip.reason,
        trip.gross_profit,
        trip.fees,
        trip.funding,
        trip.net_profit,
        trip.mfe / trip.entry_price,
        trip.mae / trip.entry_price,
    )
