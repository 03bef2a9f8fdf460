import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from traderagent_core.errors import DiskFullError
from traderagent_core.persistence.journal.disk import Disk
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.persistence.journal.segments import find_segments

OpenJournal = Callable[..., Journal]
EVENT = EntryKind.EVENT


class SmallDisk(Disk):
    """Room for so many more bytes; a write that does not fit is cut short first, as a real one may be."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, descriptor: int, data: bytes) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = super().write(descriptor, data[: self.room])
        self.room -= written
        return written

    def flush(self, descriptor: int) -> None:
        """Nothing to wait for."""

    def flush_folder(self, folder: Path) -> None:
        """Nothing to wait for."""


def events(folder: Path) -> list[int]:
    return [entry.value for entry in read_entries(folder) if entry.kind is EVENT]


def fill(journal: Journal, done: list[int]) -> None:
    while True:
        journal.append(EVENT, len(done))
        done.append(len(done))


def test_at_whatever_byte_the_disk_is_full_nothing_is_lost_and_work_goes_on(
    open_journal: OpenJournal, folder: Path
) -> None:
    line = 40
    for room in range(3 * line):
        disk = SmallDisk(10_000)
        journal = open_journal(disk=disk)
        done = events(folder)
        disk.room = room
        with pytest.raises(DiskFullError, match="no room for entry"):
            fill(journal, done)
        assert events(folder) == done
        disk.room = 10_000
        journal.append(EVENT, len(done))
        journal.sync()
        assert events(folder) == [*done, len(done)]
        journal.close()


def test_a_segment_that_cannot_begin_leaves_the_one_before_in_use(
    open_journal: OpenJournal, folder: Path
) -> None:
    disk = SmallDisk(10_000)
    journal = open_journal(disk=disk)
    journal.append(EVENT, 0)
    disk.room = 20
    with pytest.raises(DiskFullError):
        journal.rotate()
    disk.room = 10_000
    journal.append(EVENT, 1)
    journal.close()
    assert events(folder) == [0, 1]
    open_journal()


class NoNewFiles(Disk):
    """A disk that has no room for another file once `is_full`."""

    is_full = False

    def create(self, path: Path) -> int:
        if self.is_full:
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
        return super().create(path)


def test_a_full_segment_goes_on_when_there_is_no_room_for_another(
    open_journal: OpenJournal, folder: Path
) -> None:
    disk = NoNewFiles()
    journal = open_journal(disk=disk, segment_bytes=10)
    disk.is_full = True
    journal.append(EVENT, 0)
    assert len(find_segments(folder)) == 1
    disk.is_full = False
    journal.append(EVENT, 1)
    assert len(find_segments(folder)) == 2
    assert events(folder) == [0, 1]


def test_the_reserve_gives_its_room_back(open_journal: OpenJournal) -> None:
    journal = open_journal(reserve_bytes=1_000_000)
    assert journal.reserve.path.stat().st_size == 1_000_000
    assert journal.reserve.path.stat().st_blocks * 512 >= 1_000_000
    journal.reserve.free()
    assert not journal.reserve.is_filled
    journal.close()
    assert open_journal(reserve_bytes=1_000_000).reserve.is_filled


class ReservedDisk(SmallDisk):
    """The room of a reserve is room again once that is given up."""

    def take_room(self, path: Path, size: int) -> None:
        path.touch()
        self.room -= size

    def give_up_room(self, path: Path) -> None:
        path.unlink()
        self.room += 200


def test_who_wants_to_know_is_told_when_the_reserve_is_given_up(
    open_journal: OpenJournal, folder: Path
) -> None:
    disk = ReservedDisk(1_000)
    journal = open_journal(disk=disk, reserve_bytes=200)
    told: list[bool] = []
    journal.ran_short = lambda: told.append(journal.is_short)
    journal.append(EVENT, 0)
    assert told == []
    disk.room = 10
    journal.append(EVENT, 1)
    assert told == [True]
    assert events(folder) == [0, 1]
