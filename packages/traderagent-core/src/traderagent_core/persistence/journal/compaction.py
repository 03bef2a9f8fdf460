"""Compresses segments that lie behind a snapshot; no entry is lost, and every one can still be read."""

import gzip
import os
from itertools import pairwise
from pathlib import Path

from traderagent_core.persistence.journal.disk import Disk
from traderagent_core.persistence.journal.segments import COMPRESSED, Segment, find_segments, segment_path


def compact(folder: Path, behind: int, disk: Disk | None = None) -> list[Path]:
    """Compress whole segments whose entries all have a sequence of at most `behind`; the last never.

    Returns the files made. A segment is removed only when its copy has been read back, every entry sound.
    """
    segments = find_segments(folder)
    made = []
    for segment, following in pairwise(segments):
        if not segment.is_compressed and following.first <= behind + 1:
            made.append(_compress(folder, segment, following.first, disk or Disk()))
    return made


def _compress(folder: Path, segment: Segment, end: int, disk: Disk) -> Path:
    path = segment_path(folder, segment.first, ending=COMPRESSED)
    draft = path.with_name(f"{path.name}.draft")
    with segment.open() as source, draft.open("wb") as stream:
        with gzip.GzipFile("", "wb", 6, stream, mtime=0) as target:
            while block := source.read(1 << 20):
                target.write(block)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
    disk.flush_folder(folder)
    if sum(1 for _ in Segment(path, segment.first).entries()) == end - segment.first:
        segment.path.unlink()
        disk.flush_folder(folder)
    return path
