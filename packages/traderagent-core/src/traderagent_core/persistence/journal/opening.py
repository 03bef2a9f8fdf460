"""What is found when a journal is opened: its last entry and epoch, and the tail that a crash has torn."""

from pathlib import Path

from attrs import frozen

from traderagent_core.persistence.journal.disk import Disk, write_durably
from traderagent_core.persistence.journal.reading import require_chain, verify
from traderagent_core.persistence.journal.segments import (
    COMPRESSED,
    Scan,
    Segment,
    TornTail,
    find_segments,
    scan_tail,
    segment_path,
)


@frozen
class Found:
    """Where a journal stands; nothing torn is left in it."""

    last: int
    epoch: int
    torn: TornTail | None


def examine(folder: Path, disk: Disk) -> Found:
    """Check the segments that are not compressed, and drop a torn tail.

    Raises JournalDamagedError when an entry that was durable is damaged or missing.
    """
    segments = find_segments(folder)
    _drop_copies(folder, segments)
    require_chain(segments)
    if not segments:
        return Found(0, 0, None)
    first_plain = next((i for i, each in enumerate(segments) if not each.is_compressed), len(segments) - 1)
    verify(segments[first_plain:])
    scan = scan_tail(segments[-1])
    torn = _drop_tail(segments[-1], scan, disk) if scan.is_torn else None
    _flush(segments[-1], disk)  # A killed process may have left what no power cut would.
    if scan.last < segments[-1].first:  # The crash came before its first entry was whole.
        segments.pop().path.unlink()
        disk.flush_folder(folder)
    epoch = int(segments[-1].head().value["epoch"]) if segments else 0
    return Found(scan.last, epoch, torn)


def _drop_copies(folder: Path, segments: list[Segment]) -> None:
    """Compressed copies of segments whose plain file is still there: the crash came before it was removed."""
    for segment in segments:
        if not segment.is_compressed:
            segment_path(folder, segment.first, ending=COMPRESSED).unlink(missing_ok=True)


def _flush(segment: Segment, disk: Disk) -> None:
    """Make durable what is counted on from now on."""
    descriptor = disk.open(segment.path)
    try:
        disk.flush(descriptor)
    finally:
        disk.close(descriptor)


def _drop_tail(segment: Segment, scan: Scan, disk: Disk) -> TornTail:
    """Keep the torn bytes as evidence, then cut them off."""
    kept = segment.path.with_name(f"{segment.path.name}.torn-{scan.end}")
    with segment.path.open("rb") as stream:
        stream.seek(scan.end)
        write_durably(kept, stream.read(), disk)
    descriptor = disk.open(segment.path)
    try:
        disk.truncate(descriptor, scan.end)
    finally:
        disk.close(descriptor)
    return TornTail(segment.path, scan.end, scan.size - scan.end, kept)
