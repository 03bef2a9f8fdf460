"""Entries of the journal, and the line of text that each of them is.

A line is `checksum sequence durable kind payload` and ends with a newline. The checksum covers the rest of the line;
`durable` is the last sequence that was known to be on disk when the line was written, which tells damage from a
tail that was never finished.
"""

import json
from enum import Enum
from hashlib import blake2b
from typing import Any, NamedTuple

from attrs import frozen

CHECKSUM_BYTES = 8
_HEAD = 2 * CHECKSUM_BYTES + 1
_JSON = json.JSONEncoder(separators=(",", ":"), check_circular=False)


class EntryKind(Enum):
    """What an entry tells."""

    OPENED = "opened"
    """An owner took the account, with an epoch; every segment begins with one."""
    SETUP = "setup"
    """The bots that the engine has been built with."""
    EVENT = "event"
    """What steps the engine next."""
    RECORDS = "records"
    """What the step has decided."""
    INTENT = "intent"
    """Commands that are about to leave."""
    SNAPSHOT = "snapshot"
    """A snapshot of everything before has been saved."""


KINDS = {kind.value: kind for kind in EntryKind}


class Entry(NamedTuple):
    """One entry; `payload` is JSON text."""

    sequence: int
    kind: EntryKind
    payload: str
    durable: int = 0
    checksum: str = ""

    @property
    def value(self) -> Any:
        """The payload as plain values."""
        return json.loads(self.payload)


@frozen
class JsonText:
    """A payload that is JSON on one line of ASCII already."""

    text: str


def to_text(payload: Any) -> str:
    """A payload as JSON on one line of ASCII; the same payload gives the same text."""
    return payload.text if type(payload) is JsonText else _JSON.encode(payload)


def to_line(sequence: int, durable: int, kind: EntryKind, text: str) -> bytes:
    """The line of an entry."""
    body = f"{sequence} {durable} {kind.value} {text}".encode()
    return b"%s %s\n" % (_checksum(body), body)


def from_line(line: bytes) -> Entry | None:
    """The entry of a line with its newline, or None when it is not whole and sound."""
    body = line[_HEAD:-1]
    if line[-1:] != b"\n" or line[:_HEAD] != _checksum(body) + b" ":
        return None
    try:
        sequence, durable, kind, text = body.decode("ascii").split(" ", 3)
        return Entry(int(sequence), KINDS[kind], text, int(durable), line[: _HEAD - 1].decode("ascii"))
    except (ValueError, KeyError):
        return None


def _checksum(body: bytes) -> bytes:
    return blake2b(body, digest_size=CHECKSUM_BYTES).hexdigest().encode()
