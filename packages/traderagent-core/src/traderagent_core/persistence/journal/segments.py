"""Segments: the files that a journal consists of, each named by the sequence it begins with.

Only the last one grows. Those behind a snapshot may be compressed; they stay readable and complete.
"""

import gzip
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from traderagent_core.errors import JournalDamagedError
from traderagent_core.persistence.journal.entry import Entry, from_line

PLAIN, COMPRESSED = ".journal", ".journal.gz"
_LINE = re.compile(rb"(?=[0-9a-f]{16} \d+ \d+ [a-z]+ )")
REMEDY = "restore a backup (`traderagent restore`), or ask for help before anything else touches the folder"


@frozen
class Segment:
    """One file of a journal."""

    path: Path
    first: int

    @property
    def is_compressed(self) -> bool:
        """Whether it has been compressed."""
        return self.path.name.endswith(COMPRESSED)

    def open(self) -> BinaryIO:
        """The lines, as bytes. One that has been compressed meanwhile is found too."""
        if not self.is_compressed:
            with suppress(FileNotFoundError):
                return self.path.open("rb")
        packed = segment_path(self.path.parent, self.first, ending=COMPRESSED)
        return gzip.open(packed, "rb")  # type: ignore[return-value]

    def entries(self) -> Iterator[Entry]:
        """Every entry. Raises JournalDamagedError at the first line that is not sound."""
        expected = self.first
        with self.open() as stream:
            try:
                for line in stream:
                    entry = from_line(line)
                    if entry is None or entry.sequence != expected:
                        raise damaged(self.path, expected, _wrong(entry))
                    yield entry
                    expected += 1
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise damaged(self.path, expected, f"it cannot be unpacked: {error}") from None

    def head(self) -> Entry:
        """The entry that it begins with, which tells who has written it."""
        for entry in self.entries():
            return entry
        raise damaged(self.path, self.first, "it is empty")


@frozen
class TornTail:
    """What a crash left unfinished at the end of a journal: dropped, and kept in a file of its own."""

    file: Path
    offset: int
    size: int
    kept_in: Path

    def __str__(self) -> str:
        """For a log or a terminal."""
        return (
            f"{self.file}: {self.size} bytes from offset {self.offset} on were never finished, so they are no part"
            f" of the journal; they are kept in {self.kept_in}"
        )


@frozen
class Scan:
    """What a last segment holds: sound entries up to `end`, and whatever follows."""

    last: int
    end: int
    size: int
    durable: int

    @property
    def is_torn(self) -> bool:
        """Whether something unfinished follows."""
        return self.size > self.end


def find_segments(folder: Path) -> list[Segment]:
    """The segments of a journal in order; a plain one counts before its compressed copy."""
    found: dict[int, Segment] = {}
    for name in reversed(names_in(folder, PLAIN, COMPRESSED)):
        first = int(name.partition(".")[0])
        found[first] = Segment(folder / name, first)
    return [found[first] for first in sorted(found)]


def names_in(folder: Path, *endings: str) -> list[str]:
    """The names of the files with one of these endings, in order; none where there is no folder."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.name.endswith(endings))
    except FileNotFoundError:
        return []


def segment_path(folder: Path, first: int, *, ending: str = PLAIN) -> Path:
    """The name of a segment."""
    return folder / f"{first:016d}{ending}"


def scan_tail(segment: Segment) -> Scan:
    """Read a segment that may have been cut short by a crash.

    Raises JournalDamagedError when what follows the first unsound line proves that this line had been durable.
    """
    last, end, durable = segment.first - 1, 0, 0
    with segment.open() as stream:
        for line in stream:
            entry = from_line(line)
            if entry is None or entry.sequence != last + 1:
                refuse_lost(segment, last + 1, line, stream)
                break
            last, end, durable = entry.sequence, end + len(line), entry.durable
        stream.seek(0, 2)
        return Scan(last, end, stream.tell(), durable)


def refuse_lost(segment: Segment, sequence: int, line: bytes, rest: Iterable[bytes]) -> None:
    """Raises JournalDamagedError when lines after an unsound one tell that its entry had been durable."""
    entry = from_line(line)
    for later in (*_inside(line), *map(from_line, rest)):
        if later is not None and later.durable >= sequence:
            raise damaged(segment.path, sequence, _wrong(entry))


def _inside(line: bytes) -> Iterator[Entry | None]:
    """Entries in a line that is none: the newline before them may be what was damaged."""
    for match in _LINE.finditer(line):
        yield from_line(line[match.start() :])


def _wrong(entry: Entry | None) -> str:
    return "its checksum does not fit" if entry is None else f"entry {entry.sequence} stands in its place"


def damaged(path: Path, sequence: int, what: str) -> JournalDamagedError:
    """The error for an entry that should be there and is not."""
    return JournalDamagedError(
        f"{path}: entry {sequence} of the journal is damaged: {what}; {REMEDY}",
        file=str(path),
        sequence=sequence,
    )
