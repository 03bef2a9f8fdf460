"""The other end of the control channel: one request, one answer, with no event loop."""

import json
import socket
from pathlib import Path
from typing import Any

from traderagent_core.errors import TraderAgentError
from traderagent_core.live.control.place import find_place

PATIENCE_SECONDS = 15.0


class NotListeningError(TraderAgentError):
    """No process answers for this run."""


class RefusedByRunError(TraderAgentError):
    """The run has refused, and says why."""


def ask(folder: Path, do: str, bot: str | None = None, reason: str = "") -> Any:
    """Ask the process of a run. Raises NotListeningError when there is none, RefusedByRunError when it refuses."""
    request = json.dumps({"do": do, "bot": bot, "reason": reason}).encode() + b"\n"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(PATIENCE_SECONDS)
            connection.connect(str(find_place(folder)))
            connection.sendall(request)
            with connection.makefile("rb") as stream:
                line = stream.readline()
    except OSError as error:
        raise NotListeningError(f"no process answers for the run in {folder} ({error})") from error
    if not line:
        raise NotListeningError(f"the process of the run in {folder} has ended")
    answer = json.loads(line)
    if not answer["ok"]:
        raise RefusedByRunError(answer["error"])
    return answer["value"]
