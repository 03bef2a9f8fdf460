import asyncio
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core.errors import JournalError
from traderagent_core.persistence.journal.compaction import compact
from traderagent_core.persistence.journal.disk import Disk
from traderagent_core.persistence.journal.entry import EntryKind, from_line, to_line, to_text
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.journal.reading import Cursor, read_entries
from traderagent_core.persistence.journal.segments import find_segments

OpenJournal = Callable[..., Journal]
EVENT, RECORDS, OPENED = EntryKind.EVENT, EntryKind.RECORDS, EntryKind.OPENED

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def numbers(folder: Path, after: int = 0) -> list[int]:
    """What was appended as events, in order."""
    return [entry.value for entry in read_entries(folder, after) if entry.kind is EVENT]


@given(plain, st.integers(1, 2**60), st.integers(0, 2**60), st.sampled_from(EntryKind))
def test_a_line_gives_back_what_was_put_into_it(
    payload: object, sequence: int, durable: int, kind: EntryKind
) -> None:
    line = to_line(sequence, durable, kind, to_text(payload))
    entry = from_line(line)
    assert entry is not None
    assert (entry.sequence, entry.durable, entry.kind, entry.value) == (sequence, durable, kind, payload)
    assert line.count(b"\n") == 1


@settings(max_examples=30)
@given(plain)
def test_a_changed_cut_or_extended_line_is_not_sound(payload: object) -> None:
    line = to_line(7, 3, EVENT, to_text(payload))
    for offset in range(len(line)):
        assert from_line(line[:offset]) is None
        for bit in (1, 4, 128):
            assert from_line(line[:offset] + bytes([line[offset] ^ bit]) + line[offset + 1 :]) is None
    assert from_line(line + b"\n") is None


def test_entries_come_back_in_order_over_openings(open_journal: OpenJournal, folder: Path) -> None:
    for epoch in range(1, 4):
        journal = open_journal()
        assert journal.epoch == epoch
        assert journal.torn is None
        for number in range(5):
            journal.append(EVENT, 10 * epoch + number)
        journal.close()
    assert numbers(folder) == [10 * epoch + number for epoch in range(1, 4) for number in range(5)]
    entries = list(read_entries(folder))
    assert [entry.sequence for entry in entries] == list(range(1, 19))
    assert [entry.value["epoch"] for entry in entries if entry.kind is OPENED] == [1, 2, 3]


def test_reading_may_begin_after_any_entry(open_journal: OpenJournal, folder: Path) -> None:
    journal = open_journal(segment_bytes=400)
    for number in range(30):
        journal.append(EVENT, number)
    everything = list(journal.entries())
    assert len(find_segments(folder)) > 3
    for after in range(journal.sequence + 2):
        assert list(journal.entries(after)) == everything[after:]


def test_a_cursor_goes_on_where_it_was_while_the_journal_grows(
    open_journal: OpenJournal, folder: Path
) -> None:
    journal = open_journal(segment_bytes=300)
    cursor, seen = Cursor(folder), []
    for number in range(40):
        journal.append(EVENT, number)
        if number % 3 == 0:
            seen += list(cursor.read())
        if number % 7 == 0:
            seen += list(cursor.read(up_to=cursor.sequence + 1))
    seen += list(cursor.read())
    assert seen == list(read_entries(folder))


def test_a_cursor_stops_where_it_is_told(open_journal: OpenJournal, folder: Path) -> None:
    journal = open_journal()
    for number in range(10):
        journal.append(EVENT, number)
    cursor = Cursor(folder)
    assert [entry.sequence for entry in cursor.read(up_to=4)] == [1, 2, 3, 4]
    assert list(cursor.read(up_to=4)) == []
    assert [entry.sequence for entry in cursor.read(up_to=6)] == [5, 6]


def test_what_is_durable_is_told_by_the_lines_that_follow(open_journal: OpenJournal) -> None:
    journal = open_journal()
    first = journal.append(EVENT, 0)
    assert journal.durable_sequence < first
    journal.sync()
    assert journal.durable_sequence == first
    journal.append(EVENT, 1)
    assert list(journal.entries())[-1].durable == first


