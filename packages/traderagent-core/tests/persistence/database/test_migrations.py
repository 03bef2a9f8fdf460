"""Schemas come from migrations alone, on both databases, and say what the tables say."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from traderagent_core.errors import StoreError
from traderagent_core.persistence.database.connect import Database
from traderagent_core.persistence.database.migrating import (
    NEWEST,
    downgrade,
    migrate,
    revision_of,
    scripts,
)
from traderagent_core.persistence.database.store import Store
from traderagent_core.persistence.database.tables import metadata

Run = Callable[[Any], Any]
REVISIONS = [script.revision for script in scripts().walk_revisions()][::-1]


def differences(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "compare_server_default": True}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


async def on(database: Database, function: Callable[[Connection], Any]) -> Any:
    async with database.reading() as connection:
        return await connection.run_sync(function)


async def tables(database: Database) -> set[str]:
    return await on(database, lambda sync: set(inspect(sync).get_table_names())) - {"alembic_version"}


def test_the_newest_revision_is_the_last_of_the_migrations() -> None:
    assert scripts().get_current_head() == NEWEST


def test_a_database_that_is_up_to_date_needs_no_tool_for_migrations(tmp_path: Path) -> None:
    """A run would carry its 13 MB along for ever."""
    url = f"sqlite:///{tmp_path / 'kept.db'}"
    code = (
        "import asyncio, sys\n"
        "from traderagent_core.persistence.database.connect import Database\n"
        "from traderagent_core.persistence.database.store import Store\n"
        "async def prepare():\n"
        f"    async with Database.open({url!r}) as database:\n"
        "        await Store(database).prepare()\n"
        "asyncio.run(prepare())\n"
        "print('alembic' in sys.modules)\n"
    )
    told = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True) for _ in range(2)]
    assert [each.stdout for each in told] == ["True\n", "False\n"], told[-1].stderr


def test_migrations_make_what_the_tables_say(database_url: str, run: Run) -> None:
    async def check() -> None:
        async with Database.open(database_url) as database:
            assert await revision_of(database) is None
            await migrate(database)
            assert await revision_of(database) == NEWEST
            assert await on(database, differences) == []
            assert await tables(database) == set(metadata.tables)

    run(check())


def test_foreign_keys_and_indexes_are_there(database_url: str, run: Run) -> None:
    def described(sync: Connection) -> set[tuple[str, tuple[str, ...]]]:
        found = inspect(sync)
        return {
            (table, tuple(each["column_names" if kind == "index" else "constrained_columns"]))
            for table in metadata.tables
            for kind, listed in (("index", found.get_indexes(table)), ("key", found.get_foreign_keys(table)))
            for each in listed
        }

    async def check() -> None:
        async with Database.open(database_url) as database:
            await migrate(database)
            expected = {
                (table.name, tuple(column.name for column in each.columns))
                for table in metadata.tables.values()
                for each in (*table.indexes, *table.foreign_key_constraints)
            }
            assert await on(database, described) == expected

    run(check())


def test_every_migration_goes_up_and_down(database_url: str, run: Run) -> None:
    async def check() -> None:
        async with Database.open(database_url) as database:
            for _ in range(2):
                for revision in REVISIONS:
                    await migrate(database, revision)
                    assert await revision_of(database) == revision
                for revision in [*REVISIONS[-2::-1], "base"]:
                    await downgrade(database, revision)
                assert await tables(database) == set()

    run(check())


def test_two_programs_may_start_at_once(database_url: str, run: Run) -> None:
    async def start() -> None:
        async with Database.open(database_url) as database:
            await Store(database).prepare()

    async def check() -> None:
        await asyncio.gather(*(start() for _ in range(4)))
        async with Database.open(database_url) as database:
            assert await revision_of(database) == NEWEST

    run(check())


def test_a_migration_that_fails_leaves_nothing_behind(database_url: str, run: Run) -> None:
    async def check() -> None:
        async with Database.open(database_url) as database:
            async with database.writing() as connection:
                await connection.execute(text("CREATE TABLE trades (x INTEGER)"))
            with pytest.raises(StoreError, match="trades"):
                await migrate(database)
            assert await tables(database) == {"trades"}

    run(check())


def test_a_database_of_a_newer_version_is_refused(database_url: str, run: Run) -> None:
    async def check() -> None:
        async with Database.open(database_url) as database:
            await migrate(database)
            async with database.writing() as connection:
                await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            with pytest.raises(StoreError, match=r"revision 9999, which this version does not know.*upgrade"):
                await Store(database).prepare()

    run(check())
