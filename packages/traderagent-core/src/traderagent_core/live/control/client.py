"""The other end of the control channel: one request, one answer, with no event loop."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from traderagent_core.errors import TraderAgentError
from traderagent_core.live.control.place import find_place

PATIENCE_SECONDS = 15.0


class NotListeningError(TraderAgentError):
    """No process answers for this run."""


class RefusedByRunError(TraderAgentError):
    """The run has refused, and says why."""


def ask(folder: Path, do: str, bot: str | None = None, reason: str = "") -> Any:
    """Ask the process of a run. Raises NotListeningError when there is none, RefusedByRunError when it refuses."""
    with _asking(folder, {"do": do, "bot": bot, "reason": reason}) as stream:
        return _answer(folder, stream.readline())


def follow(folder: Path) -> Iterator[dict[str, Any]]:
    """The events of a run from now on, until its process ends; raises as `ask`."""
    with _asking(folder, {"do": "events"}, patience_seconds=None) as stream:
        _answer(folder, stream.readline())
        for line in stream:
            yield json.loads(line)


@contextmanager
def _asking(
    folder: Path, request: Mapping[str, Any], patience_seconds: float | None = PATIENCE_SECONDS
) -> Iterator[BinaryIO]:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(patience_seconds)
            connection.connect(str(find_place(folder)))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as stream:
                yield stream
    except OSError as error:
        raise NotListeningError(f"no process answers for the run in {folder} ({error})") from error


def _answer(folder: Path, line: bytes) -> Any:
    if not line:
        raise NotListeningError(f"the process of the run in {folder} has ended")
    answer = json.loads(line)
    if not answer["ok"]:
        raise RefusedByRunError(answer["error"])
    return answer["value"]
