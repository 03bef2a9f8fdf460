"""What the journal asks of a disk; a harness of faults puts its own in place."""

import errno
import os
import shutil
from pathlib import Path

BLOCK = 1024 * 1024
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class Disk:
    """Writes and flushes files by their descriptors."""

    def create(self, path: Path) -> int:
        """A new file to append to; raises FileExistsError when there is one."""
        return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)

    def open(self, path: Path) -> int:
        """A file that is there, to flush it or to cut it."""
        return os.open(path, os.O_WRONLY)

    def copy(self, descriptor: int) -> int:
        """Another descriptor of the same file, which outlives the first one."""
        return os.dup(descriptor)

    def close(self, descriptor: int) -> None:
        """Let a descriptor go."""
        os.close(descriptor)

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

    def take_room(self, path: Path, size: int) -> None:
        """Let a file take up so much room."""
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, size)
                return
            for _ in range(0, size, BLOCK):
                os.write(descriptor, bytes(BLOCK))
        finally:
            os.close(descriptor)

    def give_up_room(self, path: Path) -> None:
        """Remove a file that took up room."""
        path.unlink(missing_ok=True)
        self.flush_folder(path.parent)

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
        disk.close(descriptor)
    draft.replace(path)
    disk.flush_folder(path.parent)
