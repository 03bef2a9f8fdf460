"""The package is found under its name, and its example can be back-tested."""

from importlib.metadata import entry_points
from pathlib import Path

from traderagent_core import generate_candles, load_config, simulate

EXAMPLE = Path(__file__).parents[1] / "example" / "backtest.yaml"


def test_the_entry_point_leads_to_all_four_hooks():
    (entry,) = entry_points(group="traderagent", name="example")
    plugin = entry.load()
    found = [
        spec.name
        for hook in ("strategies", "entry_filters", "risk_modes", "event_sinks")
        for spec in getattr(plugin, f"traderagent_{hook}")()
    ]
    assert found == ["breakout", "streak", "bad-day", "tail"]


def test_the_example_trades_on_a_generated_market():
    candles = generate_candles(
        symbol="BTC/USDT", timeframe="5m", rows=30_000, seed=7, start_ms=1_704_067_200_000, price=30_000.0
    )
    result = simulate(load_config(EXAMPLE), candles)
    assert result.metrics.fills > 2
