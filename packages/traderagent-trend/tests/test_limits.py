"""Limits as functions of the state: what counts for which day, and what is said when one is reached."""

from collections.abc import Callable
from decimal import Decimal as D

import pytest
from attrs import evolve
from traderagent_trend.config import TrendConfig
from traderagent_trend.limits import DAILY_LOSS, DAILY_TRADES, LOSSES, limit_reached, with_closed, with_opened
from traderagent_trend.state import LOG_LENGTH, TrendState
from traderagent_trend.trades import OpenTrade, Trade

Make = Callable[..., TrendConfig]
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NOON_MS = 19_000 * DAY_MS + 12 * HOUR_MS
ONE = D(1)


def opened(at_ms: int) -> OpenTrade:
    return OpenTrade("breakout", True, D(100), D(96), D(106), D(0), D(0)).with_fill(at_ms, ONE, D(100))


def closed(pnl: object, at_ms: int = NOON_MS) -> Trade:
    numbers = (ONE, D(100), D(100) + D(str(pnl)), D(str(pnl)), D(4), D(1), D(1))
    return Trade("breakout", "LONG", "stop_loss", at_ms - HOUR_MS, at_ms, *numbers)


def after(config: TrendConfig, *pnls: object, at_ms: int = NOON_MS) -> TrendState:
    """The state after trades that were all opened and closed at one time."""
    state = TrendState()
    for pnl in pnls:
        state = with_opened(state, opened(at_ms))
        state = with_closed(config, state, closed(pnl, at_ms), D(1000), HOUR_MS)
    return state


def test_trades_are_counted_and_added_up(config: Make) -> None:
    state = after(config(), 5, -2, "-1.5", 3, -1)
    assert (state.trades, state.wins, state.losses) == (5, 2, 1)
    assert (state.day, state.day_trades, state.day_pnl) == (19_000, 5, D("3.5"))
    assert [trade.pnl for trade in state.log] == [D(5), D(-2), D("-1.5"), D(3), D(-1)]
    assert state.capital == 1000


def test_a_trade_without_a_result_is_no_loss_and_no_win(config: Make) -> None:
    state = after(config(), -1, 0)
    assert (state.losses, state.wins) == (0, 0)


def test_a_trade_over_midnight_belongs_to_the_day_of_its_end(config: Make) -> None:
    state = with_opened(TrendState(), opened(NOON_MS))
    assert (state.day, state.day_trades) == (19_000, 1)
    state = with_closed(config(), state, closed(-7, NOON_MS + DAY_MS), D(993), HOUR_MS)
    assert (state.day, state.day_trades, state.day_pnl) == (19_001, 0, D(-7))
    state = with_opened(state, opened(NOON_MS + 2 * DAY_MS))
    assert (state.day, state.day_trades, state.day_pnl) == (19_002, 1, D(0))


@pytest.mark.parametrize(("loss", "is_reached"), [("49.99", False), ("50", True), ("51", True)])
def test_the_daily_loss_is_a_ratio_of_the_equity_before_it(config: Make, loss: str, is_reached: bool) -> None:
    keys = config(max_daily_loss_ratio="0.05", max_daily_trades=None, max_consecutive_losses=None)
    state = after(keys, 10, f"-{D(loss) + 10}")
    equity = D(1000) - D(loss)
    assert (limit_reached(keys, state, equity, NOON_MS) == DAILY_LOSS) is is_reached
    assert limit_reached(keys, state, equity, NOON_MS + 12 * HOUR_MS - 1) == (
        DAILY_LOSS if is_reached else None
    )
    assert limit_reached(keys, state, equity, NOON_MS + 12 * HOUR_MS) is None


def test_daily_trades_begin_anew_at_midnight(config: Make) -> None:
    keys = config(max_daily_trades=2)
    assert limit_reached(keys, after(keys, 1), D(1000), NOON_MS) is None
    assert limit_reached(keys, after(keys, 1, 1), D(1000), NOON_MS) == DAILY_TRADES
    assert limit_reached(keys, after(keys, 1, 1), D(1000), NOON_MS + 12 * HOUR_MS) is None


def test_losses_in_a_row_make_a_pause_which_no_midnight_ends(config: Make) -> None:
    keys = config(max_consecutive_losses=2, loss_pause_candles=20)
    state = after(keys, -1, -1)
    assert limit_reached(keys, state, D(1000), NOON_MS + 20 * HOUR_MS - 1) == LOSSES
    assert limit_reached(keys, state, D(1000), NOON_MS + 20 * HOUR_MS) is None


def test_after_a_pause_the_count_begins_anew(config: Make) -> None:
    keys = config(max_consecutive_losses=2, loss_pause_candles=1)
    state = with_closed(keys, after(keys, -1, -1), closed(-1, NOON_MS + HOUR_MS), D(900), HOUR_MS)
    assert state.losses == 1
    assert limit_reached(keys, state, D(1000), NOON_MS + HOUR_MS) is None
    state = with_closed(keys, state, closed(-1, NOON_MS + HOUR_MS), D(900), HOUR_MS)
    assert limit_reached(keys, state, D(1000), NOON_MS + HOUR_MS) == LOSSES


def test_a_gain_ends_a_row(config: Make) -> None:
    keys = config(max_consecutive_losses=2)
    assert limit_reached(keys, after(keys, -1, 1, -1), D(1000), NOON_MS) is None


def test_limits_that_are_off_hold_nothing_back(config: Make) -> None:
    off = config(max_daily_loss_ratio=None, max_daily_trades=None, max_consecutive_losses=None)
    assert limit_reached(off, after(off, *[-50] * 30), D(1), NOON_MS) is None


def test_the_log_is_bounded(config: Make) -> None:
    state = after(config(), *range(LOG_LENGTH + 7))
    assert [trade.pnl for trade in state.log] == list(range(7, LOG_LENGTH + 7))


def test_another_trade_changes_nothing_else(config: Make) -> None:
    state = after(config(), 5, -2)
    assert state.with_trade(None, state.reason, state.look_ms) == state
    trade = opened(NOON_MS)
    assert state.with_trade(trade, "why", 7) == evolve(state, trade=trade, reason="why", look_ms=7)
