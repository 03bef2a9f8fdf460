"""Reading a journal from any process, without its lock: while it is written, what is finished is seen."""

import zlib
from collections.abc import Iterator
from gzip import BadGzipFile
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from attrs import define

from traderagent_core.persistence.journal.entry import Entry, from_line
from traderagent_core.persistence.journal.segments import Segment, damaged, find_segments, refuse_lost


def read_entries(folder: Path, after: int = 0) -> Iterator[Entry]:
    """Entries with a sequence above `after`, in order. An unfinished tail is left out.

    Raises JournalDamagedError when an entry is damaged or missing.
    """
    return Cursor(folder, after).read()


@define(eq=False)
class Cursor:
    """A place in a journal; `read` goes on from there, as often as it is asked.

    `sequence` is the last entry that was read, or passed over.
    """

    folder: Path
    sequence: int = 0
    _segment: Segment | None = None
    _offset: int = 0

    def read(self, up_to: int | None = None) -> Iterator[Entry]:
        """Entries from here on, at most those with a sequence up to `up_to`, as far as they are finished."""
        segments = find_segments(self.folder)
        require_chain(segments)
        for segment in segments[self._index(segments) :]:
            yield from self._read_segment(segment, segments[-1], up_to)
            if up_to is not None and self.sequence >= up_to:
                return

    def _index(self, segments: list[Segment]) -> int:
        """Where the next entry is."""
        return max((i for i, each in enumerate(segments) if each.first <= self.sequence + 1), default=0)

    def _read_segment(self, segment: Segment, last: Segment, up_to: int | None) -> Iterator[Entry]:
        expected = segment.first
        with segment.open() as stream:
            if self._segment == segment and self._offset:
                stream.seek(self._offset)
                expected = self.sequence + 1
            else:
                self._segment, self._offset = segment, 0
            for line in _lines(stream, segment, expected):
                entry = from_line(line)
                if entry is None or entry.sequence != expected:
                    if segment != last:
                        raise damaged(segment.path, expected, "its checksum does not fit")
                    refuse_lost(segment, expected, line, stream)
                    return
                if up_to is not None and expected > up_to:
                    return
                expected += 1
                if entry.sequence > self.sequence:
                    self.sequence, self._offset = entry.sequence, stream.tell()
                    yield entry
        _require_whole(segment, expected, last)


def _lines(stream: BinaryIO, segment: Segment, expected: int) -> Iterator[bytes]:
    try:
        while line := stream.readline():
            yield line
    except (EOFError, zlib.error, BadGzipFile) as error:
        raise damaged(segment.path, expected, f"it cannot be unpacked: {error}") from None


def require_chain(segments: list[Segment]) -> None:
    """Raises JournalDamagedError when the first segments are missing."""
    if segments and segments[0].first != 1:
        raise damaged(segments[0].path, 1, f"the journal begins with entry {segments[0].first}")


def verify(segments: list[Segment]) -> None:
    """Read whole segments, and see that each ends where the next begins."""
    for segment, following in pairwise(segments):
        count = sum(1 for _ in segment.entries())
        if segment.first + count != following.first:
            raise _gap(segment, segment.first + count, following.first)


def _require_whole(segment: Segment, expected: int, last: Segment) -> None:
    if segment == last:
        return
    following = min(each.first for each in find_segments(segment.path.parent) if each.first > segment.first)
    if expected != following:
        raise _gap(segment, expected, following)


def _gap(segment: Segment, expected: int, following: int) -> Exception:
    return damaged(
        segment.path, expected, f"this segment ends before it, and the next begins with {following}"
    )
