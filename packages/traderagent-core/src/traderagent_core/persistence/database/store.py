"""The store: rows in, rows out, the same on SQLite and PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define
from sqlalchemy import Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from traderagent_core.errors import StoreError
from traderagent_core.persistence.database.connect import Database
from traderagent_core.persistence.database.migrating import migrate
from traderagent_core.persistence.database.tables import journal as journal_table
from traderagent_core.persistence.database.tables import metadata
from traderagent_core.persistence.journal.entry import Entry

Row = dict[str, Any]


@define(eq=False)
class Store:
    """Tables of one database, at the schema of this version once `prepare` has run."""

    database: Database

    async def prepare(self) -> None:
        """Make or upgrade the tables."""
        await migrate(self.database)

    async def rows(self, table: str, **equal: Any) -> list[Row]:
        """Rows of a table whose columns have these values, in the order of its key."""
        async with self.database.reading() as connection:
            return await fetch(connection, metadata.tables[table], **equal)

    async def write(self, rows: Mapping[str, Sequence[Row]]) -> None:
        """Insert or replace rows by their keys, all tables in one transaction."""
        async with self.database.writing() as connection:
            await upsert_all(connection, rows)

    async def remove(self, table: str, **equal: Any) -> int:
        """Remove rows whose columns have these values; returns how many there were."""
        found = metadata.tables[table]
        async with self.database.writing() as connection:
            done = await connection.execute(
                delete(found).where(*(found.c[name] == value for name, value in equal.items()))
            )
            return int(done.rowcount)

    async def position(self, account: str) -> int:
        """The last entry of an account's journal that is mirrored; 0 when none is."""
        query = select(func.max(journal_table.c.sequence)).where(journal_table.c.account == account)
        async with self.database.reading() as connection:
            return int((await connection.execute(query)).scalar() or 0)

    async def mirror(
        self, account: str, entries: Sequence[tuple[int, Entry]], rows: Mapping[str, Sequence[Row]]
    ) -> None:
        """Write entries, each with its epoch, and the rows that follow from them, in one transaction.

        Entries that are there already are left alone. Raises StoreError when one of them is not the same: then
        another journal of this account has been mirrored here.
        """
        if not entries:
            return
        async with self.database.writing() as connection:
            await _require_same(connection, self.database, account, [entry for _, entry in entries])
            await upsert_all(
                connection, {"journal": [_journal_row(account, *each) for each in entries], **rows}
            )


async def fetch(connection: AsyncConnection, table: Table, **equal: Any) -> list[Row]:
    """Rows of a table as plain dicts, in the order of its key."""
    query = select(table).where(*(table.c[name] == value for name, value in equal.items()))
    found = await connection.execute(query.order_by(*table.primary_key.columns))
    return [dict(row) for row in found.mappings()]


async def upsert_all(connection: AsyncConnection, rows: Mapping[str, Sequence[Row]]) -> None:
    """Insert or replace rows of several tables, what is referred to before what refers."""
    for table in metadata.sorted_tables:
        if rows.get(table.name):
            await upsert(connection, table, rows[table.name])


async def upsert(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; one whose key is there already is replaced."""
    module = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement: Any = module.insert(table)
    key = list(table.primary_key.columns)
    changed = {
        column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key
    }
    await connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed), list(rows))


def _journal_row(account: str, epoch: int, entry: Entry) -> Row:
    return {
        "account": account,
        "sequence": entry.sequence,
        "epoch": epoch,
        "kind": entry.kind.value,
        "checksum": entry.checksum,
        "payload": entry.payload,
    }


async def _require_same(
    connection: AsyncConnection, database: Database, account: str, entries: Iterable[Entry]
) -> None:
    wanted = {entry.sequence: entry.checksum for entry in entries}
    table = journal_table
    query = select(table.c.sequence, table.c.checksum).where(
        table.c.account == account, table.c.sequence.between(min(wanted), max(wanted))
    )
    for sequence, checksum in await connection.execute(query):
        if wanted[sequence] != checksum:
            raise StoreError(
                f"the database {database.name} holds another journal of account {account}: entry {sequence} is not"
                " the same; use another database, or restore the journal that belongs to this one"
            )
