"""kill -9 at random moments: nothing durable is lost, nothing half is seen, in the journal and in its mirror."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("killed.py")
ROUNDS = 30


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the program forks the child that it kills")
def test_nothing_durable_is_lost_when_the_process_is_killed(database_url: str, folder: Path) -> None:
    command = [sys.executable, str(PROGRAM), str(folder), database_url, str(ROUNDS), "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.search(r"killed=(\d+) entries=(\d+) torn=(\d+) behind=(\d+)", done.stdout)
    assert told is not None
    killed, entries, torn, behind = map(int, told.groups())
    assert killed == ROUNDS
    assert entries > 3 * ROUNDS
    assert torn, "no kill found a half-written line: the test proves too little"
    assert behind, "no kill found the mirror behind the journal"
