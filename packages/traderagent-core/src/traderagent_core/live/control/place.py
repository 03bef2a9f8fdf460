"""Where the socket of a run is: in its folder, or where a link there leads when that path is too long for one."""

import tempfile
from contextlib import suppress
from pathlib import Path

NAME = "control.sock"
LONGEST_PATH = 100
"""Bytes; systems take between 104 and 108."""


def make_place(folder: Path) -> Path:
    """A free path for the socket of a run. To be called by the holder of the account's lock only."""
    remove_place(folder)
    path = folder.resolve() / NAME
    if len(str(path).encode()) <= LONGEST_PATH:
        return path
    short = Path(tempfile.mkdtemp(prefix="traderagent-")) / NAME
    path.symlink_to(short)
    return short


def find_place(folder: Path) -> Path:
    """The path of the socket of a run, whether or not anybody listens there."""
    path = folder.resolve() / NAME
    return path.readlink() if path.is_symlink() else path


def remove_place(folder: Path) -> None:
    """Remove a socket, such as that of a process that was killed."""
    path = folder / NAME
    if path.is_symlink():
        short = path.readlink()
        short.unlink(missing_ok=True)
        with suppress(OSError):
            short.parent.rmdir()
    path.unlink(missing_ok=True)
