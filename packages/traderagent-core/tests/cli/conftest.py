"""A folder with a configuration, its local plugin and a file of candles, and a way to run commands there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from traderagent_core import Candles
from traderagent_core.cli.main import run


def write_candles(folder: Path, candles: Candles) -> Path:
    """A CSV file whose name tells what it holds."""
    name = f"test_spot_{candles.symbol.replace('/', '-')}_{candles.timeframe}.csv"
    rows = [",".join(map(repr, candles.candle(index))) for index in range(len(candles))]
    (folder / name).write_text("\n".join(["timestamp,open,high,low,close,volume", *rows, ""]))
    return folder / name


class Printed(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


class Desk(NamedTuple):
    """A folder to work in; commands run with it as the working directory."""

    folder: Path
    data: Path
    read: Callable[[], Any]

    def configure(self, content: dict[str, Any], name: str = "ladder.yaml") -> Path:
        """Write a configuration; JSON is YAML too."""
        path = self.folder / name
        path.write_text(json.dumps(content, indent=1))
        return path

    def run(self, *args: object) -> Printed:
        """Run a command in this process; a traceback fails the test by itself."""
        code = run([str(arg) for arg in args])
        printed = self.read()
        assert "Traceback" not in printed.err
        return Printed(code, printed.out, printed.err)


@pytest.fixture
def desk(
    tmp_path: Path,
    ladder: Callable[..., dict[str, Any]],
    market: Callable[..., Candles],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Desk:
    """A desk with ladder.yaml and 600 hours of candles; the default catalogue is empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRADERAGENT_CATALOGUE", str(tmp_path / "catalogue"))
    made = Desk(tmp_path, write_candles(tmp_path, market("ranging")), capsys.readouterr)
    made.configure(ladder())
    return made
