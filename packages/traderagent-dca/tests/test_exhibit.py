"""The deals that a report shows are those that the strategy itself has written down."""

from decimal import Decimal as D
from typing import Any

import pytest
from traderagent_core import generate_candles, simulate
from traderagent_core.simulator.outcome import Outcome
from traderagent_dca.state import DcaState

CANDLES = generate_candles(symbol="BTC/USDT", timeframe="15m", rows=8000, seed=11, start_ms=0, price=30000.0)
PLAIN: dict[str, Any] = {
    "start": "immediate",
    "base_order_amount": "100",
    "safety_order_amount": "100",
    "max_safety_orders": 4,
    "price_deviation": "0.006",
    "take_profit_percentage": "0.008",
    "stop_loss_percentage": "0.03",
}
SECTIONS = [
    PLAIN,
    {**PLAIN, "direction": "short", "stop_loss_from": "base"},
    {**PLAIN, "trailing_deviation": "0.003", "break_even_percentage": "0.006"},
    {**PLAIN, "take_profit_steps": [{"gain": "0.004", "share": "0.5"}], "cooldown_candles": 2},
]


def outcome_of(section: dict[str, Any], market: str) -> Outcome:
    bot = {
        "name": "one",
        "symbol": "BTC/USDT",
        "strategy": "dca",
        "market": market,
        "timeframe": "1h",
        "dca": section,
    }
    return simulate({"bots": [bot], "simulation": {"balance": "10000"}}, CANDLES).outcome


def state_of(outcome: Outcome) -> DcaState:
    state = outcome.study._prepared.engine.members["one"].strategy.state  # type: ignore[attr-defined]
    assert isinstance(state, DcaState)
    return state


def tables_of(outcome: Outcome) -> dict[str, list[dict[str, Any]]]:
    assert outcome.study.warnings == ()
    [shown] = outcome.study.exhibits
    return {
        table.name: [
            dict(zip([column.name for column in table.columns], row, strict=True)) for row in table.rows
        ]
        for table in shown.exhibit.tables
    }


@pytest.mark.parametrize("market", ["spot", "linear"])
@pytest.mark.parametrize("section", SECTIONS)
def test_deals_are_those_of_the_strategy(section: dict[str, Any], market: str) -> None:
    if market == "spot" and section.get("direction") == "short":
        pytest.skip("there are no short deals on spot")
    outcome = outcome_of(section, market)
    state, deals = state_of(outcome), tables_of(outcome)["deals"]
    over = [deal for deal in deals if deal["end"] is not None]
    assert len(over) == state.deals > 20
    assert sum(deal["net"] for deal in over) == state.profit
    assert sum(deal["invested"] for deal in over) == state.invested
    for row, deal in zip(over[-len(state.history) :], state.history, strict=True):
        assert (row["number"], row["begin"], row["steps"], row["reason"]) == (
            deal.number, deal.opened_ms, deal.steps, deal.reason,
        )  # fmt: skip
        assert row["average"] == pytest.approx(deal.average, rel=D("1e-15"))
        assert (row["quantity"], row["realized"], row["fees"], row["funding"]) == (
            deal.quantity, deal.realized, deal.fees, deal.funding,
        )  # fmt: skip
        assert deal.closed_ms - 1000 <= row["end"] <= deal.closed_ms


def test_sums_add_up_to_the_deals() -> None:
    tables = tables_of(outcome_of(PLAIN, "spot"))
    over = [deal for deal in tables["deals"] if deal["end"] is not None]
    for name, key in (("deals_by_end", "reason"), ("deals_by_steps", "steps")):
        assert sum(row["deals"] for row in tables[name]) == len(over)
        assert sum(row["net"] for row in tables[name]) == sum(deal["net"] for deal in over)
        assert sum(row["share"] for row in tables[name]) == pytest.approx(1)
        assert [row[key] for row in tables[name]] == sorted({deal[key] for deal in over})
    for row in tables["deals_by_steps"]:
        won = [deal["net"] > 0 for deal in over if deal["steps"] == row["steps"]]
        assert (row["won"], row["win_rate"]) == (sum(won), sum(won) / len(won))


def test_a_deal_that_is_open_has_no_end() -> None:
    outcome = outcome_of({**PLAIN, "stop_loss_percentage": None, "take_profit_percentage": "5"}, "spot")
    [deal] = tables_of(outcome)["deals"]
    assert deal["end"] is deal["exit"] is None
    assert deal["reason"] == ""
    assert deal["net"] == -deal["fees"] < 0
