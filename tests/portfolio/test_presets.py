"""The presets that are given as examples: valid, in order of what they risk, and the same in every driver."""

import json
from pathlib import Path
from typing import Any

import pytest
from traderagent_core import load_config
from traderagent_core.cli.main import run
from traderagent_core.config.effective import effective
from traderagent_core.config.loaded import Config
from traderagent_core.data.csv_writing import write_csv
from traderagent_core.live_run import started_with

EXAMPLES = Path(__file__).parents[2] / "examples"
BOT = [{"name": "a", "symbol": "BTC/USDT"}]
PRESETS = ("careful", "balanced", "bold")
TWO = ("BTC/USDT", "ETH/USDT")
BOTS = "bots:\n  - {name: btc, symbol: BTC/USDT}\n  - {name: eth, symbol: ETH/USDT}\n"
FILE = f"simulation: {{balance: 3000, acknowledge_halt_after_hours: 24}}\n{BOTS}"


@pytest.fixture(scope="module")
def folder(made: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration that names no strategy, and candles for it."""
    folder = tmp_path_factory.mktemp("presets")
    (folder / "two.yaml").write_text(FILE, encoding="utf-8")
    (folder / "data").mkdir()
    for symbol, candles in made(TWO, days=40, seed=3).items():
        name = symbol.replace("/", "-")
        write_csv(candles, folder / "data" / f"binance_spot_{name}_1h_20240101-20240209.csv")
    return folder


def command(folder: Path, name: str, *arguments: str) -> int:
    data, preset = str(folder / "data"), str(EXAMPLES / "presets" / f"{name}.yaml")
    options = ("--config", str(folder / "two.yaml"), "--preset", preset, "--data", data)
    return run([arguments[0], *options, *arguments[1:]])


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_trades_in_simulation_and_its_run_is_repeated_without_it(folder: Path, name: str) -> None:
    first, again = folder / name, folder / f"{name}-again"
    assert command(folder, name, "backtest", "--out", str(first)) == 0
    result = first / "result.json"
    assert json.loads(result.read_text())["metrics"]["fills"] > 10
    repeat = ["--manifest", str(result), "--data", str(folder / "data"), "--out", str(again)]
    assert run(["backtest", *repeat]) == 0
    assert (again / "result.json").read_bytes() == result.read_bytes()


def test_a_preview_shows_every_strategy_and_which_of_them_trades(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(folder, "balanced", "preview", "--json") == 0
    shown = [each for each in json.loads(capsys.readouterr().out)["bots"] if each["symbol"] == TWO[0]]
    assert {each["strategy"] for each in shown} == {"grid", "dca", "trend"}
    (owner,) = [each for each in shown if not each["idle"]]
    assert all(f"now: {owner['bot']} trades" in each["idle"] for each in shown if each is not owner)
    assert not any(each["orders"] for each in shown if each is not owner)


def test_the_same_preset_runs_on_paper(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(folder, "balanced", "run", "--run-dir", str(folder / "paper")) == 0
    assert "btc:trend: position" in capsys.readouterr().out
    assert started_with(folder / "paper").sha256 == balanced(folder).sha256
    kept = json.loads((folder / "paper" / "manifest.json").read_text())["configuration"]
    assert kept == json.loads(json.dumps(effective(balanced(folder))))


def balanced(folder: Path) -> Config:
    return load_config(folder / "two.yaml", presets=[EXAMPLES / "presets" / "balanced.yaml"])


def test_presets_risk_ever_more() -> None:
    configs = [
        load_config({"preset": str(EXAMPLES / f"presets/{name}.yaml"), "bots": BOT}) for name in PRESETS
    ]
    halts = [{part.name: part.config for part in config.risk_modes}["halt"].drawdown for config in configs]
    reserves = [config.coordinator.allocator.reserve_ratio for config in configs]
    risks = [config.bots[0].sections["trend"].config.risk_per_trade for config in configs]
    assert halts == sorted(set(halts))
    assert reserves == sorted(set(reserves), reverse=True)
    assert risks == sorted(set(risks))


def test_the_balanced_preset_is_what_the_program_does_by_default() -> None:
    config = load_config({"preset": str(EXAMPLES / "presets/balanced.yaml"), "bots": BOT})
    bare = load_config({"bots": [{**BOT[0], "strategy": "auto", "trend": {}}]})
    assert config.coordinator == bare.coordinator
    modes = [{part.name: part.config for part in each.risk_modes} for each in (config, bare)]
    assert modes[0] == modes[1]


def test_the_portfolio_has_its_35_pairs() -> None:
    config = load_config(EXAMPLES / "portfolio.yaml")
    assert len({bot.symbol for bot in config.bots}) == len(config.bots) == 35
    assert {bot.strategy for bot in config.bots} == {"auto"}
    assert {name for bot in config.bots for name in bot.sections} == {"grid", "dca", "trend"}
    assert [note.rule for note in config.notes] == []
