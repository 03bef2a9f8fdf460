"""Tables as lines of text and back: the same lines whichever database they come from."""

import json
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, MetaData, Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from traderagent_core.persistence.database.tables import metadata
from traderagent_core.persistence.database.types import Money, UtcTime, Words

BATCH = 1000
KINDS: dict[str, Any] = {
    "json": JSON,
    "truth": Boolean,
    "whole": BigInteger,
    "money": Money,
    "time": UtcTime,
    "words": Words,
}
_READ: dict[str, Any] = {"money": Decimal, "time": datetime.fromisoformat}


async def table_lines(connection: AsyncConnection, table: Table) -> AsyncIterator[str]:
    """A line with the columns, then one for each row, in the order of the key."""
    yield _line([[column.name, _kind(column)] for column in table.columns])
    async for row in await connection.stream(select(table).order_by(*table.primary_key.columns)):
        yield _line([_plain(value) for value in row])


async def load_lines(connection: AsyncConnection, name: str, lines: Iterable[str]) -> int:
    """Insert what `table_lines` gave; returns the number of rows."""
    rest = iter(lines)
    columns = json.loads(next(rest))
    table = Table(name, MetaData(), *(Column(column, KINDS[kind]) for column, kind in columns))
    count = 0
    while batch := list(islice(rest, BATCH)):
        rows = [_row(columns, json.loads(line)) for line in batch]
        await connection.execute(insert(table), rows)
        count += len(rows)
    return count


async def tables_with_rows(connection: AsyncConnection) -> list[str]:
    """Names of tables that are not empty."""
    counts = {
        table.name: (await connection.execute(select(func.count()).select_from(table))).scalar()
        for table in metadata.sorted_tables
    }
    return [name for name, count in counts.items() if count]


def _row(columns: list[tuple[str, str]], values: list[Any]) -> dict[str, Any]:
    return {
        name: value if value is None else _READ.get(kind, lambda plain: plain)(value)
        for (name, kind), value in zip(columns, values, strict=True)
    }


def _kind(column: Column[Any]) -> str:
    return next((kind for kind, cls in KINDS.items() if isinstance(column.type, cls)), "whole")


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, datetime) else value


def _line(values: list[Any]) -> str:
    return json.dumps(values, separators=(",", ":")) + "\n"
