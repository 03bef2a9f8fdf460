"""In lockstep a live run on recorded candles is the simulator's run: the same records, orders and fills."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from traderagent_core.testing import market

HOUR_MS = 3_600_000
STRATEGIES: dict[str, dict[str, Any]] = {
    "grid": {"upper_price": 108, "lower_price": 92, "grid_levels": 24, "amount_per_grid": 100},
    "dca": {"amount_per_step": 150, "trigger_percentage": "0.01", "take_profit_percentage": "0.01"},
    "trend": {},
}
Texts = Callable[..., list[str]]


def config(strategy: str, kind: str, symbol: str = "BTC/USDT", **changes: Any) -> dict[str, Any]:
    simulation = changes.pop("simulation", {})
    bot = {
        "name": f"{strategy}-bot",
        "symbol": symbol,
        "strategy": strategy,
        "timeframe": "1h",
        "market": kind,
        "risk_management": {"stop_loss_percentage": "0.05", "max_daily_loss": 40},
        strategy: STRATEGIES[strategy],
        **changes,
    }
    return {"bots": [bot], "simulation": simulation}


@pytest.mark.parametrize("kind", ["spot", "linear"])
@pytest.mark.parametrize("name", ["ranging", "rising", "falling", "crash", "gappy"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_records_are_those_of_the_simulator(
    strategy: str, name: str, kind: str, bench: Any, by_simulator: Texts, of_run: Callable[[Path], list[str]]
) -> None:
    candles = market(name, timeframe="5m", rows=3000)
    start_ms = int(candles.open_time[0]) + 70 * HOUR_MS
    expected = by_simulator(config(strategy, kind), [candles], start_ms)
    assert of_run(bench.live(config(strategy, kind), [candles], start_ms, market=kind)) == expected


@pytest.mark.parametrize(
    "simulation",
    [
        {"latency_ms": 250},
        {"latency_ms": 400_000},
        {"slippage": "0.0005"},
        {"path": "pessimistic"},
        {"path": "next_candle"},
        {"funding_rate": "0.0003"},
    ],
    ids=str,
)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_conditions_of_the_simulation_hold_too(
    strategy: str, simulation: dict[str, Any], bench: Any, by_simulator: Texts, of_run: Any
) -> None:
    candles = market("crash" if strategy == "grid" else "ranging", timeframe="5m", rows=3000, seed=3)
    start_ms = int(candles.open_time[0]) + 70 * HOUR_MS
    given = config(strategy, "linear", simulation=simulation, leverage=3)
    expected = by_simulator(given, [candles], start_ms)
    assert of_run(bench.live(given, [candles], start_ms, market="linear")) == expected


def test_several_bots_guards_and_filters(bench: Any, by_simulator: Texts, of_run: Any) -> None:
    series = [
        market("ranging", timeframe="5m", rows=3000),
        market("gappy", symbol="ETH/USDT", timeframe="5m", rows=3000, seed=4),
        market("rising", symbol="XRP/USDT", timeframe="5m", rows=3000),
    ]
    bots = [
        bot
        for strategy, each in zip(STRATEGIES, series, strict=True)
        for bot in config(strategy, "spot", each.symbol)["bots"]
    ]
    given = {"bots": bots, "risk_modes": {"drawdown": {"drawdown": "0.001"}, "reduced": {}}}
    start_ms = int(series[0].open_time[0]) + 70 * HOUR_MS
    expected = by_simulator(given, series, start_ms)
    assert sum("mode_changed" in record for record in expected) > 0
    assert of_run(bench.live(given, series, start_ms)) == expected
