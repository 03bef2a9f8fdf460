"""Statistics of verdicts: how many of each kind, for which reasons, and what became of what they let through."""

from collections.abc import Sequence
from decimal import Decimal

from traderagent_core import Column, Judged, Ruling, Table

Cell = str | int | float | Decimal | bool | None

FATE = (
    Column("verdicts", "Verdicts", "count"),
    Column("share", "Share", "ratio"),
    Column("granted", "Granted", "count"),
    Column("closed", "Closed", "count"),
    Column("won", "Won", "count"),
    Column("win_rate", "Win rate", "ratio"),
    Column("mean", "Mean net", "money"),
    Column("net", "Net", "money"),
)
LOG = (
    Column("time", "Time", "time"),
    Column("bot", "Bot"),
    Column("symbol", "Symbol"),
    Column("price", "Price", "number"),
    Column("ruling", "Ruling"),
    Column("reason", "Reason"),
    Column("confidence", "Confidence", "number"),
    Column("zone_kind", "Zone"),
    Column("zones", "Zones"),
    Column("size_factor", "Size", "number"),
    Column("granted", "Granted"),
    Column("position", "Position", "count"),
    Column("net", "Net", "money"),
)
NOTE = (
    "Granted are plans that nothing else refused; closed, won and net are of the positions that these opened. What a "
    "refused plan would have brought is not known."
)


Row = tuple[Cell, ...]
"""A verdict as LOG tells it."""
_PLACES = {column.name: place for place, column in enumerate(LOG)}
_RULING, _REASON, _ZONE, _GRANTED, _NET = (
    _PLACES[name] for name in ("ruling", "reason", "zone_kind", "granted", "net")
)


def told(each: Judged) -> Row:
    """What is told of a verdict."""
    verdict, trip = each.verdict, each.round_trip
    return (
        each.time_ms,
        each.bot,
        each.symbol,
        each.price,
        verdict.ruling.value,
        verdict.reason,
        verdict.evidence.get("confidence"),
        str(verdict.evidence.get("zone_kind", "")).replace("_", " "),
        " ".join(verdict.evidence.get("zones", ())),
        verdict.size_factor,
        each.is_granted,
        None if trip is None else trip.number,
        None if trip is None or trip.closed_ms is None else trip.net_profit,
    )


def tables(verdicts: Sequence[Row]) -> tuple[Table, ...]:
    """Verdicts by ruling, by reason and kind of zone, and one by one."""
    by_ruling = _grouped(verdicts, _RULING)
    by_reason = _grouped(verdicts, _RULING, _REASON, _ZONE)
    ruling, reason = Column("ruling", "Ruling"), Column("reason", "Reason")
    kind = Column("zone_kind", "Zone")
    return (
        Table("rulings", "SMC statistics", (ruling, *FATE), by_ruling, NOTE),
        Table("reasons", "SMC verdicts by reason and zone", (ruling, reason, kind, *FATE), by_reason),
        Table("verdicts", "SMC verdicts", LOG, verdicts),
    )


def _grouped(verdicts: Sequence[Row], *places: int) -> list[Row]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in verdicts:
        groups.setdefault(tuple(str(row[place]) for place in places), []).append(row)
    order = [ruling.value for ruling in Ruling]
    names = sorted(groups, key=lambda name: (order.index(name[0]), name[1:]))
    return [(*name, *_fate(groups[name], len(verdicts))) for name in names]


def _fate(group: Sequence[Row], total: int) -> Row:
    results = [net for row in group if isinstance(net := row[_NET], Decimal)]
    won, net = sum(result > 0 for result in results), sum(results, Decimal(0))
    granted = sum(row[_GRANTED] is True for row in group)
    rate, mean = (won / len(results), net / len(results)) if results else (None, None)
    return len(group), len(group) / total, granted, len(results), won, rate, mean, net
