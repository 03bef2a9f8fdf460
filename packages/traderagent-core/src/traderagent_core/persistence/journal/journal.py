"""The journal: append, make durable, read again, all of it by one process at a time.

Order of work of a driver: append the event, step, append the records, make durable if a command leaves, send.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import asdict, define

from traderagent_core.errors import DiskFullError, JournalError
from traderagent_core.persistence.journal.commit import GroupCommit
from traderagent_core.persistence.journal.disk import NO_ROOM, Disk
from traderagent_core.persistence.journal.entry import Entry, EntryKind, to_line, to_text
from traderagent_core.persistence.journal.lock import AccountLock, Owner
from traderagent_core.persistence.journal.opening import Found, examine
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.persistence.journal.reserve import RESERVE_BYTES, Reserve
from traderagent_core.persistence.journal.segments import TornTail, segment_path

FORMAT = 1
SEGMENT_BYTES = 64 * 1024 * 1024


@define(eq=False)
class Journal:
    """The journal of one account, open for writing. `torn` tells what opening it has dropped, if anything.

    `is_short` tells that the disk is full and the reserve is not there: what room is left is for protective work.
    `epoch` is one more at each opening. `sequence` is the last entry, `durable_sequence` the last one on `disk`.
    `ran_short` is called when the reserve is given up.
    """

    folder: Path
    owner: Owner
    epoch: int
    sequence: int
    durable_sequence: int
    torn: TornTail | None
    reserve: Reserve
    segment_bytes: int
    _lock: AccountLock
    disk: Disk
    _commit: GroupCommit
    _descriptor: int = -1
    _size: int = 0
    _failure: str = ""
    is_short: bool = False
    ran_short: Callable[[], object] = lambda: None

    @classmethod
    def open(
        cls,
        folder: Path,
        owner: Owner,
        *,
        disk: Disk | None = None,
        segment_bytes: int = SEGMENT_BYTES,
        reserve_bytes: int = RESERVE_BYTES,
    ) -> "Journal":
        """Take the account and open its journal, empty if there is none.

        Raises AccountHeldError when another instance has the account, JournalDamagedError when something that was
        durable is missing, JournalError when the folder cannot be used.
        """
        disk = disk or Disk()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = AccountLock.take(folder, owner)
        except OSError as error:
            raise JournalError(f"the journal {folder} cannot be opened: {error}") from error
        try:
            found = examine(folder, disk)
            reserve = Reserve(folder, disk, reserve_bytes)
            return cls._begin(folder, owner, found, lock, reserve, disk, segment_bytes)
        except OSError as error:
            lock.release()
            raise JournalError(f"the journal {folder} cannot be opened: {error}") from error
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _begin(
        cls,
        folder: Path,
        owner: Owner,
        found: Found,
        lock: AccountLock,
        reserve: Reserve,
        disk: Disk,
        segment_bytes: int,
    ) -> "Journal":
        journal = cls(
            folder,
            owner,
            found.epoch + 1,
            found.last,
            found.last,
            found.torn,
            reserve,
            segment_bytes,
            lock,
            disk,
            GroupCommit(disk),
        )
        journal.is_short = not reserve.fill()
        journal._begin_segment()
        return journal

    # -- writing --------------------------------------------------------------------------------------------

    def append(self, kind: EntryKind, payload: Any) -> int:
        """Write an entry and return its sequence; it is durable after the next `sync` or `commit`.

        When there is no room the reserve is given up for it. Raises DiskFullError when that is not enough, which
        leaves the journal as it was, and JournalError when it cannot be written any more.
        """
        self._require_sound()
        text = to_text(payload)
        if self._size >= self.segment_bytes:
            with suppress(DiskFullError):
                self.rotate()
        line = to_line(self.sequence + 1, self.durable_sequence, kind, text)
        try:
            self._write(self._descriptor, self._size, line)
        except DiskFullError:
            if not self.reserve.is_filled:
                raise
            self.reserve.free()
            self.is_short = True
            self.ran_short()
            self._write(self._descriptor, self._size, line)
        self._size += len(line)
        self.sequence += 1
        return self.sequence

    def hold_room(self) -> bool:
        """Set the reserve aside again if there is room; whether it is there."""
        if self.is_short:
            self.is_short = not self.reserve.fill_again()
        return not self.is_short

    def sync(self) -> None:
        """Return once every entry is on disk. Raises AccountHeldError when the lock has been taken away."""
        self._require_sound()
        self._lock.verify()
        if self.durable_sequence == self.sequence:
            return
        try:
            self.disk.flush(self._descriptor)
        except OSError as error:
            raise self._failed(f"it could not be flushed: {error}") from error
        self.durable_sequence = self.sequence

    async def commit(self) -> None:
        """As `sync`, with the loop free meanwhile; those that wait at the same time share one flush."""
        self._require_sound()
        self._lock.verify()
        wanted = self.sequence
        while self.durable_sequence < wanted:
            reached = self.sequence
            try:
                done = await self._commit.join(self._descriptor, reached)
            except OSError as error:
                raise self._failed(f"it could not be flushed: {error}") from error
            self.durable_sequence = max(self.durable_sequence, done)

    def rotate(self) -> None:
        """Go on in a new segment; the one so far is on disk and will not change any more.

        Raises DiskFullError when there is no room for one; the journal then goes on where it is.
        """
        self.sync()
        former = self._descriptor
        self._begin_segment()
        self.disk.close(former)

    def close(self) -> None:
        """Make everything durable and let the account go; closing again does nothing."""
        if self._descriptor < 0:
            return
        try:
            if not self._failure:
                self.sync()
        finally:
            self.disk.close(self._descriptor)
            self._descriptor = -1
            self._failure = self._failure or "it is closed"
            self._lock.release()

    # -- reading --------------------------------------------------------------------------------------------

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Entries with a sequence above `after`, in order."""
        return read_entries(self.folder, after)

    # -- inside ---------------------------------------------------------------------------------------------

    def _begin_segment(self) -> None:
        path = segment_path(self.folder, self.sequence + 1)
        opened = {"format": FORMAT, "epoch": self.epoch, "owner": asdict(self.owner)}
        line = to_line(self.sequence + 1, self.durable_sequence, EntryKind.OPENED, to_text(opened))
        descriptor = self._create(path)
        try:
            self._write(descriptor, 0, line)
            self.disk.flush(descriptor)
            self.disk.flush_folder(self.folder)
        except BaseException:
            self.disk.close(descriptor)
            path.unlink()
            raise
        self._descriptor, self._size = descriptor, len(line)
        self.sequence += 1
        self.durable_sequence = self.sequence

    def _create(self, path: Path) -> int:
        try:
            return self.disk.create(path)
        except OSError as error:
            raise self._refused(error) from error

    def _write(self, descriptor: int, start: int, line: bytes) -> None:
        rest = line
        try:
            while rest:
                rest = rest[self.disk.write(descriptor, rest) :]
        except OSError as error:
            self._take_back(descriptor, start, error)
            raise self._refused(error) from error

    def _take_back(self, descriptor: int, size: int, error: OSError) -> None:
        """Remove the part of a line that was written before the disk refused the rest."""
        try:
            self.disk.truncate(descriptor, size)
        except OSError:
            raise self._failed(f"it could not be written: {error}") from error

    def _refused(self, error: OSError) -> JournalError:
        if error.errno in NO_ROOM:
            return DiskFullError(
                f"{self.folder}: no room for entry {self.sequence + 1} of the journal; free some space"
            )
        return self._failed(f"it could not be written: {error}")

    def _require_sound(self) -> None:
        if self._commit.failure is not None:
            self._failed(f"it could not be flushed: {self._commit.failure}")
        if self._failure:
            raise JournalError(self._failure_text())

    def _failed(self, why: str) -> JournalError:
        """After a failed flush nobody can say what is on disk: only reading it again can."""
        self._failure = self._failure or why
        return JournalError(self._failure_text())

    def _failure_text(self) -> str:
        return f"the journal {self.folder} cannot be used any more: {self._failure}; start again once that is mended"
