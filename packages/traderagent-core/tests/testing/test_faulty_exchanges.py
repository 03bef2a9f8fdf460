"""The exchanges misbehave as they say, and the engine's books stay right all the same."""

from decimal import Decimal
from functools import partial

import pytest
from traderagent_core.model.instrument import Instrument
from traderagent_core.testing.comparing import books_problem, ledgers, traded
from traderagent_core.testing.conditions import Conditions
from traderagent_core.testing.faulty_exchanges import (
    OrderStormError,
    RejectingExchange,
    RepeatingExchange,
    SplittingExchange,
)
from traderagent_core.testing.harness import run_strategy
from traderagent_core.testing.markets import market
from traderagent_core.testing.specimens import DipBuyer, DipBuyerConfig, Ladder, LadderConfig

SPOT = Instrument("BTC/USDT", min_notional=Decimal(5), lot_size=Decimal("0.0001"))


def ladder(exchange, **conditions):
    given = Conditions(exchange=exchange, **conditions)
    return run_strategy(Ladder, LadderConfig(), market("ranging"), SPOT, conditions=given)


def test_fills_come_in_parts_on_the_lot_that_sum_up():
    run = ladder(partial(SplittingExchange, seed=5))
    whole = run_strategy(Ladder, LadderConfig(), market("ranging"), SPOT)
    fills = run.of("filled")
    assert len(fills) > 2 * len(whole.of("filled"))
    assert all(record[5] > 0 and record[5] % SPOT.lot_size == 0 for record in fills)
    assert traded(run) == traded(whole)
    assert ledgers(run) == ledgers(whole)


def test_one_lot_is_not_split():
    coarse = Instrument("BTC/USDT", lot_size=Decimal(20))
    run = run_strategy(
        Ladder,
        LadderConfig(),
        market("ranging"),
        coarse,
        conditions=Conditions(exchange=partial(SplittingExchange, seed=5)),
    )
    assert {record[5] for record in run.of("filled")} == {Decimal(20)}


def test_refusals_come_for_every_reason_and_leave_no_half_open_want():
    run = ladder(partial(RejectingExchange, seed=2, share=0.5))
    codes = {record[5] for record in run.of("order_ended") if record[3] == "REJECTED"}
    assert {"insufficient_quote", "rate_limited", "some_code_nobody_has_seen"} <= codes
    assert books_problem(run) is None


def test_exit_is_tried_until_it_is_done_whatever_the_refusals():
    """A deal that is to be closed is closed in the end, though the venue refuses nearly every third order."""
    run = run_strategy(
        DipBuyer,
        DipBuyerConfig(stop_ratio=Decimal("0.01")),
        market("falling"),
        SPOT,
        conditions=Conditions(exchange=partial(RejectingExchange, seed=7)),
    )
    begun = [record for record in run.of("noted") if record[3] == "exit_begun"]
    done = [record for record in run.of("noted") if record[3] == "exit_done"]
    assert len(begun) > 3
    assert len(begun) - len(done) <= 1
    assert any(record[5] == "rate_limited" and "-exit-" in record[2] for record in run.of("order_ended"))


def test_repeated_news_are_told_and_change_nothing():
    once = run_strategy(Ladder, LadderConfig(), market("ranging"), SPOT)
    run = ladder(RepeatingExchange)
    assert run.events > 1.5 * once.events
    assert len(run.of("filled")) == len(once.of("filled"))
    assert ledgers(run) == ledgers(once)


class AnswersEveryRefusal(Ladder):
    def on_order(self, context, news):
        self.on_start(context)


def test_storm_is_stopped():
    with pytest.raises(OrderStormError, match="orders at one instant"):
        run_strategy(
            AnswersEveryRefusal,
            LadderConfig(),
            market("ranging"),
            SPOT,
            conditions=Conditions(exchange=partial(RejectingExchange, share=1.0)),
        )
