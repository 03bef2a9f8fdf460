"""Snapshots: a shortcut to where a journal stood. The journal is the truth; a damaged snapshot is passed over."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import Factory, define, frozen

from traderagent_core.errors import JournalDamagedError, PersistenceError
from traderagent_core.persistence.journal.disk import Disk, write_durably
from traderagent_core.persistence.journal.entry import EntryKind, from_line, to_line, to_text
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.journal.segments import REMEDY, names_in

ENDING = ".snapshot"
KEPT = 3
ENTRY_BYTES = 500
"""An ordinary entry of a journal."""


@frozen
class Snapshot:
    """State after the entry `sequence`; `state` is what was given to `save`."""

    sequence: int
    state: Any


@frozen
class Skipped:
    """A snapshot that cannot be used, and why."""

    file: Path
    reason: str

    def __str__(self) -> str:
        """For a log or a terminal."""
        return f"{self.file} is passed over, so replay takes longer: {self.reason}"


@frozen
class Newest:
    """The newest usable snapshot, None when there is none, and those passed over on the way to it."""

    snapshot: Snapshot | None
    skipped: tuple[Skipped, ...] = ()


@define(eq=False)
class Snapshots:
    """The snapshots beside a journal. The driver says when to save: when it is worth it, and on stop."""

    folder: Path
    _disk: Disk = Factory(Disk)
    least_entries: int = 1
    _last: tuple[int, int] | None = None

    def is_worth_it(self, journal: Journal) -> bool:
        """Whether as much has been written since the last snapshot as that was large.

        So saving never costs more than what it saves, however much there is to remember, and what a start steps
        through stays in proportion to it.
        """
        if self._last is None:
            path = next(iter(self._paths()), None)
            self._last = (0, 0) if path is None else (int(path.stem), path.stat().st_size)
        sequence, size = self._last
        return journal.sequence - sequence >= max(size // ENTRY_BYTES, self.least_entries)

    def save(self, journal: Journal, state: Any, view: Mapping[str, Any] | None = None) -> Snapshot:
        """Save the state after the journal's last entry, and mark it in the journal.

        `state` has to be JSON-able; `view` is what people may read of it, and goes into the mark. Raises
        PersistenceError when it cannot be saved, which does the journal no harm.
        """
        journal.sync()
        snapshot = Snapshot(journal.sequence, state)
        line = to_line(snapshot.sequence, journal.durable_sequence, EntryKind.SNAPSHOT, to_text(state))
        path = self._path(snapshot.sequence)
        try:
            write_durably(path, line, self._disk)
        except OSError as error:
            raise PersistenceError(
                f"{path} could not be saved: {error}; nothing is lost, a restart will only take longer"
            ) from error
        journal.append(EntryKind.SNAPSHOT, {"of": snapshot.sequence, "size": len(line), "view": view or {}})
        self._last = snapshot.sequence, len(line)
        for old in self._paths()[KEPT:]:
            old.unlink()
        return snapshot

    def newest(self, last_sequence: int) -> Newest:
        """The newest usable snapshot of a journal that ends with `last_sequence`.

        Raises JournalDamagedError when a sound snapshot is of an entry that the journal has lost.
        """
        skipped = []
        for path in self._paths():
            entry = from_line(path.read_bytes())
            if entry is None or entry.kind is not EntryKind.SNAPSHOT or self._path(entry.sequence) != path:
                skipped.append(Skipped(path, "its checksum does not fit"))
                continue
            if entry.sequence > last_sequence:
                raise JournalDamagedError(
                    f"{path} was saved after entry {entry.sequence}, but the journal ends with entry"
                    f" {last_sequence}: what was durable is missing; {REMEDY}",
                    file=str(path),
                    sequence=last_sequence + 1,
                )
            return Newest(Snapshot(entry.sequence, json.loads(entry.payload)), tuple(skipped))
        return Newest(None, tuple(skipped))

    def files(self) -> Iterator[Path]:
        """The files of all snapshots, newest first."""
        yield from self._paths()

    def _paths(self) -> list[Path]:
        return [self.folder / name for name in reversed(names_in(self.folder, ENDING))]

    def _path(self, sequence: int) -> Path:
        return self.folder / f"{sequence:016d}{ENDING}"
