from collections.abc import Callable
from pathlib import Path

import pytest
from traderagent_core.errors import JournalDamagedError
from traderagent_core.persistence.journal.compaction import compact
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.journal.reading import Cursor, read_entries
from traderagent_core.persistence.journal.segments import find_segments

OpenJournal = Callable[..., Journal]
EVENT = EntryKind.EVENT


@pytest.fixture
def written(open_journal: OpenJournal) -> Journal:
    """A journal of several segments, still open."""
    journal = open_journal(segment_bytes=400)
    for number in range(40):
        journal.append(EVENT, {"number": number})
    return journal


def test_every_entry_can_still_be_read(written: Journal, folder: Path) -> None:
    before = list(read_entries(folder))
    made = compact(folder, written.sequence)
    assert len(made) == len(find_segments(folder)) - 1
    assert list(read_entries(folder)) == before
    for after in range(written.sequence + 1):
        assert list(written.entries(after)) == before[after:]


def test_only_segments_wholly_behind_are_compressed(written: Journal, folder: Path) -> None:
    segments = find_segments(folder)
    behind = segments[2].first - 1
    assert compact(folder, behind - 1) == [folder / f"{segments[0].path.name}.gz"]
    assert compact(folder, behind) == [folder / f"{segments[1].path.name}.gz"]
    assert compact(folder, behind) == []


def test_a_compressed_journal_opens_and_goes_on(
    written: Journal, folder: Path, open_journal: OpenJournal
) -> None:
    written.close()
    compact(folder, written.sequence)
    journal = open_journal()
    assert journal.epoch == 2
    journal.append(EVENT, {"number": 40})
    numbers = [entry.value["number"] for entry in journal.entries() if entry.kind is EVENT]
    assert numbers == list(range(41))


def test_a_reader_may_be_in_a_segment_while_it_is_compressed(written: Journal, folder: Path) -> None:
    whole = list(read_entries(folder))
    cursor = Cursor(folder)
    reading = cursor.read()
    seen = [next(reading) for _ in range(2)]
    compact(folder, written.sequence)
    seen += list(reading)
    assert seen == whole


def test_a_crash_between_copy_and_removal_leaves_one_of_the_two(
    written: Journal, folder: Path, open_journal: OpenJournal
) -> None:
    written.close()
    before = list(read_entries(folder))
    first = find_segments(folder)[0]
    kept = first.path.read_bytes()
    compact(folder, written.sequence)
    first.path.write_bytes(kept)
    assert list(read_entries(folder)) == before
    journal = open_journal()
    assert list(journal.entries())[:-1] == before
    assert not first.path.with_name(f"{first.path.name}.gz").exists()


def test_a_damaged_copy_is_refused(written: Journal, folder: Path) -> None:
    (path, *_) = compact(folder, written.sequence)
    content = bytearray(path.read_bytes())
    for offset in range(10, len(content), 7):
        content[offset] ^= 0xFF
        path.write_bytes(bytes(content))
        with pytest.raises(JournalDamagedError):
            list(read_entries(folder))
        content[offset] ^= 0xFF
