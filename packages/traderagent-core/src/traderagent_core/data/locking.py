"""One writer at a time: a lock that the system releases when its process ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from traderagent_core.errors import DataError

try:
    import fcntl
except ImportError:  # Windows has no such lock; there, two imports at once are the user's care.
    fcntl = None  # type: ignore[assignment]


@contextmanager
def write_lock(root: Path) -> Iterator[None]:
    """Holds the lock of a catalogue. Raises DataError when another process holds it."""
    with (root / ".lock").open("w", encoding="utf-8") as stream:
        if fcntl is not None:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DataError(
                    f"{root}: another import is writing this catalogue; wait until it has ended"
                ) from None
        yield
