"""Cut and flip bytes at every offset: what was durable comes back, or the journal is refused."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from traderagent_core.errors import JournalDamagedError
from traderagent_core.persistence.journal.disk import Disk
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.journal.lock import Owner
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.persistence.journal.segments import find_segments

OpenJournal = Callable[..., Journal]
EVENT = EntryKind.EVENT
DAMAGED = r"\.journal: entry \d+ of the journal is damaged.*restore"
OWNER = Owner("bybit-7", "testing", 4711, 0)


class Hasty(Disk):
    """Says that everything is on disk at once: these tests cut files, not power."""

    def flush(self, descriptor: int) -> None:
        """Nothing to wait for."""

    def flush_folder(self, folder: Path) -> None:
        """Nothing to wait for."""


def write(journal: Journal, numbers: range, *, sync_each: bool = True) -> None:
    for number in numbers:
        journal.append(EVENT, number)
        if sync_each:
            journal.sync()


def events(folder: Path) -> list[int]:
    return [entry.value for entry in read_entries(folder) if entry.kind is EVENT]


def reopened(folder: Path, copy: Path, content: bytes) -> tuple[list[int], Journal]:
    """Events of a copy whose last segment has other content, after it has been opened."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    find_segments(copy)[-1].path.write_bytes(content)
    journal = Journal.open(copy, OWNER, reserve_bytes=0, disk=Hasty())
    found = events(copy)
    journal.append(EVENT, 99)
    journal.close()
    assert events(copy) == [*found, 99], "what was kept must be readable for ever"
    return found, journal


def test_a_journal_cut_anywhere_keeps_every_whole_entry(
    open_journal: OpenJournal, folder: Path, tmp_path: Path
) -> None:
    journal = open_journal()
    write(journal, range(4))
    journal.close()
    content = find_segments(folder)[-1].path.read_bytes()
    for cut in range(len(content)):
        found, journal = reopened(folder, tmp_path / "copy", content[:cut])
        whole = content[:cut].count(b"\n")
        assert found == list(range(4))[: max(whole - 1, 0)]
        is_torn = content[:cut][-1:] not in (b"", b"\n")
        assert (journal.torn is not None) == is_torn
        if journal.torn is not None:
            assert journal.torn.kept_in.read_bytes() == content[:cut].rpartition(b"\n")[2]
            assert "never finished" in str(journal.torn)


@pytest.mark.parametrize("sync_each", [True, False])
def test_a_flipped_byte_is_refused_unless_it_may_be_an_unfinished_tail(
    sync_each: bool, open_journal: OpenJournal, folder: Path, tmp_path: Path
) -> None:
    journal = open_journal()
    write(journal, range(4), sync_each=sync_each)
    journal.close()
    content = find_segments(folder)[-1].path.read_bytes()
    provably_durable = content.rindex(b"\n", 0, -1) + 1 if sync_each else content.index(b"\n") + 1
    for offset in range(len(content)):
        flipped = content[:offset] + bytes([content[offset] ^ 0x20]) + content[offset + 1 :]
        if offset < provably_durable:
            with pytest.raises(
                JournalDamagedError, match=r"\.journal: entry \d+ of the journal is damaged.*restore"
            ) as caught:
                reopened(folder, tmp_path / "copy", flipped)
            assert caught.value.sequence == content[:offset].count(b"\n") + 1
            assert caught.value.file.endswith(".journal")
        else:
            found, journal = reopened(folder, tmp_path / "copy", flipped)
            assert found == list(range(content[:offset].count(b"\n") - 1))
            assert journal.torn is not None


def test_pages_that_reached_the_disk_out_of_order_are_a_torn_tail(
    open_journal: OpenJournal, folder: Path, tmp_path: Path
) -> None:
    journal = open_journal()
    write(journal, range(2))
    write(journal, range(2, 6), sync_each=False)
    journal.close()
    content = find_segments(folder)[-1].path.read_bytes()
    lines = content.splitlines(keepends=True)
    lost = bytes(len(lines[4]))
    found, journal = reopened(folder, tmp_path / "copy", b"".join([*lines[:4], lost, *lines[5:]]))
    assert found == [0, 1, 2]
    assert journal.torn is not None


def test_damage_in_an_earlier_segment_is_refused(open_journal: OpenJournal, folder: Path) -> None:
    journal = open_journal(segment_bytes=300)
    write(journal, range(20))
    journal.close()
    middle = find_segments(folder)[2]
    content = middle.path.read_bytes()
    middle.path.write_bytes(content[:-5] + b"?" + content[-4:])
    with pytest.raises(JournalDamagedError, match=middle.path.name):
        open_journal()
    with pytest.raises(JournalDamagedError, match=middle.path.name):
        list(read_entries(folder))


@pytest.mark.parametrize("index", [0, 2])
def test_a_missing_segment_is_refused(index: int, open_journal: OpenJournal, folder: Path) -> None:
    journal = open_journal(segment_bytes=300)
    write(journal, range(20))
    journal.close()
    missing = find_segments(folder)[index]
    missing.path.unlink()
    with pytest.raises(JournalDamagedError, match=r"begins with") as caught:
        open_journal()
    assert caught.value.sequence == missing.first
    with pytest.raises(JournalDamagedError, match=r"begins with"):
        list(read_entries(folder))


def test_a_segment_cut_at_the_end_of_a_line_is_refused_when_another_follows(
    open_journal: OpenJournal, folder: Path
) -> None:
    journal = open_journal(segment_bytes=300)
    write(journal, range(20))
    journal.close()
    middle = find_segments(folder)[2]
    middle.path.write_bytes(b"".join(middle.path.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(JournalDamagedError, match="ends before it"):
        open_journal()


def test_a_refused_journal_is_left_as_it_was(open_journal: OpenJournal, folder: Path) -> None:
    journal = open_journal()
    write(journal, range(4))
    journal.close()
    path = find_segments(folder)[-1].path
    content = path.read_bytes().replace(b"event 1", b"event 7")
    path.write_bytes(content)
    before = sorted((each.name, each.read_bytes()) for each in folder.iterdir() if each.name != "lock")
    for _ in range(2):
        with pytest.raises(JournalDamagedError):
            open_journal()
    assert (
        sorted((each.name, each.read_bytes()) for each in folder.iterdir() if each.name != "lock") == before
    )
