"""Makes a backup while everything runs: the database as it is at one moment, then the journals, ahead of it."""

from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from traderagent_core.errors import BackupError
from traderagent_core.persistence.backup.archive import AccountPart, Manifest, describe_member, pack, telling
from traderagent_core.persistence.ended_calls import FILE as ENDED_CALLS
from traderagent_core.persistence.folders import account_folder, accounts_in
from traderagent_core.persistence.journal.entry import EntryKind, from_line, to_line
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.persistence.journal.segments import segment_path
from traderagent_core.persistence.snapshots import Snapshots

if TYPE_CHECKING:
    from traderagent_core.persistence.database.store import Store


async def write_backup(root: Path, store: "Store", out: Path, now_ms: int) -> Manifest:
    """Back up every account under a state root, and the database, into a new file.

    Keys of the vault are not in it: credentials stay sealed. Raises BackupError when the file exists or there is
    nothing to put into it, JournalDamagedError when a journal is not sound: a damaged journal makes no backup.
    """
    if out.exists():
        raise BackupError(f"{out} exists already; choose another name")
    with telling(f"{out} cannot be written"):
        return await _write(root, store, out, now_ms)


async def _write(root: Path, store: "Store", out: Path, now_ms: int) -> Manifest:
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent, prefix=".backup-") as name:
        folder = Path(name)
        revision, rows = await _write_tables(store, folder)
        accounts = tuple(_write_account(root, account, folder) for account in accounts_in(root))
        if not accounts and not any(rows.values()):
            raise BackupError(
                f"there is nothing to back up: no account has a journal in {root}, and the database"
                f" {store.database.name} is empty; are --state and the database the right ones?"
            )
        members = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        described = tuple(describe_member(folder, member) for member in members)
        manifest = Manifest(now_ms, version("traderagent-core"), revision, accounts, rows, described)
        pack(folder, manifest, out)
    return manifest


async def _write_tables(store: "Store", folder: Path) -> tuple[str, dict[str, int]]:
    from traderagent_core.persistence.database.copying import table_lines
    from traderagent_core.persistence.database.migrating import NEWEST
    from traderagent_core.persistence.database.tables import metadata

    await store.prepare()
    (folder / "tables").mkdir()
    rows = {}
    async with store.database.reading() as connection:
        for table in metadata.sorted_tables:
            count = -1
            with (folder / "tables" / f"{table.name}.jsonl").open("w", encoding="ascii") as stream:
                async for line in table_lines(connection, table):
                    stream.write(line)
                    count += 1
            rows[table.name] = count
    return NEWEST, rows


def _write_account(root: Path, account: str, folder: Path) -> AccountPart:
    """Snapshots first: then the journal, read afterwards, holds everything that they are snapshots of."""
    source = account_folder(root, account)
    target = folder / "accounts" / source.name
    target.mkdir(parents=True)
    for path in Snapshots(source).files():
        line = path.read_bytes()
        if from_line(line) is not None:
            (target / path.name).write_bytes(line)
    last = epoch = 0
    with segment_path(target, 1).open("wb") as stream:
        for entry in read_entries(source):
            stream.write(to_line(entry.sequence, entry.durable, entry.kind, entry.payload))
            last = entry.sequence
            epoch = entry.value["epoch"] if entry.kind is EntryKind.OPENED else epoch
    if (source / ENDED_CALLS).exists():
        (target / ENDED_CALLS).write_bytes((source / ENDED_CALLS).read_bytes())
    return AccountPart(account, source.name, last, epoch)
