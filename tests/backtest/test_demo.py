"""`traderagent demo`: says that its market is made up, needs nothing, and repeats to the byte."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

OFFLINE = """
import socket
def refuse(*args, **options):
    raise AssertionError("the demo opens a socket")
socket.socket = socket.create_connection = socket.getaddrinfo = refuse
from traderagent_core.cli.main import main
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="HOME is found otherwise there")
def test_it_needs_no_network_no_home_and_repeats_to_the_byte(
    desk: Any, contents: Callable[[Path], dict[str, bytes]]
) -> None:
    home = desk.folder / "home"
    home.mkdir()
    runs = [
        desk.start("demo", "--out", out, code=OFFLINE, HOME=str(home), PYTHONHASHSEED=seed)
        for out, seed in (("one", "1"), ("two", "2"))
    ]
    for done in runs:
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(
            "Market: GENERATED with seed 7 (105,120 candles of 5m); these are no real prices."
        )
        assert "Report: " in done.stdout
    assert contents(desk.folder / "one") == contents(desk.folder / "two")
    assert list(home.iterdir()) == []
    result = json.loads((desk.folder / "one" / "result.json").read_text())
    (data,) = result["manifest"]["data"]
    assert (data["source"], result["manifest"]["seed"]) == ("generated", 7)
    assert result["metrics"]["cycles"] > 100
    assert "generated" in (desk.folder / "one" / "report.html").read_text(encoding="utf-8").lower()


def test_its_result_is_no_run_to_repeat_from_data(desk: Any) -> None:
    assert desk.start("demo", "--out", "demo").returncode == 0
    done = desk.start("backtest", "--manifest", "demo/result.json")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
