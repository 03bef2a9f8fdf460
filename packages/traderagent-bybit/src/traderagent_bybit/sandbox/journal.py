"""What makes a sandbox survive: every change that was asked for, with its time, in a file of JSON lines.

The world is deterministic, so doing the same again at the same times gives the same orders, positions and fills.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from traderagent_core import DataError

VERSION = 1


class Journal:
    """An append-only file. A line that was torn by a crash is dropped; damage elsewhere is an error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    def read(self) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """The header, None for a new file, and the entries."""
        if not self.path.exists():
            return None, []
        raw = self.path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        if len(whole) < len(raw):
            self.path.write_bytes(whole)
        lines = list(self._lines(whole))
        if not lines:
            return None, []
        header = lines[0]
        if header.get("sandbox") != VERSION:
            raise DataError(
                f"{self.path} is no state of a Bybit sandbox of version {VERSION}; name another file"
            )
        return header, lines[1:]

    def _lines(self, raw: bytes) -> Iterator[dict[str, Any]]:
        for number, line in enumerate(raw.splitlines(), 1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise DataError(f"{self.path}, line {number} is damaged: {error}") from error

    def append(self, entry: Mapping[str, Any]) -> None:
        """Write one entry; it is with the operating system when this returns."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
        self._file.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
