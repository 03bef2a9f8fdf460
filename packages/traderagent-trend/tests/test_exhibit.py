"""The trade log that a report shows is the one that the strategy itself keeps."""

from decimal import Decimal as D
from typing import Any

import pytest
from traderagent_core import generate_candles, simulate
from traderagent_core.simulator.outcome import Outcome
from traderagent_trend.state import TrendState

CANDLES = generate_candles(symbol="BTC/USDT", timeframe="1h", rows=5000, seed=5, start_ms=0, price=30000.0)
BOTH = {"directions": ["long", "short"]}
SECTIONS: list[tuple[str, dict[str, Any]]] = [
    ("spot", {}),
    ("linear", BOTH),
    ("linear", {**BOTH, "target_atr": None, "entries": ["crossover", "pullback"]}),
    ("spot", {"break_even_from_r": None, "trailing_from_r": None}),
]


def outcome_of(section: dict[str, Any], market: str) -> Outcome:
    bot = {
        "name": "one",
        "symbol": "BTC/USDT",
        "strategy": "trend",
        "market": market,
        "timeframe": "1h",
        "trend": section,
    }
    return simulate({"bots": [bot], "simulation": {"balance": "10000"}}, CANDLES).outcome


def tables_of(outcome: Outcome) -> dict[str, list[dict[str, Any]]]:
    assert outcome.study.warnings == ()
    [shown] = outcome.study.exhibits
    return {
        table.name: [
            dict(zip([column.name for column in table.columns], row, strict=True)) for row in table.rows
        ]
        for table in shown.exhibit.tables
    }


@pytest.mark.parametrize(("market", "section"), SECTIONS)
def test_trades_are_those_of_the_strategy(market: str, section: dict[str, Any]) -> None:
    outcome = outcome_of(section, market)
    state = outcome.study._prepared.engine.members["one"].strategy.state  # type: ignore[attr-defined]
    assert isinstance(state, TrendState)
    over = [trade for trade in tables_of(outcome)["trades"] if trade["closed"] is not None]
    assert len(over) == state.trades > 15
    for row, trade in zip(over[-len(state.log) :], state.log, strict=True):
        assert (row["entry_kind"], row["side"], row["reason"]) == (trade.entry, trade.side, trade.reason)
        assert (row["opened"], row["closed"], row["quantity"]) == (
            trade.opened_ms, trade.closed_ms, trade.quantity,
        )  # fmt: skip
        assert (row["net"], row["risk"]) == (trade.pnl, trade.risk)
        assert (row["mfe"], row["mae"]) == (
            pytest.approx(trade.mfe, rel=D("1e-12"), abs=D("1e-9")),
            pytest.approx(trade.mae, rel=D("1e-12"), abs=D("1e-9")),
        )
        assert row["net_r"] == pytest.approx(trade.pnl_r, rel=D("1e-12"))


def test_a_stop_begins_one_r_away_and_moves_only_forward() -> None:
    for trade in tables_of(outcome_of(BOTH, "linear"))["trades"]:
        sign = 1 if trade["side"] == "LONG" else -1
        assert (trade["entry"] - trade["first_stop"]) * sign == pytest.approx(trade["risk"], rel=D("0.02"))
        assert (trade["last_stop"] - trade["first_stop"]) * sign >= 0
        assert (trade["target"] - trade["entry"]) * sign > 0


def test_sums_add_up_to_the_trades() -> None:
    tables = tables_of(outcome_of(BOTH, "linear"))
    over = [trade for trade in tables["trades"] if trade["closed"] is not None]
    assert sum(row["trades"] for row in tables["trades_by_kind"]) == len(over)
    assert sum(row["net"] for row in tables["trades_by_kind"]) == sum(trade["net"] for trade in over)
    for row in tables["trades_by_kind"]:
        own = [t for t in over if all(t[name] == row[name] for name in ("entry_kind", "side", "reason"))]
        assert row["won"] == sum(trade["net"] > 0 for trade in own)
        assert row["mean_mfe_r"] == pytest.approx(sum(trade["mfe_r"] for trade in own) / len(own))
