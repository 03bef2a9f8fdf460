"""The mirror writes what is durable, once, whatever the database does meanwhile."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from traderagent_core.errors import StoreError
from traderagent_core.persistence.database import mirror as mirror_module
from traderagent_core.persistence.database.connect import Database
from traderagent_core.persistence.database.mirror import Mirror
from traderagent_core.persistence.database.store import Store
from traderagent_core.persistence.database.tables import metadata
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.journal import Journal

Run = Callable[[Any], Any]
OpenJournal = Callable[..., Journal]
ACCOUNT = "bybit-7"


@asynccontextmanager
async def mirrored(url: str, journal: Journal) -> AsyncIterator[Mirror]:
    async with Database.open(url) as database:
        yield Mirror(Store(database), ACCOUNT, journal.folder, lambda: journal.durable_sequence)


async def contents(url: str) -> dict[str, list[dict[str, Any]]]:
    async with Database.open(url) as database:
        return {name: await Store(database).rows(name) for name in metadata.tables}


async def mirror_once(url: str, journal: Journal) -> int:
    async with mirrored(url, journal) as mirror:
        return await mirror.catch_up()


def test_the_database_holds_every_entry_and_its_rows(
    database_url: str, open_journal: OpenJournal, world: Any, run: Run
) -> None:
    journal = open_journal(segment_bytes=100_000)
    world.journaled(journal, 1)
    assert run(mirror_once(database_url, journal)) == journal.sequence
    found = run(contents(database_url))
    kept = [(row["sequence"], row["checksum"], row["payload"]) for row in found["journal"]]
    assert kept == [(entry.sequence, entry.checksum, entry.payload) for entry in journal.entries()]
    assert len(found["trades"]) == len([record for record in world.records if record[0] == "filled"])
    assert run(mirror_once(database_url, journal)) == 0


def test_both_databases_hold_the_same_rows(
    tmp_path: Path, new_postgres: Callable[[], str], open_journal: OpenJournal, world: Any, run: Run
) -> None:
    journal = open_journal()
    world.journaled(journal, 2)
    urls = f"sqlite:///{tmp_path}/x.db", new_postgres()
    for url in urls:
        run(mirror_once(url, journal))
    assert run(contents(urls[0])) == run(contents(urls[1]))


def test_rows_do_not_depend_on_when_the_mirror_ran_or_began_anew(
    new_database: Callable[[], str],
    open_journal: OpenJournal,
    world: Any,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mirror_module, "BATCH", 17)
    journal = open_journal()
    world.journaled(journal, 3)
    whole, bitwise = new_database(), new_database()
    run(mirror_once(whole, journal))

    async def bit_by_bit() -> None:
        reached = 0
        while reached < journal.sequence:
            async with mirrored(bitwise, journal) as mirror:
                for _ in range(3):
                    reached = min(reached + 23, journal.sequence)
                    mirror.durable = lambda: reached  # noqa: B023
                    await mirror.catch_up()
                    assert mirror.lag == 0

    run(bit_by_bit())
    assert run(contents(bitwise)) == run(contents(whole))


def test_only_what_is_durable_is_mirrored(database_url: str, open_journal: OpenJournal, run: Run) -> None:
    journal = open_journal()
    journal.append(EntryKind.EVENT, 1)
    assert run(mirror_once(database_url, journal)) == 1
    journal.sync()
    assert run(mirror_once(database_url, journal)) == 1


class Flaky(Store):
    """A store whose database goes away before or after every other commit."""

    calls = 0

    async def mirror(self, *arguments: Any) -> None:
        self.calls += 1
        if self.calls % 3 == 0:
            raise StoreError("gone before")
        await super().mirror(*arguments)
        if self.calls % 3 == 1:
            raise StoreError("gone after")


def test_a_database_that_comes_and_goes_misses_nothing(
    new_database: Callable[[], str],
    open_journal: OpenJournal,
    world: Any,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mirror_module, "BATCH", 25)
    journal = open_journal()
    world.journaled(journal, 4)
    whole, flaky = new_database(), new_database()
    run(mirror_once(whole, journal))

    async def keep_trying() -> int:
        failures = 0
        async with Database.open(flaky) as database:
            mirror = Mirror(Flaky(database), ACCOUNT, journal.folder, lambda: journal.durable_sequence)
            while mirror.lag:
                try:
                    await mirror.catch_up()
                except StoreError:
                    failures += 1
        return failures

    assert run(keep_trying()) > 10
    assert run(contents(flaky)) == run(contents(whole))


def test_a_database_that_does_not_answer_fails_soon_and_is_caught_up_later(
    open_journal: OpenJournal, new_postgres: Callable[[], str], world: Any, run: Run
) -> None:
    journal = open_journal()
    world.journaled(journal, 5)
    url = new_postgres()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(StoreError, match="failed"):
            run(mirror_once(f"postgresql://postgres@127.0.0.1:{port}/x", journal))
    journal.append(EntryKind.EVENT, "trading went on")
    journal.sync()
    assert run(mirror_once(url, journal)) == journal.sequence


def test_the_mirror_survives_a_server_that_ends_its_connections(
    open_journal: OpenJournal, new_postgres: Callable[[], str], run: Run
) -> None:
    from sqlalchemy import text

    url = new_postgres()
    journal = open_journal()

    async def check() -> None:
        async with mirrored(url, journal) as mirror, Database.open(url) as other:
            await mirror.catch_up()
            async with other.reading() as connection:
                await connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )
            journal.append(EntryKind.EVENT, 1)
            journal.sync()
            for _ in range(3):
                try:
                    await mirror.catch_up()
                except StoreError:
                    await asyncio.sleep(0)
            assert mirror.lag == 0

    run(check())


def test_another_history_of_the_account_is_refused(
    database_url: str, tmp_path: Path, open_journal: OpenJournal, run: Run
) -> None:
    journal = open_journal()
    journal.append(EntryKind.EVENT, "one history")
    journal.sync()
    run(mirror_once(database_url, journal))
    other = Journal.open(tmp_path / "other", journal.owner, reserve_bytes=0)
    other.append(EntryKind.EVENT, "another one")
    other.sync()

    async def twice() -> None:
        async with mirrored(database_url, other) as mirror:
            for _ in range(2):
                with pytest.raises(StoreError, match=r"holds another journal of account bybit-7: entry 2"):
                    await mirror.catch_up()

    run(twice())
    other.close()


def test_a_database_ahead_of_the_journal_is_refused(
    database_url: str, tmp_path: Path, open_journal: OpenJournal, run: Run
) -> None:
    journal = open_journal()
    journal.append(EntryKind.EVENT, 1)
    journal.sync()
    run(mirror_once(database_url, journal))
    other = Journal.open(tmp_path / "other", journal.owner, reserve_bytes=0)
    with pytest.raises(StoreError, match=r"ahead of the journal.*has entry 2.*ends with 1"):
        run(mirror_once(database_url, other))
    other.close()
