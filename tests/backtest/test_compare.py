"""A run beside fixed strategies, buying and holding, and cash: what is equal, and what cannot be compared."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from traderagent_core import Candles, load_config, simulate
from traderagent_core.cli.main import run
from traderagent_core.data.generate import generate_candles

D = Decimal
START_MS = 1_704_067_200_000
TWO = ("BTC/USDT", "ETH/USDT")
MODES = {"halt": {}, "drawdown": {"drawdown": "0.03"}}
SIMULATION = {"balance": 10000, "slippage": "0.0005", "acknowledge_halt_after_hours": 24}


def auto(symbol: str, **changes: Any) -> dict[str, Any]:
    bot: dict[str, Any] = {
        "name": symbol.split("/")[0].lower(),
        "symbol": symbol,
        "strategy": "auto",
        "grid": {"bounds": "atr", "atr_multiplier": 4, "grid_levels": 8, "amount_per_grid": 150},
        "dca": {"trigger_percentage": "0.02", "amount_per_step": 150, "max_steps": 4},
    }
    return bot | changes


@pytest.fixture(scope="module")
def candles() -> dict[str, Candles]:
    return {
        symbol: generate_candles(
            symbol=symbol, timeframe="1h", rows=900, seed=seed, start_ms=START_MS, annual_volatility=0.9
        )
        for seed, symbol in enumerate(TWO, start=3)
    }


@pytest.fixture(scope="module")
def compared(candles: dict[str, Candles]) -> Any:
    config = {"bots": list(map(auto, TWO)), "simulation": SIMULATION, "risk_modes": MODES}
    return simulate(config, candles, with_comparison=True)


def of(result: Any, name: str) -> Any:
    return next(each for each in result.comparison.runs if each.name == name)


def test_an_auto_run_is_compared_with_each_strategy_of_its_bots_then_holding_and_cash(compared: Any) -> None:
    names = [each.name for each in compared.comparison.runs]
    assert names == ["this run", "dca", "grid", "buy and hold", "cash"]
    assert compared.comparison.left_out() == []
    assert of(compared, "this run").metrics == compared.metrics
    spans = {(each.metrics.start_ms, each.metrics.end_ms) for each in compared.comparison.runs}
    assert len(spans) == 1


@pytest.mark.parametrize("name", ["grid", "dca"])
def test_a_fixed_strategy_is_the_same_account_with_that_strategy_written(
    compared: Any, candles: dict[str, Candles], name: str
) -> None:
    bots = [auto(symbol, strategy=name) for symbol in TWO]
    written = {
        "bots": bots,
        "simulation": SIMULATION,
        "risk_modes": MODES,
        "coordinator": {"allocator": {}},
    }
    start_ms = int(compared.outcome.equity.time_ms[0]) - 1
    alone = simulate(load_config(written), candles, start_ms=start_ms)
    found = of(compared, name).metrics
    assert found.fills > 10
    assert found == alone.metrics


def test_holding_buys_equal_parts_once_and_pays_for_it(compared: Any, candles: dict[str, Candles]) -> None:
    """Recomputed by hand, to within what is left over of steps in quantity and price."""
    found = of(compared, "buy and hold")
    first_ms = int(compared.outcome.equity.time_ms[0])
    part, held, fees = D(5000), D(0), D(0)
    for series in candles.values():
        closes = series.open_time + series.duration_ms
        bought = D(repr(float(series.close[closes.searchsorted(first_ms)]))) * D("1.0005")
        quantity = part / (bought * D("1.001"))
        held += quantity * D(repr(float(series.close[-1])))
        fees += quantity * bought * D("0.001")
    assert found.metrics.fills == 2
    assert abs(found.metrics.fees - fees) < D("0.02")
    assert abs(found.metrics.final_equity - held) < D("0.005") * held
    assert found.metrics.trades == 0


def test_cash_stays_what_it_was(compared: Any) -> None:
    found = of(compared, "cash")
    assert (found.metrics.final_equity, found.metrics.roi, found.metrics.max_drawdown) == (D(10000), 0, 0)
    assert (found.equity.equity == 10000).all()


def test_a_fixed_strategy_is_compared_with_holding_and_cash_only(candles: dict[str, Candles]) -> None:
    config = {"bots": [auto(TWO[0], strategy="dca")], "simulation": SIMULATION}
    result = simulate(config, candles, with_comparison=True)
    assert [each.kind for each in result.comparison.runs] == ["run", "hold", "cash"]
    assert "fixed strategy" not in " ".join(result.comparison.assumptions)


def test_a_strategy_that_not_all_bots_have_is_left_out_with_its_reason(candles: dict[str, Candles]) -> None:
    without_dca = auto(TWO[1])
    del without_dca["dca"]
    bots = [auto(TWO[0], grid={"enabled": False}), without_dca]
    result = simulate({"bots": bots, "simulation": SIMULATION}, candles, with_comparison=True)
    assert result.comparison.left_out() == [
        "dca is left out: no section `dca:` that is switched on in the bots eth; write one",
        "grid is left out: no section `grid:` that is switched on in the bots btc; write one",
    ]
    assert [row[0] for row in result.comparison.rows()[1:]] == ["this run", "buy and hold", "cash"]
    assert result.to_dict()["comparison"]["runs"][1]["why_not"].startswith("no section `dca:`")


def test_holding_needs_enough_for_the_smallest_order_without_leverage(candles: dict[str, Candles]) -> None:
    dca = {"trigger_percentage": "0.02", "amount_per_step": 150, "max_steps": 1}
    bot = {"name": "a", "symbol": TWO[0], "strategy": "dca", "market": "linear", "leverage": 5, "dca": dca}
    instruments = {TWO[0]: {"min_notional": 110}}
    config = {"bots": [bot], "simulation": {"balance": 100, "instruments": instruments}}
    result = simulate(config, candles, with_comparison=True)
    [told] = result.comparison.left_out()
    assert told.startswith("buy and hold is left out: cannot start:")
    assert "an equal part buys too little" in told


def test_the_command_prints_it_writes_it_and_repeats_it(
    candles: dict[str, Candles],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for series in candles.values():
        rows = [",".join(map(repr, series.candle(index))) for index in range(len(series))]
        name = f"test_spot_{series.symbol.replace('/', '-')}_1h.csv"
        Path(name).write_text("\n".join(["timestamp,open,high,low,close,volume", *rows, ""]))
    Path("auto.yaml").write_text(json.dumps({"bots": list(map(auto, TWO)), "simulation": SIMULATION}))
    assert run(["backtest", "--config", "auto.yaml", "--data", ".", "--compare", "--out", "first"]) == 0
    printed = capsys.readouterr().out
    assert "buy and hold " in printed
    told = json.loads(Path("first/result.json").read_text())
    assert len(told["comparison"]["runs"]) == 5
    assert len(told["comparison"]["assumptions"]) == 4
    page = Path("first/report.html").read_text()
    assert "<h2>Compared</h2>" in page
    curves = json.loads(page.partition('id="data">')[2].partition("</script>")[0])["comparison"]
    assert [name for name, *_ in curves] == [each["name"] for each in told["comparison"]["runs"]]
    assert len({len(values) for *_, values in curves}) == 1
    assert run(["backtest", "--manifest", "first/result.json", "--data", ".", "--out", "again"]) == 0
    assert Path("again/result.json").read_bytes() == Path("first/result.json").read_bytes()
    assert run(["backtest", "--manifest", "first/result.json", "--compare"]) == 2
    assert "--compare cannot go with it" in capsys.readouterr().err
