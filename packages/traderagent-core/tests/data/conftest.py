import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from traderagent_core.cli.data import data as data_group
from traderagent_core.data.catalogue import Catalogue
from traderagent_core.data.generate import generate_candles
from traderagent_core.errors import TraderAgentError
from traderagent_core.model.candle import Candles

START_MS = 1_704_067_200_000  # 2024-01-01T00:00Z, a Monday


@pytest.fixture
def real_data() -> Path:
    """The folder of real series, where there is one."""
    folder = os.environ.get("TRADERAGENT_DATA")
    if not folder:
        pytest.skip("TRADERAGENT_DATA is not set")
    return Path(folder)


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path / "catalogue")


@pytest.fixture
def market() -> Callable[..., Candles]:
    """Generated candles; arguments replace the defaults."""

    def make(**arguments: object) -> Candles:
        usual: dict[str, object] = {
            "symbol": "BTC/USDT",
            "timeframe": "1h",
            "rows": 200,
            "seed": 7,
            "start_ms": START_MS,
        }
        return generate_candles(**(usual | arguments))  # type: ignore[arg-type]

    return make


@pytest.fixture
def lines() -> Callable[..., list[str]]:
    """Rows of a sound hourly CSV without header, to be spoilt by a test."""

    def make(count: int = 12, *, step_ms: int = 3_600_000) -> list[str]:
        return [
            f"{START_MS + n * step_ms},{100 + n}.5,{102 + n}.25,{99 + n}.75,{101 + n}.5,{n + 1}.125"
            for n in range(count)
        ]

    return make


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of text or bytes, packed where its name ends in .gz."""

    def make(name: str, content: str | bytes | list[str]) -> Path:
        text = "\n".join(content) + "\n" if isinstance(content, list) else content
        raw = text.encode("utf-8") if isinstance(text, str) else text
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(raw, mtime=0) if name.endswith(".gz") else raw)
        return path

    return make


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Runs `traderagent data …` on a catalogue of its own; gives exit code and all output.

    Errors of ours become exit code 2, as the program's entry point does it; anything else fails the test.
    """
    monkeypatch.setenv("TRADERAGENT_CATALOGUE", str(tmp_path / "catalogue"))

    def call(*arguments: object) -> tuple[int, str]:
        result = CliRunner().invoke(data_group, [str(argument) for argument in arguments])
        if isinstance(result.exception, TraderAgentError):
            return 2, f"{result.output}{result.exception}"
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return call
