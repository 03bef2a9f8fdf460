import csv
import io
from decimal import Decimal

import attrs
import numpy as np
import pytest
from traderagent_core.report.tables import (
    decisions_csv,
    equity_csv,
    equity_rows_told,
    fills_csv,
    orders_csv,
    trades_csv,
)
from traderagent_core.simulator.outcome import DecisionRow, OrderRow


def read(parts):
    return list(csv.DictReader(io.StringIO(b"".join(parts).decode())))


def test_fills_read_back_as_they_were(make_outcome):
    outcome = make_outcome()
    rows = read(fills_csv(outcome.fills))
    assert [Decimal(row["price"]) for row in rows] == [fill.price for fill in outcome.fills]
    assert [row["is_ambiguous"] == "true" for row in rows] == [f.is_ambiguous for f in outcome.fills]
    assert rows[0]["time"].startswith("2024-01-01T00:0")
    assert rows[0]["time"].endswith("Z")


def test_trades_end_with_their_net_profit(make_outcome):
    outcome = make_outcome()
    rows = read(trades_csv(outcome.trades))
    assert list(rows[0])[-1] == "net_profit"
    assert [Decimal(row["net_profit"]) for row in rows] == [trade.net_profit for trade in outcome.trades]


def test_open_market_order_has_empty_cells():
    order = OrderRow(
        0,
        None,
        "b",
        "X/Y",
        "s",
        "ENTRY",
        "BUY",
        "MARKET",
        None,
        Decimal("1E+2"),
        Decimal(0),
        "OPEN",
        "",
        "id",
    )
    [row] = read(orders_csv([order]))
    assert (row["final"], row["price"], row["quantity"]) == ("", "", "100")
    assert row["submitted"] == "1970-01-01T00:00:00Z"


def test_text_with_commas_quotes_and_breaks_survives():
    evidence = 'atr="1,2"\nline'
    [row] = read(decisions_csv([DecisionRow(5, "a,b", "plan", "p", "R", evidence)]))
    assert (row["bot"], row["evidence"], row["time"]) == ("a,b", evidence, "1970-01-01T00:00:00.005Z")


@pytest.mark.parametrize("write", [fills_csv, orders_csv, trades_csv, decisions_csv])
def test_nothing_is_a_head_alone(write):
    assert b"".join(write([])).decode().count("\n") == 1


def test_equity_has_every_close_and_exact_values(make_outcome):
    outcome = make_outcome(count=300)
    rows = read([equity_csv(outcome.equity, outcome.starting_balance)])
    assert [float(row["equity"]) for row in rows] == outcome.equity.equity.tolist()
    assert rows[-1]["time"] == "2024-01-01T05:00:00Z"
    assert all(0 <= float(row["drawdown"]) < 1 for row in rows)
    assert equity_rows_told(outcome.equity) == "every base close"


def test_long_equity_is_thinned_to_closes_of_a_named_step(make_outcome):
    outcome = make_outcome(count=4320)
    rows = read([equity_csv(outcome.equity, outcome.starting_balance, limit=100)])
    assert [row["time"][11:] for row in rows[:2]] == ["01:00:00Z", "02:00:00Z"]
    assert [float(row["equity"]) for row in rows] == outcome.equity.equity[59::60].tolist()
    assert len(rows) == 72
    assert "1h" in equity_rows_told(outcome.equity, limit=100)


def test_thinned_drawdown_is_that_of_the_full_curve(make_outcome):
    outcome = make_outcome(count=240, fills=0)
    equity = np.full(240, 100_000.0)
    equity[10] = 200_000.0
    curve = attrs.evolve(outcome.equity, equity=equity)
    rows = read([equity_csv(curve, outcome.starting_balance, limit=10)])
    assert {row["drawdown"] for row in rows} == {"0.5"}
    assert len(rows) <= 10
