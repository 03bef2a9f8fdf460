"""The side of the run: takes what its supervisor has handed it, and ends when that one is gone."""

import faulthandler
import os
import signal
import threading

from traderagent_core.live.watchdog.board import Board

VARIABLE = "TRADERAGENT_SUPERVISED"
"""Tells a run the descriptors of the board, of the file for tracebacks and of the leash."""

TRACE_SIGNAL = signal.SIGUSR1


def take_leash() -> Board | None:
    """The board of this process, None when nobody supervises it."""
    told = os.environ.pop(VARIABLE, None)
    if told is None:
        return None
    board, trace, leash = map(int, told.split(","))
    # Written by a handler in C, whatever the interpreter is doing; then the signal ends the process.
    faulthandler.register(TRACE_SIGNAL, file=trace, all_threads=True, chain=True)
    threading.Thread(target=_follow, args=(leash,), name="leash", daemon=True).start()
    return Board(board)


def _follow(leash: int) -> None:
    """A run does not outlive its supervisor: the pipe ends with the process that holds its other end."""
    while os.read(leash, 1):
        pass
    os.kill(os.getpid(), signal.SIGKILL)
