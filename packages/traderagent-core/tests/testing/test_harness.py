"""The harness interferes where it is asked to, and nowhere else."""

from decimal import Decimal

import pytest
from attrs import evolve
from traderagent_core.account.account import Account
from traderagent_core.model.event import OperatorCommand
from traderagent_core.model.instrument import Instrument
from traderagent_core.testing import Bot, Conditions, market, run_bots, run_strategy
from traderagent_core.testing.comparing import ledgers, require_same_lines, traded
from traderagent_core.testing.specimens import DipBuyer, DipBuyerConfig, Ladder, LadderConfig

SPOT = Instrument("BTC/USDT", min_notional=Decimal(5), lot_size=Decimal("0.0001"))


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


def test_first_difference_is_shown_with_what_came_before():
    with pytest.raises(AssertionError, match=r"record 1: b[\s\S]*record 1: x[\s\S]*last common record: a"):
        require_same_lines(["a", "b"], ["a", "x"], what="same", mend="mend it")
    with pytest.raises(AssertionError, match="only one of the runs has: c"):
        require_same_lines(["a", "c"], ["a"], what="same", mend="mend it")
    require_same_lines(["a", "c"], ["a"], what="same", mend="mend it", is_prefix=True)
