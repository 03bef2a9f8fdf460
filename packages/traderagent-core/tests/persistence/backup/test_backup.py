"""A backup put back elsewhere is the same state; a damaged one, or one over something, changes nothing."""

import asyncio
import shutil
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from traderagent_core.errors import AccountHeldError, BackupError, JournalDamagedError, StoreError
from traderagent_core.persistence.backup.archive import MANIFEST
from traderagent_core.persistence.backup.restoring import restore_backup
from traderagent_core.persistence.backup.writing import write_backup
from traderagent_core.persistence.database.connect import Database
from traderagent_core.persistence.database.mirror import Mirror
from traderagent_core.persistence.database.store import Store
from traderagent_core.persistence.database.tables import metadata
from traderagent_core.persistence.ended_calls import EndedCall, keep_ended, read_ended
from traderagent_core.persistence.folders import account_folder, accounts_in
from traderagent_core.persistence.journal.compaction import compact
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.journal.lock import Owner
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.persistence.journal.segments import find_segments
from traderagent_core.persistence.snapshots import Snapshots

Run = Callable[[Any], Any]
OWNER = Owner("", "testing", 1, 0)
ACCOUNTS = ("bybit-7", "okx/main.1")
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path, world: Any) -> Path:
    """A state with two accounts, one of them with a world's history, compressed in part, and snapshots."""
    root = tmp_path / "state"
    for account in ACCOUNTS:
        folder = account_folder(root, account)
        journal = Journal.open(folder, Owner(account, "testing", 1, 0), segment_bytes=50_000, reserve_bytes=0)
        if account == ACCOUNTS[0]:
            world.journaled(journal, 1)
            compact(folder, journal.sequence // 2)
            keep_ended(folder, EndedCall(3, 1, "bot", "on_fill"))
        journal.append(EntryKind.EVENT, {"of": account})
        Snapshots(folder).save(journal, {"of": account})
        journal.close()
    return root


async def mirror(root: Path, url: str) -> None:
    async with Database.open(url) as database:
        store = Store(database)
        for account in ACCOUNTS:
            folder = account_folder(root, account)
            last = max(entry.sequence for entry in read_entries(folder))
            await Mirror(store, account, folder, lambda last=last: last).catch_up()
        secret = dict.fromkeys(("exchange_id", "environment", "api_key", "api_secret"), "sealed")
        row = {"name": "x", "passphrase": None, "created_at": NOW, "updated_at": NOW, **secret}
        await store.write({"exchange_credentials": [row]})
        template = {"name": "t", "strategy": "grid", "description": "", "config": {"levels": [1, "2", None]}}
        await store.write({"strategy_templates": [{**template, "created_at": NOW, "updated_at": NOW}]})


async def backed_up(root: Path, url: str, out: Path) -> Any:
    async with Database.open(url) as database:
        return await write_backup(root, Store(database), out, 1)


async def restored(path: Path, root: Path, url: str) -> Any:
    async with Database.open(url) as database:
        return await restore_backup(path, root, Store(database), OWNER)


async def contents(url: str) -> dict[str, list[dict[str, Any]]]:
    async with Database.open(url) as database:
        return {name: await Store(database).rows(name) for name in metadata.tables}


def histories(root: Path) -> dict[str, Any]:
    return {
        account: (
            list(read_entries(account_folder(root, account))),
            Snapshots(account_folder(root, account)).newest(10**9),
            read_ended(account_folder(root, account)),
        )
        for account in accounts_in(root)
    }


@pytest.mark.parametrize("goes_to", ["the same kind", "sqlite"])
def test_a_restored_backup_is_the_same_state(
    goes_to: str, new_database: Callable[[], str], root: Path, tmp_path: Path, run: Run
) -> None:
    url = new_database()
    target = new_database() if goes_to == "the same kind" else f"sqlite:///{tmp_path}/elsewhere.db"
    run(mirror(root, url))
    manifest = run(backed_up(root, url, tmp_path / "backup"))
    assert [part.account for part in manifest.accounts] == list(ACCOUNTS)
    assert run(restored(tmp_path / "backup", tmp_path / "new", target)) == manifest
    assert histories(tmp_path / "new") == histories(root)
    assert run(contents(target)) == run(contents(url))
    run(mirror(tmp_path / "new", target))
    for account in ACCOUNTS:
        journal = Journal.open(
            account_folder(tmp_path / "new", account), Owner(account, "", 1, 0), reserve_bytes=0
        )
        assert journal.epoch == 2
        journal.close()


def test_a_backup_is_made_while_the_journal_is_written(
    database_url: str, root: Path, tmp_path: Path, run: Run
) -> None:
    account, folder = ACCOUNTS[0], account_folder(root, ACCOUNTS[0])
    journal = Journal.open(folder, Owner(account, "", 1, 0), segment_bytes=2000, reserve_bytes=0)

    async def trade() -> None:
        while True:
            journal.append(EntryKind.EVENT, "x" * 50)
            await journal.commit()

    async def both() -> None:
        async with Database.open(database_url) as database:
            store = Store(database)
            mirror = Mirror(store, account, folder, lambda: journal.durable_sequence)
            await mirror.catch_up()
            trading = asyncio.create_task(trade())
            await write_backup(root, store, tmp_path / "backup", 1)
            trading.cancel()

    run(both())
    manifest = run(restored(tmp_path / "backup", tmp_path / "new", f"sqlite:///{tmp_path}/new.db"))
    part = next(part for part in manifest.accounts if part.account == account)
    kept = histories(tmp_path / "new")[account][0]
    assert len(kept) == part.last_sequence
    assert kept == list(read_entries(folder))[: len(kept)]
    assert len(run(contents(f"sqlite:///{tmp_path}/new.db"))["journal"]) <= len(kept)
    journal.close()


@pytest.fixture
def made(root: Path, tmp_path: Path, run: Run) -> Path:
    """A backup."""
    url = f"sqlite:///{tmp_path}/made.db"
    run(mirror(root, url))
    run(backed_up(root, url, tmp_path / "backup"))
    return tmp_path / "backup"


def refused(run: Run, path: Path, root: Path, error: type[Exception], message: str) -> None:
    """Restoring fails and leaves neither journals nor rows."""
    database = root.with_name("target.db")
    with pytest.raises(error, match=message):
        run(restored(path, root, f"sqlite:///{database}"))
    assert accounts_in(root) == []
    assert [path for path in root.glob("*") if path.name.startswith(".restoring")] == []


def test_a_backup_of_the_store_that_an_account_is_alive_on_is_refused(
    made: Path, tmp_path: Path, run: Run
) -> None:
    target = tmp_path / "new"
    alive = Journal.open(
        account_folder(target, ACCOUNTS[1]), Owner(ACCOUNTS[1], "there", 9, 0), reserve_bytes=0
    )
    with pytest.raises(AccountHeldError, match=r"okx/main\.1 is held by process 9 on there"):
        run(restored(made, target, f"sqlite:///{tmp_path}/new.db"))
    alive.close()
    assert accounts_in(target) == [ACCOUNTS[1]]


def test_an_account_that_has_a_journal_is_not_overwritten(
    made: Path, root: Path, tmp_path: Path, run: Run
) -> None:
    before = histories(root)
    with pytest.raises(BackupError, match="a journal of account bybit-7 already"):
        run(restored(made, root, f"sqlite:///{tmp_path}/new.db"))
    assert histories(root) == before


def test_a_database_that_is_not_empty_is_not_overwritten(made: Path, tmp_path: Path, run: Run) -> None:
    with pytest.raises(BackupError, match=r"made\.db is not empty \(bots"):
        run(restored(made, tmp_path / "new", f"sqlite:///{tmp_path}/made.db"))
    assert accounts_in(tmp_path / "new") == []


def test_a_backup_is_not_written_over_a_file(root: Path, tmp_path: Path, made: Path, run: Run) -> None:
    content = made.read_bytes()
    with pytest.raises(BackupError, match="exists already"):
        run(backed_up(root, f"sqlite:///{tmp_path}/made.db", made))
    assert made.read_bytes() == content


def test_a_place_that_cannot_be_written_is_told(root: Path, made: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(BackupError, match=r"cannot be written: .*file"):
        run(backed_up(root, f"sqlite:///{tmp_path}/made.db", tmp_path / "file" / "x"))
    with pytest.raises(BackupError, match=r"cannot be restored to .*file"):
        run(restored(made, tmp_path / "file", f"sqlite:///{tmp_path}/new.db"))


def test_a_damaged_journal_makes_no_backup(root: Path, tmp_path: Path, run: Run) -> None:
    segment = find_segments(account_folder(root, ACCOUNTS[0]))[-2]
    content = segment.path.read_bytes()
    segment.path.write_bytes(content[:100] + b"!" + content[101:])
    with pytest.raises(JournalDamagedError):
        run(backed_up(root, f"sqlite:///{tmp_path}/x.db", tmp_path / "backup"))
    assert not (tmp_path / "backup").exists()
    assert list(tmp_path.glob(".backup*")) == []


def test_a_backup_cut_or_damaged_anywhere_is_refused(made: Path, tmp_path: Path, run: Run) -> None:
    content = made.read_bytes()
    for offset in range(60, len(content), len(content) // 25):
        (tmp_path / "broken").write_bytes(content[:offset])
        refused(run, tmp_path / "broken", tmp_path / "new", BackupError, "broken: ")
        flipped = content[:offset] + bytes([content[offset] ^ 0xFF]) + content[offset + 1 :]
        (tmp_path / "broken").write_bytes(flipped)
        refused(run, tmp_path / "broken", tmp_path / "new", BackupError, "broken: ")


def rewritten(made: Path, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> Path:
    """A copy of the archive with other files in it."""
    out = made.with_name("changed")
    with tarfile.open(made) as source, tarfile.open(out, "w:gz") as target:
        for info in source:
            stream = source.extractfile(info)
            assert stream is not None
            changed = change(info.name, stream.read())
            if changed is not None:
                info.name, content = changed
                info.size = len(content)
                target.addfile(info, BytesIO(content))
    return out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda name, data: (
                (name, data.replace(b"bybit-7", b"bybit-8")) if name.endswith("bots.jsonl") else (name, data)
            ),
            "checksum of tables/bots.jsonl",
        ),
        (
            lambda name, data: None if name.endswith("bots.jsonl") else (name, data),
            "tables/bots.jsonl is missing",
        ),
        (lambda name, data: None if name == MANIFEST else (name, data), "does not begin with a manifest"),
        (
            lambda name, data: ("../evil", data) if name.endswith("bots.jsonl") else (name, data),
            "is not in the manifest",
        ),
        (
            lambda name, data: (
                (name, data.replace(b'"format": 1', b'"format": 2')) if name == MANIFEST else (name, data)
            ),
            "another format",
        ),
    ],
    ids=["changed", "missing", "no manifest", "smuggled", "format"],
)
def test_an_archive_that_is_not_what_its_manifest_says_is_refused(
    change: Callable[..., Any], message: str, made: Path, tmp_path: Path, run: Run
) -> None:
    refused(run, rewritten(made, change), tmp_path / "new", BackupError, message)
    assert not (tmp_path / "evil").exists()


def test_names_that_lead_out_of_the_folder_are_refused(made: Path, tmp_path: Path, run: Run) -> None:
    def evil(name: str, data: bytes) -> tuple[str, bytes]:
        if name == MANIFEST:
            return name, data.replace(b'"tables/bots.jsonl"', b'"../evil"')
        return name.replace("tables/bots.jsonl", "../evil"), data

    refused(run, rewritten(made, evil), tmp_path / "new", BackupError, "no name of ours")
    assert not (tmp_path / "evil").exists()


def test_a_backup_of_a_newer_schema_is_refused(made: Path, tmp_path: Path, run: Run) -> None:
    def newer(name: str, data: bytes) -> tuple[str, bytes]:
        return name, data.replace(b'"revision": "0001"', b'"revision": "9999"') if name == MANIFEST else data

    refused(run, rewritten(made, newer), tmp_path / "new", StoreError, "the backup is at revision 9999")


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, run: Run) -> None:
    (tmp_path / "text").write_text("hello", encoding="utf-8")
    refused(run, tmp_path / "text", tmp_path / "new", BackupError, "cannot be read")
    refused(run, tmp_path / "none", tmp_path / "new", BackupError, "cannot be read")


def test_a_restore_that_fails_can_be_tried_again(made: Path, tmp_path: Path, run: Run) -> None:
    shutil.copy(tmp_path / "made.db", tmp_path / "taken.db")
    with pytest.raises(BackupError, match="not empty"):
        run(restored(made, tmp_path / "new", f"sqlite:///{tmp_path}/taken.db"))
    run(restored(made, tmp_path / "new", f"sqlite:///{tmp_path}/free.db"))
    assert accounts_in(tmp_path / "new") == list(ACCOUNTS)
