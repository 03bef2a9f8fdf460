"""Databases for tests on the PostgreSQL of this machine: empty when made, dropped in the end.

Their names tell the process that made them. What a killed process has left is dropped by the next one that makes any.
"""

import asyncio
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

from attrs import define, field

from traderagent_core.live.control.left import is_alive

SERVER = "postgresql://postgres@127.0.0.1:5432"
TIMEOUT_SECONDS = 3.0
_NAME = re.compile(r"traderagent_test_(\d+)_[0-9a-f]+")


@define(eq=False)
class Databases:
    """Makes databases on a server; OSError or TimeoutError says that no server answers."""

    server: str = SERVER
    _made: list[str] = field(factory=list)

    def make(self) -> str:
        """The URL of an empty database."""
        if not self._made:
            self._drop(self._abandoned())
        name = f"traderagent_test_{os.getpid()}_{uuid4().hex[:12]}"
        asyncio.run(self._ask(f"CREATE DATABASE {name}"))
        self._made.append(name)
        return f"{self.server}/{name}"

    def drop(self) -> None:
        """Drop all that were made."""
        made, self._made = self._made, []
        self._drop(made)

    def _abandoned(self) -> list[str]:
        """Databases of processes of this machine that are gone."""
        rows = asyncio.run(
            self._ask(r"SELECT datname FROM pg_database WHERE datname LIKE 'traderagent\_test\_%'")
        )
        return [name for name in rows if (found := _NAME.fullmatch(name)) and not is_alive(int(found[1]))]

    def _drop(self, names: Sequence[str]) -> None:
        """Together, since each waits for a checkpoint."""

        async def drop_all() -> None:
            drops = (self._ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)") for name in names)
            found = await asyncio.gather(*drops, return_exceptions=True)
            for failure in found:
                if isinstance(failure, BaseException):
                    raise failure

        asyncio.run(drop_all())

    async def _ask(self, statement: str) -> list[str]:
        import asyncpg

        connection = await asyncpg.connect(f"{self.server}/postgres", timeout=TIMEOUT_SECONDS)
        try:
            return [row[0] for row in await connection.fetch(statement)]
        finally:
            await connection.close()


@contextmanager
def databases(server: str = SERVER) -> Iterator[Databases]:
    """Databases that are there while inside."""
    found = Databases(server)
    try:
        yield found
    finally:
        found.drop()
