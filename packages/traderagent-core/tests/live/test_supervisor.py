"""The process that watches another one: what it ends, what it starts again, what it passes on."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from traderagent_core.live.watchdog import supervisor
from traderagent_core.live.watchdog.supervisor import HUNG_CODE, Supervisor
from traderagent_core.persistence.ended_calls import read_ended

RUN = """
import os, signal, sys, threading, time
from pathlib import Path
from traderagent_core.live.watchdog.calls import Calls
from traderagent_core.live.watchdog.leash import take_leash
from traderagent_core.persistence.ended_calls import read_ended

folder = Path(sys.argv[1])
started = folder / "started"
started.write_text(started.read_text() + "x" if started.exists() else "x")
is_first = started.read_text() == "x"
board = take_leash()
assert "TRADERAGENT_SUPERVISED" not in os.environ
board.introduce({"folder": str(folder), "goes_on": "paper" not in sys.argv, "limit_ms": 500})
calls = Calls(read_ended(folder), board)
calls.after(5)
"""
QUICK = "for _ in range(20): calls.call('bot', 'on_fill', time.sleep, 0.1)"
HANG = "is_first and calls.call('bot', 'on_fill', time.sleep, 3600)"


@pytest.fixture
def supervised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, list[str], int]]:
    """Runs a child under supervision: the exit code, what was said, and how often it was started."""
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.02)

    def run(*lines: str, arguments: tuple[str, ...] = ()) -> tuple[int, list[str], int]:
        told: list[str] = []
        command = [sys.executable, "-c", "\n".join((RUN, *lines)), str(tmp_path), *arguments]
        code = Supervisor(command, told.append).run()
        return code, told, len((tmp_path / "started").read_text())

    return run


def test_the_exit_code_is_that_of_the_run(supervised: Any) -> None:
    assert supervised("sys.exit(7)") == (7, [], 1)


def test_many_short_calls_are_no_long_one(supervised: Any) -> None:
    assert supervised(QUICK) == (0, [], 1)


def test_a_call_that_hangs_is_noted_and_the_run_starts_again(supervised: Any, tmp_path: Path) -> None:
    code, told, starts = supervised(HANG)
    assert (code, starts) == (0, 2)
    assert told[0].startswith("on_fill of bot 'bot' did not come back within 0.5 s")
    (call,) = read_ended(tmp_path)
    assert call.key == (5, 1)
    assert "in call" in call.traceback


def test_a_process_that_ignores_being_ended_is_killed(supervised: Any, tmp_path: Path) -> None:
    no_trace = "import faulthandler; faulthandler.unregister(signal.SIGUSR1)"
    deaf = "signal.signal(signal.SIGUSR1, signal.SIG_IGN)"
    assert supervised(no_trace, deaf, HANG)[::2] == (0, 2)
    assert len(read_ended(tmp_path)) == 1


def test_on_paper_it_ends(supervised: Any) -> None:
    code, told, starts = supervised(HANG, arguments=("paper",))
    assert (code, starts) == (HUNG_CODE, 1)
    assert "On paper" in told[0]


def test_a_crash_starts_again_and_a_kill_does_not(supervised: Any, tmp_path: Path) -> None:
    code, told, starts = supervised("is_first and os.kill(os.getpid(), signal.SIGSEGV)")
    assert (code, starts) == (0, 2)
    assert "crashed (SIGSEGV)" in told[0]
    assert supervised("os.kill(os.getpid(), signal.SIGKILL)") == (137, [], 3)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_reach_the_run(supervised: Any, tmp_path: Path, number: signal.Signals) -> None:
    """And a hang after that is ended, and not begun again; but a hangup ends nothing."""
    heard = tmp_path / "heard"

    def say() -> None:
        while not heard.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    threading.Thread(target=say).start()
    listen = f"signal.signal({int(number)}, lambda *_: heard.set()); heard = threading.Event()"
    wait = "(folder / 'heard').touch(); is_first and (heard.wait(30) or sys.exit(9))"
    code, _, starts = supervised(listen, wait, HANG)
    is_ending = number is not signal.SIGHUP
    assert (code, starts) == ((HUNG_CODE, 1) if is_ending else (0, 2))
