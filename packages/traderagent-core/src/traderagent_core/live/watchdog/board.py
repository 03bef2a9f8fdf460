"""A page of memory that a run shares with its supervisor: which call of a plugin is under way.

It is written before and after each call, and read by another process: a call that never comes back cannot keep that
one from seeing it.
"""

import json
import mmap
import struct
from typing import Any

SIZE = 16_384
_HALF = SIZE // 2
_COUNTER = struct.Struct("<Q")
_LENGTH = struct.Struct("<H")
_TEXT = _COUNTER.size + _LENGTH.size


class Board:
    """Odd numbers of the counter mean that a call is under way. The second half tells of the run itself."""

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, SIZE)
        self._counter = 0

    # -- by the run -----------------------------------------------------------------------------------------

    def introduce(self, run: dict[str, Any]) -> None:
        """Tell of the run."""
        self._put(_HALF, json.dumps(run).encode())

    def begin(self, call: str) -> None:
        """A call is about to be made."""
        self._put(_COUNTER.size, call.encode()[: _HALF - _TEXT])
        self._counter += 1
        _COUNTER.pack_into(self._memory, 0, self._counter)

    def end(self) -> None:
        """It has come back."""
        self._counter += 1
        _COUNTER.pack_into(self._memory, 0, self._counter)

    # -- by its supervisor ----------------------------------------------------------------------------------

    @property
    def call_number(self) -> int | None:
        """The number of the call that is under way; None when there is none."""
        (counter,) = _COUNTER.unpack_from(self._memory, 0)
        return int(counter) if counter % 2 else None

    @property
    def call(self) -> str:
        """What was told of the last call."""
        return self._get(_COUNTER.size)

    @property
    def run(self) -> dict[str, Any] | None:
        """What the run has told of itself; None before that."""
        text = self._get(_HALF)
        return dict(json.loads(text)) if text else None

    def clear(self) -> None:
        """Forget everything, for the next run."""
        self._memory[:] = bytes(SIZE)

    def _put(self, place: int, text: bytes) -> None:
        start = place + _LENGTH.size
        self._memory[start : start + len(text)] = text
        _LENGTH.pack_into(self._memory, place, len(text))

    def _get(self, place: int) -> str:
        (length,) = _LENGTH.unpack_from(self._memory, place)
        start = place + _LENGTH.size
        return self._memory[start : start + length].decode(errors="replace")
