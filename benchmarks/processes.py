"""Measures whole processes: how long a command takes from the outside, and the memory it needs at its peak."""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen
from timing import Timing

HERE = Path(__file__).parent
TRADERAGENT = str(Path(sysconfig.get_path("scripts")) / "traderagent")


@frozen
class ProcessTimes:
    """Runs of one command: their times, and the largest peak of resident memory in MB."""

    timing: Timing
    peak_mb: float


def measure_process(command: Sequence[str], repetitions: int = 5) -> ProcessTimes:
    """Run a command after one warm-up; raises RuntimeError when it fails."""
    _once(command)
    runs = [_once(command) for _ in range(repetitions)]
    timing = Timing(tuple(run["wall"] for run in runs), tuple(run["user"] for run in runs))
    return ProcessTimes(timing, max(run["peak_mb"] for run in runs))


def _once(command: Sequence[str]) -> dict[str, float]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    spawn = [sys.executable, "-S", "-E", str(HERE / "spawn.py")]
    done = subprocess.run([*spawn, *command], env=environment, capture_output=True, text=True, check=True)
    run: dict[str, float] = json.loads(done.stdout)
    if run["code"] != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {run['code']}: {done.stderr}")
    return run
