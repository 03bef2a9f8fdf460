"""The tutorial on the first live run is done as it is written: a sandbox, a run, kill -9, another run, the replay."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NAME = "docs/tutorial/first-live-run.md"
DEFAULT_PORT = "8899"
PROGRAM = f"""#!/bin/sh
exec '{sys.executable}' -c 'from traderagent_core.cli.main import main; main()' "$@"
"""


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def put_program(folder: Path) -> str:
    """A folder for `PATH` with `traderagent` in it, run by the Python of this environment."""
    folder.mkdir()
    program = folder / "traderagent"
    program.write_text(PROGRAM, encoding="utf-8")
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(scope="module")
def said(page: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the session prints, on another port than the page's."""
    told, folder, port = page(NAME), tmp_path_factory.mktemp("live"), free_port()
    (config,) = told.blocks("yaml")
    (folder / "live.yaml").write_text(config.replace(DEFAULT_PORT, port), encoding="utf-8")
    script = "\n".join(told.blocks("bash")).replace("bybit-sandbox", f"bybit-sandbox --port {port}")
    environment = {**os.environ, "PATH": put_program(folder / "bin")}
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_run_goes_on_after_the_kill_with_the_same_stop(said: str) -> None:
    shown = re.findall(r"^run +(up|down)\b.*\n(?: +what.*\n)?folder", said, re.MULTILINE)
    assert shown == ["up", "down", "up"]
    stops = re.findall(r"held by the venue, order (\S+) OPEN", said)
    assert len(stops) == 4, said  # The first is the one that was waited for.
    assert len(set(stops)) == 1


def test_it_has_traded_and_both_processes_are_retraced(said: str) -> None:
    ended = re.search(r"swing: position \S+ BTC, realised \S+ USDT, fees (\S+)", said)
    assert ended is not None
    assert float(ended[1]) > 0
    stepped = re.search(r"^(\d+) events stepped again, 0 differences$", said, re.MULTILINE)
    assert stepped is not None
    assert int(stepped[1]) > 40
