"""Runs a run in a process of its own, ends it when a call of a plugin hangs, and starts it again."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from attrs import define, field

from traderagent_core.live.watchdog.board import SIZE, Board
from traderagent_core.live.watchdog.leash import TRACE_SIGNAL, VARIABLE
from traderagent_core.persistence.ended_calls import FILE, EndedCall, keep_ended

HUNG_CODE = 4
"""Exit code of a run that a hung plugin has ended and that cannot be started again."""

ENDING = (signal.SIGINT, signal.SIGTERM)
LOOK_SECONDS = 0.1
TRACE_SECONDS = 2.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
GOOD_SECONDS = 600.0
"""A run that stood for so long begins the pauses anew."""

CRASHES = frozenset(
    -number for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT)
)
"""How the interpreter itself ends; SIGKILL is somebody's will, and is obeyed."""

HUNG = "{} of bot {!r} did not come back within {:g} s: the process was ended; where it hung is in {}"
CRASHED = "the run crashed ({})"
AGAIN = "{}. It starts again in {:g} s; the stops at the exchange hold"
ENDS = "{}. On paper the account ends with its process, so it does not start again"

Say = Callable[[str], None]


@define(eq=False)
class Supervisor:
    """Starts `command` until it ends of its own will or is told to. `say` takes what a person should know."""

    command: Sequence[str]
    say: Say
    _child: "subprocess.Popen[bytes] | None" = None
    _is_told_to_end: bool = False

    def run(self) -> int:
        """Return the exit code that this process should end with."""
        pause = FIRST_PAUSE_SECONDS
        with self._signals():
            while True:
                began = time.monotonic()
                with _Desk() as desk:
                    code, why = self._run_once(desk)
                    run = desk.board.run
                if why is None or run is None or self._is_told_to_end:
                    return _as_shells_tell(code)
                if not run["goes_on"]:
                    self.say(ENDS.format(why))
                    return _as_shells_tell(code)
                if time.monotonic() - began >= GOOD_SECONDS:
                    pause = FIRST_PAUSE_SECONDS
                self.say(AGAIN.format(why, pause))
                if self._is_told_within(pause):
                    return 0
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _run_once(self, desk: "_Desk") -> tuple[int, str | None]:
        """Exit code, and why to start again."""
        child = self._child = desk.start(self.command)
        gaze = _Gaze(desk.board)
        while child.poll() is None:
            time.sleep(LOOK_SECONDS)
            if gaze.is_hung():
                return self._end(child, desk)
        code = child.returncode
        return code, CRASHED.format(signal.Signals(-code).name) if code in CRASHES else None

    def _end(self, child: "subprocess.Popen[bytes]", desk: "_Desk") -> tuple[int, str]:
        child.send_signal(TRACE_SIGNAL)
        try:
            child.wait(TRACE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        return HUNG_CODE, _note(desk)

    def _is_told_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._is_told_to_end:
            time.sleep(LOOK_SECONDS)
        return self._is_told_to_end

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Pass on what a person or the system says to this process; the run has a group of its own."""

        def pass_on(number: int, _: Any) -> None:
            self._is_told_to_end |= number in ENDING
            if self._child is not None and self._child.poll() is None:
                self._child.send_signal(number)

        before = {number: signal.signal(number, pass_on) for number in (*ENDING, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _as_shells_tell(code: int) -> int:
    """An exit code, also of a process that a signal has ended."""
    return code if code >= 0 else 128 - code


def _note(desk: "_Desk") -> str:
    """Keep which call has hung, and say so."""
    run = desk.board.run
    assert run is not None  # Else nobody would have looked at its calls.
    folder = Path(run["folder"])
    call = EndedCall.from_line(desk.board.call, time.time_ns() // 1_000_000, desk.traceback())
    keep_ended(folder, call)
    return HUNG.format(call.callback, call.bot, run["limit_ms"] / 1000, folder / FILE)


@define(eq=False)
class _Gaze:
    """How long the call that is under way has been looked at; time in which nobody looked does not count."""

    board: Board
    _number: int | None = None
    _seen: float = 0.0
    _since: float = field(factory=time.monotonic)

    def is_hung(self) -> bool:
        number, now = self.board.call_number, time.monotonic()
        passed, self._since = min(now - self._since, 2 * LOOK_SECONDS), now
        if number is None or number != self._number:
            self._number, self._seen = number, 0.0
            return False
        self._seen += passed
        run = self.board.run
        return run is not None and self._seen * 1000 >= run["limit_ms"]


class _Desk:
    """What one process is handed: the board, a file for tracebacks, the leash."""

    def __enter__(self) -> "_Desk":
        self._files: list[IO[bytes]] = [tempfile.TemporaryFile(), tempfile.TemporaryFile()]
        self._files[0].truncate(SIZE)
        self._leash = os.pipe()
        self.board = Board(self._files[0].fileno())
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.close()
        for end in self._leash:
            os.close(end)

    def start(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        held = (*(file.fileno() for file in self._files), self._leash[0])
        environment: Mapping[str, str] = {**os.environ, VARIABLE: ",".join(map(str, held))}
        return subprocess.Popen(command, env=environment, pass_fds=held, process_group=0)

    def traceback(self) -> str:
        file = self._files[1]
        file.seek(0)
        return file.read().decode(errors="replace")


def supervise(arguments: Sequence[str], say: Say) -> int:
    """Run the command line of this program with these arguments, supervised; the exit code to end with."""
    command = [sys.executable, "-P", "-m", "traderagent_core.cli", *arguments]
    return Supervisor(command, say).run()
