"""Databases for tests are dropped in the end; what a killed process has left is dropped by the next."""

import asyncio
import os
import subprocess
import sys

import pytest
from traderagent_core.testing.postgres import SERVER, Databases, databases

asyncpg = pytest.importorskip("asyncpg", reason="PostgreSQL needs the extra: traderagent-core[postgres]")


def is_there(url: str) -> bool:
    async def ask() -> bool:
        connection = await asyncpg.connect(f"{SERVER}/postgres", timeout=3)
        try:
            name = url.rpartition("/")[2]
            return bool(await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name))
        finally:
            await connection.close()

    return asyncio.run(ask())


def made(there: Databases) -> str:
    try:
        return there.make()
    except (OSError, TimeoutError) as error:
        pytest.skip(f"no PostgreSQL answers: {error}")


def test_they_are_dropped_after_a_failure_too() -> None:
    urls = []

    def fail() -> None:
        with databases() as there:
            urls.append(made(there))
            assert is_there(urls[0])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not is_there(urls[0])


def test_what_a_killed_process_has_left_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    own = os.getpid()
    with monkeypatch.context() as patched:
        patched.setattr(os, "getpid", lambda: gone.pid)
        left = made(Databases())
    with databases() as alive, databases() as there:
        kept = made(alive)
        assert not is_there(left)
        made(there)
        assert f"_{own}_" in kept
        assert is_there(kept)
