from collections.abc import Callable
from pathlib import Path

import pytest
from traderagent_core.errors import JournalDamagedError, PersistenceError
from traderagent_core.persistence.journal.disk import Disk
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.snapshots import ENTRY_BYTES, KEPT, Snapshots

OpenJournal = Callable[..., Journal]


def test_the_newest_comes_back(open_journal: OpenJournal, folder: Path) -> None:
    journal, snapshots = open_journal(), Snapshots(folder)
    assert snapshots.newest(journal.sequence).snapshot is None
    for number in range(6):
        journal.append(EntryKind.EVENT, number)
        saved = snapshots.save(journal, {"number": number}, {"bot": {"seen": number}})
        assert saved.sequence == journal.sequence - 1
    newest = snapshots.newest(journal.sequence)
    assert newest.snapshot == saved
    assert newest.snapshot is not None
    assert newest.snapshot.state == {"number": 5}
    assert newest.skipped == ()
    assert len(list(snapshots.files())) == KEPT
    mark = list(journal.entries())[-1]
    assert mark.kind is EntryKind.SNAPSHOT
    assert mark.value["of"] == saved.sequence
    assert mark.value["view"] == {"bot": {"seen": 5}}


def test_a_damaged_one_is_passed_over_and_told(open_journal: OpenJournal, folder: Path) -> None:
    journal, snapshots = open_journal(), Snapshots(folder)
    first = snapshots.save(journal, {"number": 1})
    snapshots.save(journal, {"number": 2})
    newest, _ = snapshots.files()
    content = newest.read_bytes()
    for offset in range(len(content)):
        newest.write_bytes(content[:offset] + bytes([content[offset] ^ 2]) + content[offset + 1 :])
        found = snapshots.newest(journal.sequence)
        assert found.snapshot == first
        assert [skipped.file for skipped in found.skipped] == [newest]
        assert "replay takes longer" in str(found.skipped[0])
        newest.write_bytes(content[:offset])
        assert snapshots.newest(journal.sequence).snapshot == first


def test_a_snapshot_under_another_name_is_passed_over(open_journal: OpenJournal, folder: Path) -> None:
    journal, snapshots = open_journal(), Snapshots(folder)
    snapshots.save(journal, {"number": 1})
    (path,) = snapshots.files()
    path.rename(path.with_name(f"{journal.sequence:016d}.snapshot"))
    assert snapshots.newest(journal.sequence).snapshot is None


def test_a_snapshot_ahead_of_the_journal_proves_that_something_is_lost(
    open_journal: OpenJournal, folder: Path
) -> None:
    journal, snapshots = open_journal(), Snapshots(folder)
    journal.append(EntryKind.EVENT, 1)
    saved = snapshots.save(journal, {})
    with pytest.raises(JournalDamagedError, match="what was durable is missing"):
        snapshots.newest(saved.sequence - 1)
    assert snapshots.newest(saved.sequence).snapshot == saved


def test_the_journal_is_durable_before_its_snapshot_is_seen(open_journal: OpenJournal, folder: Path) -> None:
    journal = open_journal()
    sequence = journal.append(EntryKind.EVENT, 1)
    Snapshots(folder).save(journal, {})
    assert journal.durable_sequence == sequence


class FullDisk(Disk):
    """A disk with no room for another file."""

    def create(self, path: Path) -> int:
        raise OSError(28, "No space left on device")


def test_a_snapshot_that_finds_no_room_does_the_journal_no_harm(
    open_journal: OpenJournal, folder: Path
) -> None:
    journal = open_journal()
    journal.append(EntryKind.EVENT, 1)
    with pytest.raises(PersistenceError, match=r"No space left.*a restart will only take longer"):
        Snapshots(folder, FullDisk()).save(journal, {})
    journal.append(EntryKind.EVENT, 2)
    journal.close()
    assert Snapshots(folder).newest(journal.sequence).snapshot is None
    assert open_journal().torn is None


def test_one_is_worth_it_once_more_was_written_than_the_last_was_large(
    open_journal: OpenJournal, folder: Path
) -> None:
    journal, snapshots = open_journal(), Snapshots(folder, least_entries=3)
    assert not snapshots.is_worth_it(journal)
    for number in range(3):
        journal.append(EntryKind.EVENT, number)
    assert snapshots.is_worth_it(journal)
    snapshots.save(journal, {"remembered": "x" * 5 * ENTRY_BYTES})
    again = Snapshots(folder, least_entries=3)  # As the next process does.
    for number in range(3):  # One more is the mark of the snapshot.
        journal.append(EntryKind.EVENT, number)
        assert not snapshots.is_worth_it(journal)
        assert not again.is_worth_it(journal)
    journal.append(EntryKind.EVENT, 5)
    assert snapshots.is_worth_it(journal)
    assert again.is_worth_it(journal)
