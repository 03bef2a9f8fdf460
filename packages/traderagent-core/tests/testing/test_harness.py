"""The harness interferes where it is asked to, and nowhere else."""

from decimal import Decimal

import pytest
from attrs import evolve
from traderagent_core.account.account import Account
from traderagent_core.model.event import OperatorCommand
from traderagent_core.testing import (
    SPOT,
    Bot,
    Conditions,
    Prober,
    ProberConfig,
    Run,
    candles_from_closes,
    market,
    run_bots,
    run_strategy,
    start_bots,
    start_strategy,
)
from traderagent_core.testing.comparing import ledgers, require_same_lines, traded
from traderagent_core.testing.specimens import DipBuyer, DipBuyerConfig, Ladder, LadderConfig


def dip_buyer(**conditions):
    return run_strategy(
        DipBuyer, DipBuyerConfig(), market("ranging"), SPOT, conditions=Conditions(**conditions)
    )


def test_operator_is_heard_at_the_time_given():
    usual = dip_buyer()
    middle = usual.of("filled")[3][1]
    run = dip_buyer(operator=[OperatorCommand(middle, "bot", "stop", "test")])
    assert ("noted", middle, "bot", "operator_stop", "test") in run.records
    assert len(run.of("filled")) < len(usual.of("filled"))


def test_restarts_take_place_and_change_nothing():
    asked = []

    def is_due(step):
        asked.append(step)
        return step % 5 == 0

    assert dip_buyer(restart_at=is_due).lines == dip_buyer().lines
    assert asked == list(range(len(asked)))


def test_around_sees_every_callback_with_its_context():
    seen = []

    def around(strategy, name, context, call):
        seen.append((name, context.now_ms))
        return call()

    run = dip_buyer(around=around)
    assert run.lines == dip_buyer().lines
    assert {name for name, _ in seen} >= {
        "on_start",
        "on_candle",
        "on_fill",
        "on_verdict",
        "on_timer",
        "on_closed",
    }


def test_two_bots_share_one_account():
    first = Bot(Ladder, LadderConfig(), market("ranging"), SPOT)
    candles = market("crash", symbol="ETH/USDT")
    second = evolve(first, name="other", candles=candles, instrument=evolve(SPOT, symbol="ETH/USDT"))
    run = run_bots([first, second])
    assert len(ledgers(run)) == 2
    assert traded(run, "bot")
    assert set(traded(run)) == {*traded(run, "bot"), *traded(run, "other")}


def test_records_of_a_run_fold_to_its_ledgers():
    run = dip_buyer()
    account = Account()
    account.fold(run.records)
    run.engine.account = account
    assert ledgers(run) == ledgers(dip_buyer())


def prober(closes, run_class=Run, **conditions):
    candles = candles_from_closes(closes)
    return start_strategy(Prober, ProberConfig(hours=1), candles, SPOT, run_class=run_class, **conditions)


def test_fields_of_bot_and_conditions_go_by_their_names():
    run = prober([100, 100, 100], budget=Decimal(500), latency_ms=250, leverage=Decimal(2)).run()
    assert run.exchange.flow == run.ledger.flow + 500
    assert run.times("filled") == [run.close_ms(1) + 250]
    with pytest.raises(TypeError, match="patience"):
        prober([100], patience=3)


def test_a_run_gone_on_with_candle_by_candle_is_the_whole_run():
    whole = dip_buyer()
    parts = start_bots(whole.bots, Conditions())
    assert parts.records == []
    for candles in range(1, len(parts.candles) + 1):
        parts.run(candles)
        assert all(record[1] <= parts.close_ms(candles - 1) for record in parts.records)
    assert parts.lines == whole.lines


def test_an_operator_is_heard_now_or_right_after_a_close():
    run = prober([100] * 6)
    run.operator("stop", after=3)
    run.run(3).operator("pause")
    run.run()
    words = [record for record in run.of("noted") if record[3].startswith("operator_")][1:]
    assert [(record[1], record[3]) for record in words] == [
        (run.close_ms(2), "operator_pause"),
        (run.close_ms(3) + 1, "operator_stop"),
    ]


def test_lost_plans_leave_the_position_and_no_order():
    run = prober([100] * 6).run(3)
    assert len(run.orders) == 1
    run.lose_plans()
    assert run.orders == []
    assert run.exchange.markets["BTC/USDT"].orders == {}
    assert run.ledger.quantity == 90


def test_a_run_of_ones_own_chooses_what_is_seen_of_fills_and_orders():
    class Prices(Run):
        fill_columns = ("price",)
        order_columns = ("client_order_id", "quantity")

    run = prober([100, 100, 100], Prices, slippage_ratio=Decimal("0.01")).run()
    assert run.fills() == [(Decimal(101),)]
    assert run.orders == [(run.exchange.asked[-1].request.client_order_id, run.ledger.quantity)]


def test_the_engine_is_the_present_one_after_a_restart():
    run = prober([100] * 6, restart_at=lambda step: step == 3)
    first = run.engine
    assert run.run().engine is not first
    assert run.strategy is run.engine.members["bot"].strategy


def test_first_difference_is_shown_with_what_came_before():
    with pytest.raises(AssertionError, match=r"record 1: b[\s\S]*record 1: x[\s\S]*last common record: a"):
        require_same_lines(["a", "b"], ["a", "x"], what="same", mend="mend it")
    with pytest.raises(AssertionError, match="only one of the runs has: c"):
        require_same_lines(["a", "c"], ["a"], what="same", mend="mend it")
    require_same_lines(["a", "c"], ["a"], what="same", mend="mend it", is_prefix=True)
