import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from traderagent_core.errors import StoreError
from traderagent_core.persistence.database.connect import Database
from traderagent_core.persistence.database.store import Store

Run = Callable[[Any], Any]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://x@y/z", r"mysql://.*expected sqlite:///FILE or postgresql://"),
        ("sqlite+pysqlite:///x.db", r"sqlite\+pysqlite://"),
        ("sqlite://", "keeps nothing"),
        ("sqlite:///:memory:", "keeps nothing"),
        ("traderagent.db", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        Database.of(url)


def test_a_wrong_url_is_not_repeated_since_it_may_hold_a_password() -> None:
    with pytest.raises(StoreError) as caught:
        Database.of("postgresql:/me:hunter2@host")
    assert "hunter2" not in str(caught.value)


def test_messages_never_show_the_password(run: Run) -> None:
    async def ask() -> None:
        async with Database.open("postgresql://me:hunter2@127.0.0.1:9/none") as database:
            await Store(database).prepare()

    with pytest.raises(
        StoreError, match=r"postgresql\+asyncpg://me:\*\*\*@127.0.0.1:9/none failed"
    ) as caught:
        run(ask())
    assert "hunter2" not in str(caught.value)


def test_values_never_appear_in_messages(database_url: str, run: Run) -> None:
    async def ask() -> None:
        async with Database.open(database_url) as database:
            await Store(database).prepare()
            async with database.writing() as connection:
                await connection.execute(
                    text("INSERT INTO bots (name) VALUES (:secret)"), {"secret": "hunter2"}
                )

    with pytest.raises(StoreError) as caught:
        run(ask())
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "file/x/y.db"])
def test_what_is_in_the_way_of_a_database_is_told(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match=r"cannot be opened: .*(Is a directory|Not a directory)"):
        Database.of(f"sqlite:///{tmp_path}/{name}")


def test_a_file_that_is_no_database_is_told(tmp_path: Path, run: Run) -> None:
    (tmp_path / "x.db").write_text("hello" * 1000, encoding="utf-8")

    async def ask() -> None:
        async with Database.open(f"sqlite:///{tmp_path}/x.db") as database:
            await Store(database).prepare()

    with pytest.raises(StoreError, match="file is not a database"):
        run(ask())


def test_a_transaction_that_fails_leaves_nothing(database_url: str, run: Run) -> None:
    async def check() -> None:
        async with Database.open(database_url) as database:
            store = Store(database)
            await store.prepare()
            good = {"account": "a", "bot": "b", "symbol": "s", "cycles": 0}
            broken = {**good, "quantity": Decimal(1)}
            with pytest.raises(StoreError):
                await store.write({"positions": [broken]})
            assert await store.rows("positions") == []

    run(check())


def test_references_to_nothing_are_refused(database_url: str, run: Run) -> None:
    async def check() -> None:
        async with Database.open(database_url) as database:
            store = Store(database)
            await store.prepare()
            with pytest.raises(StoreError, match=r"(?i)foreign key"):
                await store.write(
                    {"dca_signals": [{"account": "a", "signal": 1, "plan_id": 1, "evidence": ""}]}
                )

    run(check())


def test_readers_see_one_state_while_writers_write(database_url: str, run: Run) -> None:
    async def check() -> None:
        async with Database.open(database_url) as database:
            store = Store(database)
            await store.prepare()
            count = text("SELECT count(*) FROM journal")
            async with database.reading() as connection:
                before = (await connection.execute(count)).scalar()
                row = {
                    "account": "a",
                    "sequence": 1,
                    "epoch": 1,
                    "kind": "event",
                    "checksum": "",
                    "payload": "",
                }
                await store.write({"journal": [row]})
                assert (await connection.execute(count)).scalar() == before
            assert await store.position("a") == 1

    run(check())


def test_writers_wait_for_each_other(database_url: str, run: Run) -> None:
    async def write(number: int) -> None:
        async with Database.open(database_url) as database:
            row = {
                "account": "a",
                "sequence": number,
                "epoch": 1,
                "kind": "event",
                "checksum": "",
                "payload": "",
            }
            await Store(database).write({"journal": [row]})

    async def check() -> None:
        async with Database.open(database_url) as database:
            await Store(database).prepare()
            await asyncio.gather(*(write(number) for number in range(1, 9)))
            assert len(await Store(database).rows("journal")) == 8

    run(check())
