"""Positions that become trades of a trend, and trades that somebody else goes on with."""

from collections.abc import Sequence
from decimal import Decimal as D
from typing import Any

import pytest
from traderagent_core import Instrument
from traderagent_core.testing import (
    LINEAR,
    SPOT,
    Bot,
    Conditions,
    Holder,
    HolderConfig,
    Run,
    candles_from_rows,
    start_turns,
)
from traderagent_trend.config import TrendConfig
from traderagent_trend.strategy import TrendStrategy

TURN = 5
"""The candle at whose close the other one comes."""

PLAIN: dict[str, Any] = {
    "entries": ["breakout"],
    "ema_fast_period": 2,
    "ema_slow_period": 3,
    "breakout_candles": 2,
    "rsi_confirmation": False,
    "volume_confirmation": False,
    "atr_period": 1,
    "break_even_from_r": None,
    "trailing_from_r": None,
}
RISING = [(100, 101, 99, 100)] * 5 + [(100, 102, 100, 102)]
"""At the turn the price is 102 and the average true range 2: 1 R is 4."""
FALLING = [(100, 101, 99, 100)] * 5 + [(100, 100, 98, 98)]
HELD = HolderConfig(share=D("0.02"))
"""2 bought at 100; at 1 % of 10000 in 4 as many as 25 could be."""


def trend(**keys: Any) -> TrendConfig:
    return TrendConfig.model_validate({**PLAIN, **keys})


def turns(first: Any, second: Any, instrument: Instrument, rows: Sequence[Any], **conditions: Any) -> Run:
    """Two strategies on these candles, each a configuration; the second comes at the close of candle TURN."""
    candles = candles_from_rows(rows, symbol=instrument.symbol)
    classes = {TrendConfig: TrendStrategy, HolderConfig: Holder}
    bots = [
        Bot(classes[type(config)], config, candles, instrument, name=name)
        for name, config in (("first", first), ("second", second))
    ]
    run = start_turns(
        *bots, [int(candles.open_time[TURN]) + candles.duration_ms], Conditions(**conditions)
    ).run()
    assert not run.failures
    return run


def outcomes(run: Run) -> list[str]:
    return [record[6] for record in run.of("transition_ended")]


def test_a_position_with_the_trend_becomes_a_trade_with_stop_and_target() -> None:
    run = turns(HELD, trend(), SPOT, [*RISING, (102, 103, 101, 102)])
    heir = run.engine.members["second"]
    trade = heir.strategy.state.trade
    assert outcomes(run) == ["handed over"]
    assert (trade.entry, trade.stop, trade.target, trade.quantity, trade.notional) == (
        "taken_over",
        98,
        108,
        2,
        200,
    )
    assert (heir.stop.price, [order[2:4] for order in run.orders]) == (98, [(108, 2)])


@pytest.mark.parametrize(
    ("row", "reason", "pnl"),
    [((102, 109, 102, 109), "take_profit", 16), ((102, 102, 97, 97), "stop_loss", -4)],
)
def test_a_trade_that_was_taken_over_is_logged_from_its_average(row: Any, reason: str, pnl: int) -> None:
    run = turns(HELD, trend(), SPOT, [*RISING, (102, 103, 101, 102), row, row])
    (done,) = run.engine.members["second"].strategy.state.log
    assert (done.entry, done.reason, done.entry_price, done.risk) == ("taken_over", reason, 100, 4)
    assert D(pnl) - 1 < done.pnl < pnl


def test_a_short_position_needs_a_falling_trend() -> None:
    short = HolderConfig(share=D("0.02"), is_long=False)
    both = trend(directions=["long", "short"])
    run = turns(short, both, LINEAR, [*FALLING, (98, 99, 97, 98)])
    assert (outcomes(run), run.engine.members["second"].stop.price) == (["handed over"], 102)
    run = turns(short, both, LINEAR, [*RISING, *[(102, 103, 101, 102)] * 4])
    assert outcomes(run) == ["forced"]


@pytest.mark.parametrize(
    ("held", "keys"),
    [
        (HolderConfig(share=D("0.3")), {}),
        (HELD, {"target_atr": None, "trailing_from_r": 1}),
        (HELD, {"directions": ["short"]}),
    ],
    ids=["more than the risk allows", "no order for it", "against the trend"],
)
def test_what_would_be_no_trade_is_wound_down(held: HolderConfig, keys: dict[str, Any]) -> None:
    run = turns(held, trend(**keys), LINEAR, [*RISING, *[(102, 103, 101, 102)] * 4])
    assert not run.of("ledger_handed_over")
    assert outcomes(run) == ["forced"]


def test_nothing_is_taken_over_while_a_limit_is_reached() -> None:
    """The first trade of the day has used it up; the day after it is free again."""
    from attrs import evolve

    run = turns(HELD, trend(max_daily_trades=1), SPOT, [*RISING, (102, 103, 101, 102)])
    strategy = run.engine.members["second"].strategy
    holder = run.engine.members["first"].ledger
    holder.trade(D(2), D(100))
    strategy.state = evolve(strategy.state, trade=None)
    assert not strategy.takes_over(run.engine.members["second"].context, holder)
    strategy.state = evolve(strategy.state, day_trades=0)
    assert strategy.takes_over(run.engine.members["second"].context, holder)


def test_a_trade_that_is_handed_over_ends_in_the_log_and_keeps_its_stop() -> None:
    breakout = [(100, 100, 100, 100)] * 4 + [(100, 102, 100, 102)]
    later = [(102, 103, 102, 103), (103, 103, 102, 103), (103, 103, 96, 97)]
    run = turns(trend(), HolderConfig(), SPOT, breakout + later)
    first, heir = (run.engine.members[name] for name in ("first", "second"))
    (done,) = first.strategy.state.log
    assert (outcomes(run), done.reason, done.exit_price == done.entry_price) == (
        ["handed over"],
        "handed_over",
        True,
    )
    assert first.strategy.state.trade is None
    assert [record[4] for record in run.of("noted") if record[2:4] == ("second", "exit_begun")] == [
        "stop_loss"
    ]
    assert heir.ledger.quantity == 0
