"""What the journal asks of a disk; a harness of faults puts its own in place."""

import errno
import os
import shutil
from pathlib import Path

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class Disk:
    """Writes and flushes files by their descriptors."""

    def create(self, path: Path) -> int:
        """A new file to append to; raises FileExistsError when there is one."""
        return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)

    def write(self, descriptor: int, data: bytes) -> int:
        """Append bytes; returns how many were taken."""
        return os.write(descriptor, data)

    def flush(self, descriptor: int) -> None:
        """Return once everything written is on the disk."""
        os.fdatasync(descriptor) if hasattr(os, "fdatasync") else os.fsync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        """Take back what was written beyond a size."""
        os.ftruncate(descriptor, size)

    def free_bytes(self, folder: Path) -> int:
        """Room that is left where a folder is."""
        return shutil.disk_usage(folder).free

    def flush_folder(self, folder: Path) -> None:
        """Return once names made or removed in a folder are on the disk."""
        if os.name == "nt":
            return  # There, names are flushed with their files.
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_durably(path: Path, data: bytes, disk: Disk) -> None:
    """Put a file in its place in one step: whole and on disk, or not there."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = disk.create(draft)
    try:
        while data:
            data = data[disk.write(descriptor, data) :]
        disk.flush(descriptor)
    finally:
        os.close(descriptor)
    draft.replace(path)
    disk.flush_folder(path.parent)
