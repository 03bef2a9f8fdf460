"""Appends, mirrors, saves and compresses in a child that is killed at a random moment; then looks at what is left.

Run as a program: killed.py FOLDER DATABASE_URL ROUNDS SEED. It leaves with 0 when nothing durable was lost and
nothing half was seen in any round, and prints what happened.
"""

import asyncio
import os
import random
import signal
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path

from traderagent_core.errors import StoreError
from traderagent_core.model.event import OperatorCommand
from traderagent_core.persistence.database.connect import Database
from traderagent_core.persistence.database.mirror import Mirror
from traderagent_core.persistence.database.store import Store
from traderagent_core.persistence.journal.compaction import compact
from traderagent_core.persistence.journal.disk import Disk
from traderagent_core.persistence.journal.entry import Entry, EntryKind
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.journal.lock import Owner
from traderagent_core.persistence.payloads import event_payload, records_of, records_payload
from traderagent_core.persistence.snapshots import Snapshots

ACCOUNT = "bybit-7"
ACK = struct.Struct("<Q")


class Crumbling(Disk):
    """Takes a few bytes at a time, so that a kill often finds a line half written."""

    def write(self, descriptor: int, data: bytes) -> int:
        if random.random() < 0.03:
            time.sleep(0.004)
        return super().write(descriptor, data[: random.choice((5, 60, 4096))])


def open_journal(folder: Path) -> Journal:
    owner = Owner(ACCOUNT, "testing", os.getpid(), 0)
    return Journal.open(folder, owner, disk=Crumbling(), segment_bytes=6000, reserve_bytes=0)


async def work(folder: Path, url: str, acks: int) -> None:
    """What a live driver does, for ever: event, step, records, flush, send; a mirror beside it."""
    journal = open_journal(folder)
    async with asyncio.TaskGroup() as group, Database.open(url) as database:
        mirror = Mirror(Store(database), ACCOUNT, folder, lambda: journal.durable_sequence)
        group.create_task(trade(journal, acks))
        group.create_task(keep_mirrored(mirror))


async def trade(journal: Journal, acks: int) -> None:
    snapshots, number = Snapshots(journal.folder), 0
    while True:
        number += 1
        event = journal.append(EntryKind.EVENT, event_payload(OperatorCommand(number, "bot", "start")))
        records = [("noted", number, "bot", f"of {event}", "x" * random.randint(0, 300))]
        journal.append(EntryKind.RECORDS, records_payload(records))
        if random.random() < 0.5:
            await journal.commit()
            os.write(acks, ACK.pack(event + 1))
        if random.random() < 0.1:
            snapshots.save(journal, {"sequence": journal.sequence})
            compact(journal.folder, journal.durable_sequence)
        await asyncio.sleep(0)


async def keep_mirrored(mirror: Mirror) -> None:
    while True:
        with suppress(StoreError):
            await mirror.catch_up()
        await asyncio.sleep(0.001)


def kill_once(folder: Path, url: str, delay: float) -> int:
    """Let a child work for so long after its first acknowledgement; returns the last one."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            random.seed(delay)
            asyncio.run(work(folder, url, writer))
        finally:
            os._exit(1)  # It never ends of itself.
    os.close(writer)
    acked = os.read(reader, ACK.size)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the child ended of itself"
    while more := os.read(reader, 1 << 16):
        acked += more
    os.close(reader)
    return ACK.unpack(acked[-ACK.size :])[0]


def check_journal(folder: Path, acked: int) -> tuple[list[Entry], bool]:
    """Open the journal as after any crash: every acknowledged entry is there, whole, and goes with its event."""
    journal = open_journal(folder)
    entries = list(journal.entries())
    assert [entry.sequence for entry in entries] == list(range(1, journal.sequence + 1))
    assert journal.sequence > acked, f"entry {acked} was durable; the journal ends with {journal.sequence}"
    for entry in entries:
        if entry.kind is EntryKind.RECORDS:
            (record,) = records_of(entry.value)
            event = int(record[3].removeprefix("of "))
            assert entries[event - 1].kind is EntryKind.EVENT
            assert {each.kind for each in entries[event : entry.sequence - 1]} <= {EntryKind.OPENED}
    newest = Snapshots(folder).newest(journal.sequence)
    assert newest.skipped == ()
    assert newest.snapshot is None or newest.snapshot.state == {"sequence": newest.snapshot.sequence}
    journal.close()
    return entries, journal.torn is not None


async def check_database(url: str, folder: Path, entries: list[Entry]) -> int:
    """The database holds a beginning of the journal with exactly its rows; catching up completes both."""
    async with Database.open(url) as database:
        store = Store(database)
        await store.prepare()
        position = await store.position(ACCOUNT)
        await same(store, entries[:position])
        await Mirror(store, ACCOUNT, folder, lambda: len(entries)).catch_up()
        await same(store, entries)
        return position


async def same(store: Store, entries: list[Entry]) -> None:
    mirrored = await store.rows("journal")
    assert [(row["sequence"], row["checksum"]) for row in mirrored] == [
        (e.sequence, e.checksum) for e in entries
    ]
    logged = [(row["sequence"], row["reason"], row["evidence"]) for row in await store.rows("bot_logs")]
    noted = [
        (e.sequence, record) for e in entries if e.kind is EntryKind.RECORDS for record in records_of(e.value)
    ]
    assert logged == [(sequence, record[3], record[4]) for sequence, record in noted]


def main(folder: Path, url: str, rounds: int, seed: int) -> None:
    delays = random.Random(seed)
    torn = behind = 0
    for _ in range(rounds):
        acked = kill_once(folder, url, delays.uniform(0, 0.03))
        entries, was_torn = check_journal(folder, acked)
        position = asyncio.run(check_database(url, folder, entries))
        torn += was_torn
        behind += position < len(entries) - 1
    print(f"killed={rounds} entries={len(entries)} torn={torn} behind={behind}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
