"""Calls of plugins that were ended with their process; kept, so that no retracing makes them again."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from traderagent_core.errors import PersistenceError
from traderagent_core.persistence.journal.disk import Disk, write_durably

FILE = "ended-calls.json"
MOST_TRACEBACK = 16_000


@frozen
class EndedCall:
    """The `number`-th call of the step of entry `sequence` of the journal, or after it, before the next one.

    `bot` is the strategy that was called, or asked for what was called; empty for a risk mode.
    """

    sequence: int
    number: int
    bot: str
    callback: str
    time_ms: int = 0
    traceback: str = ""

    @property
    def key(self) -> tuple[int, int]:
        """What a call of a run is known by."""
        return self.sequence, self.number

    def to_line(self) -> str:
        """For the board."""
        return "\n".join((str(self.sequence), str(self.number), self.bot, self.callback))

    @classmethod
    def from_line(cls, line: str, time_ms: int, traceback: str) -> "EndedCall":
        """From the board."""
        sequence, number, bot, callback = line.split("\n", 3)
        return cls(int(sequence), int(number), bot, callback, time_ms, traceback[-MOST_TRACEBACK:])


def read_ended(folder: Path) -> tuple[EndedCall, ...]:
    """The ended calls of a run, oldest first; raises PersistenceError for a file that cannot be understood."""
    path = folder / FILE
    try:
        rows: Iterable[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return tuple(EndedCall(**row) for row in rows)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError) as error:
        raise PersistenceError(
            f"{path} cannot be read ({error!r}); it tells which calls of plugins a recovery leaves out: restore it "
            f"from a backup"
        ) from error


def keep_ended(folder: Path, call: EndedCall) -> None:
    """Add a call; it is on disk when this returns."""
    rows = [asdict(each) for each in (*read_ended(folder), call)]
    write_durably(folder / FILE, json.dumps(rows, indent=2).encode(), Disk())
