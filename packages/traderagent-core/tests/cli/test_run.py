"""`traderagent run` and `replay`: paper on recorded candles, the folder of a run, and what is refused."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from traderagent_core.cli.main import run
from traderagent_core.data.csv_writing import write_csv
from traderagent_core.testing import market

START = "from traderagent_core.cli.main import main; main()"


@pytest.fixture
def files(tmp_path: Path, ladder_file: Path) -> tuple[Path, Path]:
    """A configuration and the candles for it."""
    config = tmp_path / "bots.yaml"
    config.write_text(
        f"plugins: [{ladder_file}]\nsimulation: {{balance: 10000}}\n"
        "bots: [{name: bot, symbol: BTC/USDT, strategy: ladder, timeframe: 1h, ladder: {}}]\n"
    )
    data = tmp_path / "test_spot_BTC-USDT_5m.csv"
    write_csv(market("ranging", timeframe="5m", rows=2000), data)
    return config, data


def test_a_run_on_recorded_candles_is_kept_and_retraced(
    files: tuple[Path, Path], tmp_path: Path, capsys: Any
) -> None:
    config, data = files
    folder = tmp_path / "run"
    assert run(["run", "--config", str(config), "--data", str(data), "--run-dir", str(folder)]) == 0
    assert "bot: position" in capsys.readouterr().out
    assert {"manifest.json", "run.log", "lock"} <= {path.name for path in folder.iterdir()}
    events = [json.loads(line)["event"] for line in (folder / "run.log").read_text().splitlines()]
    assert events[:4] == ["recovered", "reconciled", "running", "bot_started"]
    assert run(["replay", str(folder)]) == 0
    assert "0 differences" in capsys.readouterr().out


def test_a_folder_that_holds_a_run_is_refused(files: tuple[Path, Path], tmp_path: Path, capsys: Any) -> None:
    config, data = files
    arguments = ["run", "--config", str(config), "--data", str(data), "--run-dir", str(tmp_path / "run")]
    assert run(arguments) == 0
    assert run(arguments) == 2
    assert "holds a run already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--speed", "0"], "is no speed"),
        (["--speed", "fast"], "is no speed"),
        (["--from", "2024-01-02"], "go with --data"),
    ],
)
def test_what_cannot_be_is_refused(
    files: tuple[Path, Path], arguments: list[str], told: str, capsys: Any
) -> None:
    assert run(["run", "--config", str(files[0]), *arguments]) == 2
    assert told in capsys.readouterr().err


def test_no_run_to_replay(tmp_path: Path, capsys: Any) -> None:
    assert run(["replay", str(tmp_path)]) == 2
    assert "holds no run" in capsys.readouterr().err


def start(files: tuple[Path, Path], folder: Path) -> subprocess.Popen[str]:
    config, data = files
    arguments = ["run", "--config", str(config), "--data", str(data), "--speed", "2000", "--run-dir"]
    process = subprocess.Popen(
        [sys.executable, "-c", START, *arguments, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    log = folder / "run.log"
    while process.poll() is None and not (log.exists() and "bot_started" in log.read_text()):
        time.sleep(0.02)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_in_order(
    files: tuple[Path, Path], tmp_path: Path, number: signal.Signals, capsys: Any
) -> None:
    folder = tmp_path / "run"
    process = start(files, folder)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert "orders live" in out
    assert "stop_asked" in (folder / "run.log").read_text()
    assert list(folder.glob("*.snapshot"))
    assert run(["replay", str(folder)]) == 0


def test_a_second_instance_is_refused_by_name(files: tuple[Path, Path], tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "run"
    process = start(files, folder)
    try:
        config, data = files
        code = run(["run", "--config", str(config), "--data", str(data), "--run-dir", str(folder)])
        err = capsys.readouterr().err
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert code == 3, err
    assert f"process {process.pid}" in err
