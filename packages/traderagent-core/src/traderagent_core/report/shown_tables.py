"""Tables of a report for programs and for the page: those of plugins, positions, trades."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any

from traderagent_core.contract.exhibit import Cell, Column, Kind, Table
from traderagent_core.report.coordination_tables import coordination_tables
from traderagent_core.report.digits import fair_limit
from traderagent_core.report.positions import positions_table
from traderagent_core.report.text import iso, jsonable
from traderagent_core.simulator.coordination import Coordination
from traderagent_core.simulator.outcome import Outcome, Shown, TradeRow

Owned = tuple[str, str, Table]
"""Whose table it is, whether a strategy's or a filter's, and the table."""
JsonRow = Mapping[str, Any]
PAGE_ROWS = 3000
LEAST_ROWS = 100
FILE_ROWS = 20_000
"""Rows of the tables of plugins in result.json, all together: about 6 MB."""
_EXACT = Context(prec=20)
"""Cells with more digits than this are results of a division; they are rounded to so many."""

TRADES = Table(
    "trades",
    "Trades and cycles",
    (
        Column("bot", "Bot"),
        Column("symbol", "Symbol"),
        Column("kind", "Kind"),
        Column("slot", "Slot"),
        Column("side", "Side"),
        Column("opened", "Opened", "time"),
        Column("closed", "Closed", "time"),
        Column("quantity", "Quantity", "number"),
        Column("entry", "Entry", "number"),
        Column("exit", "Exit", "number"),
        Column("gross", "Gross", "money"),
        Column("fees", "Fees", "number"),
        Column("net", "Net", "money"),
    ),
    (),
)


def exhibit_dicts(
    exhibits: Sequence[Shown], *, limit: int = FILE_ROWS, keep: Callable[[Iterator[JsonRow]], Any] = list
) -> list[dict[str, Any]]:
    """The tables of plugins for JSON: rows by the names of their columns, times as ISO text; the latest of many.

    `keep` makes of rows what stands in the place of their list.
    """
    most = fair_limit([len(table.rows) for shown in exhibits for table in shown.exhibit.tables], limit)
    return [
        {
            "owner": shown.owner,
            "kind": shown.kind,
            "plugin": shown.plugin,
            "tables": {table.name: _table_dict(table, most, keep) for table in shown.exhibit.tables},
        }
        for shown in exhibits
    ]


def page_tables(outcome: Outcome) -> list[dict[str, Any]]:
    """Tables as the page's script knows them, each cut to its latest rows where they are too many together."""
    tables = _merged(
        [
            (shown.owner, shown.kind, table)
            for shown in outcome.study.exhibits
            for table in shown.exhibit.tables
            if table.rows
        ]
    )
    told = {
        shown.owner for shown in outcome.study.exhibits if shown.kind == "strategy" and shown.exhibit.tables
    }
    others = [trip for trip in outcome.study.round_trips if trip.bot not in told]
    if others:
        tables.append(("", "", positions_table(others)))
    if outcome.trades:
        table = Table(TRADES.name, TRADES.title, TRADES.columns, [_trade(trade) for trade in outcome.trades])
        tables.append(("", "", table))
    limit = _limit([len(table.rows) for _, _, table in tables])
    return [_page_table(owner, kind, table, limit) for owner, kind, table in tables]


def _merged(tables: Sequence[Owned]) -> list[Owned]:
    """Tables of the same name and columns as one that tells whose rows they are, where several have it."""
    groups: dict[tuple[str, str, tuple[Column, ...]], list[Owned]] = {}
    for each in tables:
        groups.setdefault((each[1], each[2].name, each[2].columns), []).append(each)
    return [_joined(group) if len(group) > 1 else group[0] for group in groups.values()]


def _joined(group: Sequence[Owned]) -> Owned:
    """Rows of several owners in one table, by their last time where they have times."""
    _, kind, first = group[0]
    whose = Column("bot", "Bot") if kind == "strategy" else Column("filter", "Filter")
    rows = [(owner, *row) for owner, _, table in group for row in table.rows]
    columns = (whose, *first.columns)
    times = [place for place, column in enumerate(columns) if column.kind == "time"]
    if times:
        rows.sort(key=lambda row: max(_time(row[place]) for place in times))
    return "", kind, Table(first.name, first.title, columns, rows, first.note)


def _time(cell: Cell) -> int:
    return cell if isinstance(cell, int) else 0


def coordination_page_tables(found: Coordination) -> list[dict[str, Any]]:
    """The tables on coordination, as the page's script knows them."""
    tables = coordination_tables(found)
    limit = _limit([len(table.rows) for table in tables])
    return [_page_table("", "", table, limit) for table in tables]


def _limit(lengths: Sequence[int]) -> int:
    """The most rows that each table of the page may have."""
    return max(fair_limit(lengths, PAGE_ROWS), LEAST_ROWS)


def _table_dict(table: Table, limit: int, keep: Callable[[Iterator[JsonRow]], Any]) -> dict[str, Any]:
    columns = [{"name": each.name, "title": each.title, "kind": each.kind} for each in table.columns]
    rows = (
        {column.name: _json_cell(cell, column.kind) for column, cell in zip(table.columns, row, strict=True)}
        for row in table.rows[max(len(table.rows) - limit, 0) :]
    )
    return {
        "title": table.title,
        "note": table.note,
        "columns": columns,
        "rows": keep(rows),
        "total": len(table.rows),
    }


def _json_cell(cell: Any, kind: Kind) -> Any:
    if cell is None:
        return None
    if kind == "time":
        return iso(int(cell))
    return jsonable(_EXACT.plus(cell) if isinstance(cell, Decimal) else cell)


def _page_table(owner: str, kind: str, table: Table, limit: int) -> dict[str, Any]:
    rows = table.rows[-limit:]
    return {
        "name": table.name,
        "title": table.title,
        "owner": owner,
        "kind": kind,
        "note": table.note,
        "total": len(table.rows),
        "columns": [[column.title, column.kind] for column in table.columns],
        "rows": [
            [_page_cell(cell, column.kind) for column, cell in zip(table.columns, row, strict=True)]
            for row in rows
        ],
    }


def _page_cell(cell: Any, kind: Kind) -> Any:
    """Times in seconds, numbers with ten significant digits."""
    if cell is None or isinstance(cell, bool | str):
        return cell
    if kind == "time":
        return int(cell) // 1000
    return cell if isinstance(cell, int) else float(f"{cell:.10g}")


def _trade(trade: TradeRow) -> tuple[Any, ...]:
    return (*trade, trade.net_profit)