@pytest.mark.parametrize("is_compressed", [False, True])
def test_a_cursor_that_goes_one_by_one_sees_what_one_that_goes_on_sees(
    is_compressed: bool, open_journal: OpenJournal, folder: Path
) -> None:
    journal = open_journal(segment_bytes=300)
    for number in range(40):
        journal.append(EVENT, number)
    cursor, seen = Cursor(folder), []
    for sequence in range(1, journal.sequence + 1):
        seen += list(cursor.read(up_to=sequence))
        if is_compressed:
            compact(folder, sequence)
    assert seen == list(read_entries(folder))


class CountingDisk(Disk):
    """Counts flushes; one that is told to wait lasts until it is released."""

    def __init__(self) -> None:
        self.flushes = 0
        self.gate = Event()
        self.gate.set()

    def flush(self, descriptor: int) -> None:
        self.flushes += 1
        assert self.gate.wait(10)
        super().flush(descriptor)


def test_those_that_wait_share_one_flush(open_journal: OpenJournal) -> None:
    disk = CountingDisk()
    journal = open_journal(disk=disk)
    before = disk.flushes

    async def one(number: int) -> None:
        sequence = journal.append(EVENT, number)
        await journal.commit()
        assert journal.durable_sequence >= sequence

    async def run() -> None:
        disk.gate.clear()
        first = asyncio.create_task(one(0))
        await asyncio.sleep(0)
        others = [asyncio.create_task(one(number)) for number in range(1, 50)]
        await asyncio.sleep(0)
        disk.gate.set()
        await asyncio.gather(first, *others)

    asyncio.run(run())
    assert disk.flushes - before == 2
    assert journal.durable_sequence == journal.sequence


def test_a_commit_survives_the_end_of_its_segment(open_journal: OpenJournal, folder: Path) -> None:
    disk = CountingDisk()
    journal = open_journal(disk=disk)

    async def run() -> None:
        journal.append(EVENT, 1)
        waiting = asyncio.create_task(journal.commit())
        await asyncio.sleep(0)
        journal.rotate()
        journal.append(EVENT, 2)
        await waiting

    asyncio.run(run())
    assert numbers(folder) == [1, 2]


class FailingDisk(Disk):
    """A disk whose flushes fail from some time on."""

    is_broken = False

    def flush(self, descriptor: int) -> None:
        if self.is_broken:
            raise OSError(5, "Input/output error")
        super().flush(descriptor)


@pytest.mark.parametrize("is_async", [False, True])
def test_after_a_failed_flush_nothing_is_taken_any_more(open_journal: OpenJournal, is_async: bool) -> None:
    disk = FailingDisk()
    journal = open_journal(disk=disk)
    journal.append(EVENT, 1)
    disk.is_broken = True
    with pytest.raises(JournalError, match=r"could not be flushed.*start again"):
        asyncio.run(journal.commit()) if is_async else journal.sync()
    disk.is_broken = False
    for use in (lambda: journal.append(EVENT, 2), journal.sync, lambda: asyncio.run(journal.commit())):
        with pytest.raises(JournalError, match="could not be flushed"):
            use()


def test_a_flush_that_fails_with_nobody_waiting_is_not_forgotten(open_journal: OpenJournal) -> None:
    disk = FailingDisk()
    journal = open_journal(disk=disk)

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        journal.append(EVENT, 1)
        disk.is_broken = True
        waiting = asyncio.create_task(journal.commit())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.sleep(0.05)

    asyncio.run(run())
    disk.is_broken = False
    with pytest.raises(JournalError, match="could not be flushed"):
        journal.append(EVENT, 2)


def test_a_closed_journal_takes_nothing(open_journal: OpenJournal) -> None:
    journal = open_journal()
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="it is closed"):
        journal.append(EVENT, 1)


def test_the_same_work_gives_the_same_bytes(tmp_path: Path, open_journal: OpenJournal, folder: Path) -> None:
    contents = []
    for _ in range(2):
        journal = open_journal()
        for number in range(20):
            journal.append(EVENT, {"number": number})
            journal.sync()
        journal.close()
        contents.append([segment.path.read_bytes() for segment in find_segments(folder)])
        for path in folder.iterdir():
            path.unlink()
    assert contents[0] == contents[1]


def test_a_folder_that_cannot_be_had_is_told(folder: Path, open_journal: OpenJournal) -> None:
    folder.write_text("in the way", encoding="utf-8")
    with pytest.raises(JournalError, match=r"cannot be opened: .*File exists"):
        open_journal()
