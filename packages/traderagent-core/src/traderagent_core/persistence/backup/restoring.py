"""Puts a backup back where nothing is: never over an account that is alive or has a journal."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from traderagent_core.errors import BackupError
from traderagent_core.persistence.backup.archive import AccountPart, Manifest, telling, unpacked
from traderagent_core.persistence.folders import account_folder
from traderagent_core.persistence.journal.disk import Disk
from traderagent_core.persistence.journal.lock import AccountLock, Owner
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.persistence.journal.segments import PLAIN, find_segments
from traderagent_core.persistence.snapshots import Snapshots

if TYPE_CHECKING:
    from traderagent_core.persistence.database.store import Store


async def restore_backup(path: Path, root: Path, store: "Store", owner: Owner) -> Manifest:
    """Restore accounts and database from a backup, of either kind of database into either.

    `owner` is who restores. Raises BackupError when the backup is damaged, or there is something already;
    AccountHeldError when an instance runs on one of its accounts. Until the backup is proved whole nothing changes.
    """
    with telling(f"{path} cannot be restored to {root}"), unpacked(path, root) as (manifest, folder):
        for part in manifest.accounts:
            _require_whole(path, folder / "accounts" / part.folder, part)
        with ExitStack() as locks:
            for part in manifest.accounts:
                locks.callback(_take(root, part, owner).release)
            await _restore_tables(folder, store, manifest)
            for part in manifest.accounts:
                _put(folder / "accounts" / part.folder, account_folder(root, part.account))
    return manifest


def _require_whole(path: Path, source: Path, part: AccountPart) -> None:
    last = max((entry.sequence for entry in read_entries(source)), default=0)
    if last != part.last_sequence:
        raise BackupError(
            f"{path}: the journal of {part.account} ends with entry {last}, not {part.last_sequence};"
            " use another backup"
        )


def _take(root: Path, part: AccountPart, owner: Owner) -> AccountLock:
    """The account's lock, where it has no journal."""
    target = account_folder(root, part.account)
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = AccountLock.take(target, Owner(part.account, owner.host, owner.process_id, owner.since_ms))
    if find_segments(target) or any(Snapshots(target).files()):
        lock.release()
        raise BackupError(
            f"there is a journal of account {part.account} already, in {target}; move that folder away, or restore"
            " to another --state"
        )
    return lock


async def _restore_tables(folder: Path, store: "Store", manifest: Manifest) -> None:
    from traderagent_core.persistence.database.copying import load_lines, tables_with_rows
    from traderagent_core.persistence.database.migrating import migrate, require_revision, revision_of
    from traderagent_core.persistence.database.tables import metadata

    require_revision(manifest.revision)
    if await revision_of(store.database) is not None:
        await store.prepare()
        async with store.database.reading() as connection:
            filled = await tables_with_rows(connection)
        if filled:
            raise BackupError(
                f"the database {store.database.name} is not empty ({', '.join(filled)}); use an empty one"
            )
    else:
        await migrate(store.database, manifest.revision)
    async with store.database.writing() as connection:
        known = [table.name for table in metadata.sorted_tables if table.name in manifest.rows]
        for name in known:
            with (folder / "tables" / f"{name}.jsonl").open(encoding="ascii") as stream:
                await load_lines(connection, name, stream)
    await store.prepare()


def _put(source: Path, target: Path) -> None:
    """The journal comes last: a snapshot without it is refused, a journal without snapshots would go unnoticed."""
    disk = Disk()
    for path in sorted(source.iterdir(), key=lambda each: each.name.endswith(PLAIN)):
        with path.open("rb") as stream:
            disk.flush(stream.fileno())
        path.replace(target / path.name)
        disk.flush_folder(target)
