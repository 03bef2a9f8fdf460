"""Pauses, halts, refusals, liquidations and leftovers: no trade is lost, doubled or kept for ever."""

from collections.abc import Callable
from decimal import Decimal as D
from functools import partial
from typing import Any

import pytest
from attrs import evolve
from traderagent_core import Candles, Instrument
from traderagent_core.testing.faulty_exchanges import RefusingExchange, RejectingExchange, SplittingExchange
from traderagent_trend.config import TrendConfig

Make = Callable[..., TrendConfig]
Run = Callable[..., Any]
Series = Callable[..., Candles]
Bars = Any
QUIET = (102.0, 103.0, 101.0, 102.0)
TARGET = (102.0, 110.0, 102.0, 109.0)
AGAIN = [(109.0, 109.0, 109.0, 109.0)] * 3 + [(109.0, 111.0, 109.0, 111.0), (111.0, 118.0, 111.0, 118.0)]


def resume(run: Any, count: int) -> None:
    """Run on to a close with the bot paused, and resume it there."""
    run.operator("pause")
    run.run(count)
    run.view.now_ms = int(run.candles.open_time[count - 1] + run.candles.duration_ms)
    run.operator("resume")


def test_a_trade_that_ended_in_a_pause_is_written_down(
    bench: Run, config: Make, spot: Instrument, up: Bars
) -> None:
    run = bench(config(), spot, [*up, QUIET, TARGET, QUIET, QUIET]).run(6)
    resume(run, 8)
    assert [(trade.reason, trade.exit_price) for trade in run.log] == [("ended_unseen", D(108))]
    run.assert_money_adds_up()


def test_a_trade_that_lasts_over_a_pause_goes_on(
    bench: Run, config: Make, spot: Instrument, up: Bars
) -> None:
    run = bench(config(), spot, [*up, QUIET, QUIET, QUIET, TARGET]).run(6)
    resume(run, 8)
    assert run.log == ()
    (trade,) = run.run().log
    assert (trade.reason, trade.mae, trade.is_exact) == ("take_profit", D(1), True)


def test_an_entry_that_filled_in_a_pause_is_taken_over(
    bench: Run, config: Make, spot: Instrument, up: Bars
) -> None:
    still = [(102.0, 102.0, 102.0, 102.0)] * 2
    run = bench(config(), spot, [*up, *still, TARGET], latency_ms=600_000).run(5)
    resume(run, 6)
    trade = run.state.trade
    assert (trade.quantity, trade.notional, trade.is_exact) == (D(25), 25 * D(102), False)
    assert run.state.day_trades == 1
    assert [trade.reason for trade in run.run().log] == ["take_profit"]
    run.assert_money_adds_up()


def test_after_a_halt_the_trade_is_written_down_and_the_next_one_made(
    bench: Run, config: Make, linear: Instrument, up: Bars
) -> None:
    run = bench(config(), linear, [*up, QUIET, (102, 109, 102, 109), *AGAIN, *AGAIN[:3]]).run(6)
    run.operator("halt")
    assert run.ledger.quantity == 0
    run.run(7)
    run.operator("acknowledge")
    run.run()
    # The first entry after it finds the trade gone and writes it down; the one after that is traded.
    assert run.log[0].reason == "ended_unseen"
    run.assert_money_adds_up()


@pytest.mark.parametrize("code", ["insufficient_quote", "rate_limited", "some_code_nobody_has_seen"])
def test_an_entry_that_is_refused_is_given_up(
    bench: Run, config: Make, spot: Instrument, up: Bars, code: str
) -> None:
    venue = partial(RefusingExchange, part="-entry-", code=code)
    still = [(102.0, 102.0, 102.0, 102.0)] * 3
    run = bench(
        config(), spot, [*up, *still, (102, 104, 102, 104), (104, 111, 104, 111)], exchange=venue
    ).run(6)
    assert run.state.trade is None
    assert run.fills() == []
    assert run.stop is None
    assert [trade.reason for trade in run.run().log] == ["take_profit"]
    assert run.log[0].entry_price == 104
    run.assert_money_adds_up()


def test_a_target_that_is_refused_for_good_is_placed_once_more(
    bench: Run, config: Make, spot: Instrument, up: Bars
) -> None:
    venue = partial(RefusingExchange, part="-target-", code="some_code_nobody_has_seen")
    run = bench(config(), spot, [*up, QUIET, TARGET], exchange=venue).run()
    assert [(trade.reason, trade.exit_price) for trade in run.log] == [("take_profit", D(108))]
    run.assert_money_adds_up()


def test_without_any_target_the_stop_still_ends_the_trade(
    bench: Run, config: Make, spot: Instrument, up: Bars
) -> None:
    venue = partial(RefusingExchange, part="-target-", code="some_code_nobody_has_seen", times=9)
    run = bench(config(), spot, [*up, QUIET, (102, 110, 97, 97)], exchange=venue).run()
    assert [trade.reason for trade in run.log] == ["stop_loss"]
    assert run.exchange.left == 7
    run.assert_money_adds_up()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("venue", [SplittingExchange, RejectingExchange])
def test_money_adds_up_at_a_bad_venue(
    bench: Run, config: Make, linear: Instrument, walk: Series, venue: Any, seed: int
) -> None:
    keys = config(directions=["long", "short"], atr_period=5, trailing_from_r=1, break_even_from_r="0.5")
    run = bench(keys, linear, walk(900, 20 + seed), exchange=partial(venue, seed=seed)).run()
    assert run.state.trades > 5
    run.assert_money_adds_up()
    run.operator(
        "resume"
    )  # What ended while the bot was paused, as its stop was refused too often, is noted now.
    run.assert_money_adds_up()


def test_a_liquidation_ends_the_trade(bench: Run, config: Make, linear: Instrument, up: Bars) -> None:
    keys = config(stop_atr=4, target_atr=9)  # The stop at 94 is just before the liquidation of 10 × leverage.
    gap = evolve(linear, maintenance_margin_ratio=D("0.005"))
    run = bench(keys, gap, [*up, QUIET, (80, 80, 80, 80)], leverage=D(10)).run()
    (trade,) = run.log
    assert trade.reason in ("liquidation", "stop_loss")
    assert run.state.trade is None
    run.assert_money_adds_up()


def test_what_no_trade_holds_is_sold_first(bench: Run, config: Make, spot: Instrument, up: Bars) -> None:
    run = bench(config(), spot, [*up, QUIET, (102, 107, 102, 107), *AGAIN, *AGAIN]).run(6)
    run.strategy.state = evolve(run.state, trade=None)
    run.lose_plans()
    assert run.ledger.quantity == 25
    run.run(7)
    assert run.ledger.quantity == 0
    assert any(record[3:] == ("exit_begun", "leftover") for record in run.of("noted"))
    assert run.run().log[-1].entry_price == 111


def test_dust_keeps_nobody_from_trading(bench: Run, config: Make, spot: Instrument, up: Bars) -> None:
    run = bench(config(), spot, up).run(4)
    run.ledger.position.apply(D("0.01"), D(100))
    run.exchange.markets["BTC/USDT"].position.quantity += D("0.01")
    assert run.run().fills() == [(D(102), D(25))]


def test_holes_in_the_candles_are_waited_out(
    bench: Run, config: Make, spot: Instrument, up: Bars, candles: Series
) -> None:
    series = candles([*up, QUIET, TARGET])
    times = series.open_time.copy()
    times[5:] += 40 * 3_600_000
    run = bench(config(), spot, evolve(series, open_time=times)).run()
    (trade,) = run.log
    assert (trade.reason, trade.mae) == ("take_profit", D(1))
