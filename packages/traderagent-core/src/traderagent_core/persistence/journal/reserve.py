"""A file that holds room on the disk, to be given up when there is none left for protective work."""

from pathlib import Path

from attrs import define

from traderagent_core.persistence.journal.disk import NO_ROOM, Disk

FILE = "reserve"
RESERVE_BYTES = 64 * 1024 * 1024


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
        try:
            self._disk.take_room(self.path, self.size)
        except OSError as error:
            self.path.unlink(missing_ok=True)
            if error.errno in NO_ROOM:
                return False
            raise
        return True

    def fill_again(self) -> bool:
        """Hold the room again once the disk has twice as much, so that it is not given up the next moment."""
        return self._disk.free_bytes(self.folder) >= 2 * self.size and self.fill()

    def free(self) -> None:
        """Give the room up, so that protective work can be written."""
        self._disk.give_up_room(self.path)
