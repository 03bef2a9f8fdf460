"""A file that holds room on the disk, to be given up when there is none left for protective work."""

import os
from pathlib import Path

from attrs import define

from traderagent_core.persistence.journal.disk import NO_ROOM, Disk

FILE = "reserve"
RESERVE_BYTES = 64 * 1024 * 1024
BLOCK = 1024 * 1024


@define(eq=False)
class Reserve:
    """Room set aside beside a journal."""

    folder: Path
    _disk: Disk
    size: int = RESERVE_BYTES

    @property
    def path(self) -> Path:
        """The file that takes up the room."""
        return self.folder / FILE

    @property
    def is_filled(self) -> bool:
        """Whether the room is held."""
        return self.path.exists()

    def fill(self) -> bool:
        """Hold the room; false when the disk has none to set aside. No room is asked for by a size of 0."""
        if self.is_filled or not self.size:
            return True
        descriptor = os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            self._take_room(descriptor)
            return True
        except OSError as error:
            self.path.unlink()
            if error.errno in NO_ROOM:
                return False
            raise
        finally:
            os.close(descriptor)

    def fill_again(self) -> bool:
        """Hold the room again once the disk has twice as much, so that it is not given up the next moment."""
        return self._disk.free_bytes(self.folder) >= 2 * self.size and self.fill()

    def _take_room(self, descriptor: int) -> None:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, self.size)
            return
        for _ in range(0, self.size, BLOCK):
            os.write(descriptor, bytes(BLOCK))

    def free(self) -> None:
        """Give the room up, so that protective work can be written."""
        self.path.unlink(missing_ok=True)
        self._disk.flush_folder(self.folder)
