"""A process that trades takes over its edited configuration, refuses a bad one, and goes on with it after kill -9."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from traderagent_core import Candles
from traderagent_core.cli.main import run
from traderagent_core.data.csv_writing import write_csv
from traderagent_core.live.control.client import NotListeningError, RefusedByRunError, ask
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.replay import replay

PATIENCE_SECONDS = 60.0
COMMAND = "from traderagent_core.cli.main import main; main()"
GRID = '{upper_price: "110", lower_price: "90", grid_levels: LEVELS, amount_per_grid: "50"}'


def text(levels: object, *, symbol: str = "BTC/USDT", more: str = "") -> str:
    grid = GRID.replace("LEVELS", str(levels))
    return (
        f"{more}\nbots:\n- name: bot\n  symbol: {symbol}\n  strategy: grid\n  timeframe: 1m\n  grid: {grid}\n"
        f"- {{name: other, symbol: ETH/USDT, strategy: dca, timeframe: 1m, dca: {{amount_per_step: 50}}}}\n"
    )


def calm(symbol: str) -> Candles:
    """Two weeks of minutes near one price."""
    rows = 20_000
    close = np.round(100 + 0.4 * np.sin(np.arange(rows) / 9), 2)
    times = 1_704_067_200_000 + 60_000 * np.arange(rows, dtype=np.int64)
    return Candles(symbol, "1m", times, close, close + 0.05, close - 0.05, close, np.ones(rows))


class Running:
    """A process that trades on paper at recorded candles, and its configuration."""

    def __init__(self, folder: Path) -> None:
        self.file, self.folder, data = folder / "bots.yaml", folder / "run", folder / "data"
        data.mkdir()
        for symbol in ("BTC/USDT", "ETH/USDT"):
            write_csv(calm(symbol), data / f"test_spot_{symbol.replace('/', '-')}_1m.csv")
        self.file.write_text(text(6))
        given = [
            "--config",
            str(self.file),
            "--data",
            str(data),
            "--speed",
            "60",
            "--run-dir",
            str(self.folder),
        ]
        self.process = subprocess.Popen([sys.executable, "-c", COMMAND, "run", *given])

    def until(self, holds: Callable[[], Any]) -> Any:
        """The first answer that is something."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert self.process.poll() is None, "it ended by itself"
            assert time.monotonic() < end
            try:
                if found := holds():
                    return found
            except NotListeningError:
                pass
            time.sleep(0.1)

    def bot(self) -> dict[str, Any]:
        return dict(ask(self.folder, "status")["bots"][0])

    def levels(self) -> int:
        return len(self.bot()["orders"]) + 1  # None rests at the level nearest to the price.

    def told(self, what: str) -> list[dict[str, Any]]:
        files = self.folder.glob("*.log")
        lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        return [line for line in lines if line["event"] == what]

    def setups(self) -> list[Any]:
        entries = [each for each in read_entries(self.folder) if each.kind is EntryKind.SETUP]
        return [each.value["configuration"]["bots"][0]["grid"]["grid_levels"] for each in entries]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    found = Running(tmp_path)
    try:
        found.until(lambda: found.bot()["life_cycle"] == "RUNNING" and found.levels() == 6)
        yield found
    finally:
        if found.process.poll() is None:
            found.process.kill()
        found.process.wait()


def test_an_edit_is_taken_over_and_a_bad_one_is_refused(running: Running, capsys: Any) -> None:
    running.file.write_text(text(10))
    running.until(lambda: running.levels() == 10)
    (told,) = running.told("configuration_reloaded")
    assert told["changes"] == ["bots.bot.grid.grid_levels: 6 → 10"]

    running.file.write_text(text("many"))
    (refused,) = running.until(lambda: running.told("configuration_refused"))
    assert f"{running.file}:7:" in refused["error"]
    assert "bots[0].grid.grid_levels" in refused["error"]
    assert "many" in refused["error"]

    running.file.write_text(text(10, symbol="ADA/USDT"))
    running.until(lambda: len(running.told("configuration_refused")) == 2)
    with pytest.raises(RefusedByRunError, match=r"bots.bot.symbol: BTC/USDT → ADA/USDT; where"):
        ask(running.folder, "reload")
    assert running.setups() == [6, 10]
    assert running.levels() == 10

    running.process.kill()
    running.process.wait()
    assert replay(running.folder).difference is None
    assert run(["status", "--run-dir", str(running.folder)]) == 0
    assert "10" not in capsys.readouterr().err


def test_a_plan_changes_nothing_and_the_word_does(running: Running, capsys: Any) -> None:
    os.kill(running.process.pid, signal.SIGHUP)
    where = ["--run-dir", str(running.folder)]
    assert run(["reload", *where]) == 0
    assert capsys.readouterr().out == "the run has this configuration already\n"
    later = running.file.with_name("later.yaml")
    later.write_text(
        text(8, more="simulation: {maker_fee: 0.002}\ncoordinator: {allocator: {reserve_ratio: 0.3}}")
    )
    stamp = running.file.stat()
    later.replace(running.file)
    os.utime(running.file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert run(["reload", "--plan", *where]) == 0
    out = capsys.readouterr().out.splitlines()
    assert "now         bots.bot.grid.grid_levels: 6 → 8" in out
    assert "next start  simulation.maker_fee: nothing → 0.002" in out
    assert out[-2:] == ["plans anew  bot", "only a plan: nothing was changed"]


def test_other_bots_are_refused(running: Running) -> None:
    running.file.write_text(text(6).replace("name: other", "name: another"))
    with pytest.raises(RefusedByRunError) as refused:
        ask(running.folder, "reload")
    assert "bots.other: a bot → nothing" in str(refused.value)
    assert "bots.another: nothing → a bot" in str(refused.value)
    assert running.setups() == [6]
