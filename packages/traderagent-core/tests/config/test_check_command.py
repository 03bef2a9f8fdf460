"""`traderagent config check` and `config schema`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from traderagent_core.errors import PluginError, TraderAgentError

Command = Callable[..., Result]
Write = Callable[[str | bytes], Path]

GOOD = """\
encryption_key: ${KEY}
filters: {volume: }
risk_modes: {drawdown: {}}
bots:
  - name: a
    symbol: BTC/USDT
    strategy: quiet
    exchange: {exchange_id: kraken}
    grid: &grid {lower_price: 1, upper_price: 2, grid_levels: 5}
  - {name: b, symbol: ETH/USDT, strategy: auto, market: linear, dry_run: false, grid: *grid}
"""


def test_a_good_file_gets_ok_a_summary_and_notes(command: Command, write: Write) -> None:
    path = write(GOOD)
    result = command("check", str(path))
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        f"ok: {path}",
        "  a: quiet on BTC/USDT (spot, 1h), exchange kraken, paper",
        "  b: auto on ETH/USDT (linear, 1h), exchange simulated",
        "  filters: volume",
        "  risk modes: drawdown, halt, reduced, stress",
        f"note: {path}:8:29: bots[0].exchange.exchange_id: exchange 'kraken' is not installed",
        "    live commands need it: pip install traderagent-ccxt; back-tests do not",
        f"note: {path}:10:43: bots[1].strategy: in VOLATILE_TRANSITION, BULL_TREND, BEAR_TREND nothing trades",
        "    routes lead there to dca or trend, of which this bot has no section",
    ]


def test_json_is_one_object_with_the_same(command: Command, write: Write) -> None:
    result = command("check", str(write(GOOD)), "--json")
    told = json.loads(result.output)
    assert (result.exit_code, told["ok"], told["problems"]) == (0, True, [])
    assert [bot["strategy"] for bot in told["bots"]] == ["quiet", "auto"]
    assert [note["key"] for note in told["notes"]] == ["bots[0].exchange.exchange_id", "bots[1].strategy"]
    assert len(told["sha256"]) == 64
    assert "very-secret-key" not in result.output


def test_a_missing_file_is_told_in_both_forms(command: Command, tmp_path: Path) -> None:
    path = str(tmp_path / "none.yaml")
    assert (command("check", path).exit_code, command("check", path).output) == (
        2,
        f"{path}: there is no such file\n    check the path\n",
    )
    (problem,) = json.loads(command("check", path, "--json").output)["problems"]
    assert (problem["file"], problem["line"], problem["rule"]) == (path, None, "there is no such file")


def test_a_plugin_that_stops_the_start_is_a_problem_too(
    command: Command, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PluginError("two plugins claim 'grid'")

    monkeypatch.setattr("traderagent_core.config.load.discover", refuse)
    path = str(write(GOOD))
    assert command("check", path).exit_code == 2
    assert "two plugins claim 'grid'" in command("check", path).output
    told = json.loads(command("check", path, "--json").output)
    assert [problem["rule"] for problem in told["problems"]] == ["two plugins claim 'grid'"]


def test_the_schema_is_printed_or_written(command: Command, tmp_path: Path) -> None:
    printed = json.loads(command("schema").output)
    assert {"bots", "simulation", "filters"} <= printed["properties"].keys()
    out = tmp_path / "schema.json"
    assert command("schema", "--out", str(out)).output == f"wrote {out}\n"
    assert json.loads(out.read_text()) == printed


def test_a_schema_that_cannot_be_written_says_so(command: Command, tmp_path: Path) -> None:
    result = command("schema", "--out", str(tmp_path / "no" / "schema.json"))
    assert isinstance(result.exception, TraderAgentError)
    assert "choose another --out" in str(result.exception)
