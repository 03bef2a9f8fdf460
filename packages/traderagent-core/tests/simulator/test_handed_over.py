"""What a run tells of a position that went from one strategy to another: trades, positions, attribution."""

from decimal import Decimal
from typing import Any

import pytest
from traderagent_core.model.position import money_context
from traderagent_core.simulator.coordination import Terms, read_coordination
from traderagent_core.simulator.record_reader import RecordReader
from traderagent_core.simulator.round_trips import round_trips
from traderagent_core.testing import SPOT, Bot, Holder, HolderConfig, Run, candles_from_closes, start_turns

D = Decimal
FIRST, NEXT = "pair:first", "pair:second"


@pytest.fixture
def run() -> Run:
    """2 bought at 100, handed over at 90, and sold at 150 at the target of the second; the fee is 0.1 %."""
    candles = candles_from_closes([100] * 4 + [90] * 4 + [95] * 2 + [151] * 2)
    bots = [Bot(Holder, HolderConfig(share=D("0.02")), candles, SPOT, name=name) for name in (FIRST, NEXT)]
    return start_turns(*bots, [int(candles.open_time[8])]).run()


def test_a_strategy_keeps_what_was_on_paper_when_it_handed_over(run: Run) -> None:
    start_ms, end_ms = int(run.candles.open_time[0]), run.end_ms
    known = RecordReader(D(10_000)).read(run.records)
    found = read_coordination(
        run.records, {run.candles.symbol: run.candles}, start_ms, end_ms, Terms(), known
    )
    earned: dict[str, Decimal] = {}
    for each in found.earned:
        earned[each.member] = earned.get(each.member, D(0)) + each.profit
    assert earned == {FIRST: D("-20.2"), NEXT: D("119.7")}
    assert {name for each in found.committed for name in each.by_strategy} == {"first", "second"}
    (row,) = found.transitions
    assert (row.outcome, row.fees, row.price_difference, row.quantity) == ("handed over", 0, 0, 2)


def test_the_trade_is_that_of_who_closed_it(run: Run) -> None:
    with money_context():
        (row,) = RecordReader(D(10_000)).read(run.records).trades.rows
    assert (row.bot, row.quantity, row.entry_price, row.exit_price) == (NEXT, 2, 100, 150)
    assert row.gross_profit == 100
    assert row.fees == D("0.5")


def test_one_position_ends_where_the_other_begins(run: Run) -> None:
    with money_context():
        known = RecordReader(D(10_000)).read(run.records)
        candles = {run.candles.symbol: run.candles}
        trips, by_plan = round_trips(run.records, known, candles, lambda *_: False, run.driver.heard.stops)
    first, second = trips
    assert (first.bot, first.reason, first.gross_profit, first.fees) == (FIRST, "handed_over", 0, D("0.2"))
    assert (second.bot, second.plan, second.entry_price, second.exit_price) == (NEXT, "hold", 100, 150)
    assert first.closed_ms == second.opened_ms
    assert (second.gross_profit, second.fees) == (100, D("0.3"))
    assert second in by_plan.values()


def test_orders_of_both_are_read(run: Run) -> None:
    from traderagent_core.simulator.outcome_rows import order_rows, read_orders

    with money_context():
        reader = RecordReader(D(10_000)).read(run.records)
        rows: list[Any] = list(order_rows(read_orders(run.records, reader)))
    assert [(row.bot, row.status) for row in rows] == [
        (FIRST, "FILLED"),
        (FIRST, "CANCELED"),
        (NEXT, "FILLED"),
    ]
