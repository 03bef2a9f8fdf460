"""Connections: engines set up alike for both databases, and errors that name the database and never its password."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic, sleep
from typing import Any

from aiosqlite import Error as SqliteError
from attrs import define
from sqlalchemy import URL, Connection, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from traderagent_core.errors import StoreError, TraderAgentError
from traderagent_core.persistence.database.urls import make_file, parse_url

BUSY_SECONDS = 30
CONNECT_SECONDS = 5
COMMAND_SECONDS = 60
_LOCKED_SECONDS = 0.01
_WRITES = "traderagent_writes"


@define(eq=False)
class Database:
    """One database, open. Close it when done: `async with Database.open(url) as database`."""

    url: URL
    engine: AsyncEngine

    @classmethod
    @asynccontextmanager
    async def open(cls, text: str) -> AsyncIterator["Database"]:
        """A database by its URL, connected to when it is first used. Raises StoreError for what cannot be one."""
        database = cls.of(text)
        try:
            yield database
        finally:
            await database.close()

    @classmethod
    def of(cls, text: str) -> "Database":
        """As `open`, for a caller that closes it."""
        url = parse_url(text)
        if url.get_backend_name() == "sqlite":
            make_file(url)
            engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
            event.listen(engine.sync_engine, "connect", _set_up_sqlite)
            event.listen(engine.sync_engine, "begin", _begin_sqlite)
        else:
            limits = {"timeout": CONNECT_SECONDS, "command_timeout": COMMAND_SECONDS}
            engine = create_async_engine(url, hide_parameters=True, connect_args=limits, pool_size=2)
        return cls(url, engine)

    @property
    def is_postgresql(self) -> bool:
        """Whether this is PostgreSQL; else it is SQLite."""
        return self.engine.dialect.name == "postgresql"

    @property
    def name(self) -> str:
        """The URL without its password, for messages."""
        return self.url.render_as_string(hide_password=True)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """One consistent view of everything. Raises StoreError when the database does not answer."""
        options = {"isolation_level": "REPEATABLE READ"} if self.is_postgresql else {}
        async with self._transaction(options) as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: all of it, or nothing. Raises StoreError when the database does not take it."""
        async with self._transaction({_WRITES: True}) as connection:
            yield connection

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()

    @asynccontextmanager
    async def _transaction(self, options: dict[str, Any]) -> AsyncIterator[AsyncConnection]:
        try:
            async with self.engine.connect() as plain:
                connection = await plain.execution_options(**options)
                async with connection.begin():
                    yield connection
        except TraderAgentError:
            raise
        except (SQLAlchemyError, SqliteError, OSError, TimeoutError) as error:
            raise StoreError(f"the database {self.name} failed: {_cause(error)}") from error


def _cause(error: BaseException) -> str:
    """The first line of the driver's own words."""
    found = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    inner = found.__cause__ or found
    return (str(inner).strip().splitlines() or [type(inner).__name__])[0]


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    """Transactions begin when SQLAlchemy says so; readers never wait; what is committed is on disk."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    """While another program sets up the same new database this one is refused at once: it asks again."""
    deadline = monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except SqliteError as error:
            if "locked" not in str(error) or monotonic() > deadline:
                raise
            sleep(_LOCKED_SECONDS)


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes its place at once: a reader that turns into a writer can be refused."""
    is_writer = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")
