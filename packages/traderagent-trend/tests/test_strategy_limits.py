"""Limits while running: over midnight, and over a restart."""

import json
from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from traderagent_core import Candles, Instrument
from traderagent_core.contract.state import check_state_class
from traderagent_core.engine.snapshot import restore, snapshot
from traderagent_trend.config import TrendConfig
from traderagent_trend.state import TrendState
from traderagent_trend.strategy import TrendStrategy

Make = Callable[..., TrendConfig]
Run = Callable[..., Any]
Series = Callable[..., Candles]
FLAT = (100.0, 100.0, 100.0, 100.0)
BUY = (100.0, 102.0, 100.0, 102.0)
LOSE = (102.0, 102.0, 97.0, 97.0)
BACK = (97.0, 100.0, 97.0, 100.0)
WIN = (102.0, 109.0, 102.0, 109.0)
DOWN = (109.0, 109.0, 100.0, 100.0)
LOSS = (FLAT, FLAT, FLAT, BUY, LOSE, BACK)
"""Six hours: one trade that loses 1 R, bought at the end of the fourth hour."""
GAIN = (FLAT, FLAT, FLAT, BUY, WIN, DOWN)
ONLY: dict[str, Any] = {
    "max_daily_loss_ratio": None,
    "max_daily_trades": None,
    "max_consecutive_losses": None,
}


def hours(run: Any) -> list[int]:
    """Hours since the start, which is a UTC midnight, at which trades were opened."""
    return [(trade.opened_ms - int(run.candles.open_time[0])) // 3_600_000 for trade in run.log]


def test_the_daily_loss_holds_until_midnight(bench: Run, config: Make, spot: Instrument) -> None:
    keys = config(**{**ONLY, "max_daily_loss_ratio": "0.02"})
    run = bench(keys, spot, [FLAT, *LOSS * 7]).run()
    # Two losses of 1 % and fees reach 2 %: hours 5 and 11; then from the next day on, hours 29 and 35.
    assert hours(run) == [5, 11, 29, 35]
    assert run.notes().count("max_daily_loss_ratio") == 2
    run.assert_money_adds_up()


def test_the_daily_loss_survives_a_restart(bench: Run, config: Make, spot: Instrument) -> None:
    keys = config(**{**ONLY, "max_daily_loss_ratio": "0.02"})
    bars = [FLAT, *LOSS * 3]
    run = bench(keys, spot, bars).run(14)
    data = json.loads(json.dumps(snapshot(run.engine)))
    fresh = bench(keys, spot, bars)
    restore(fresh.engine, data)
    assert fresh.state == run.state
    assert fresh.state.day_pnl < -200
    fresh.view.now_ms = run.view.now_ms
    fresh.run()
    assert hours(fresh) == [5, 11]
    assert "max_daily_loss_ratio" in fresh.notes()


def test_daily_trades_hold_until_midnight(bench: Run, config: Make, spot: Instrument) -> None:
    run = bench(config(**{**ONLY, "max_daily_trades": 1}), spot, [FLAT, *GAIN * 7]).run()
    assert hours(run) == [5, 29]
    assert run.notes().count("max_daily_trades") == 2


def test_losses_in_a_row_make_a_pause(bench: Run, config: Make, spot: Instrument) -> None:
    keys = config(**{**ONLY, "max_consecutive_losses": 2, "loss_pause_candles": 10})
    run = bench(keys, spot, [FLAT, *LOSS * 6]).run()
    # Lost at hours 5 and 11, stopped in the candle after; the entry at hour 17 is left out.
    assert hours(run) == [5, 11, 23, 29]
    assert run.notes().count("max_consecutive_losses") == 2


def test_a_gain_in_between_lets_it_go_on(bench: Run, config: Make, spot: Instrument) -> None:
    keys = config(**{**ONLY, "max_consecutive_losses": 2})
    run = bench(keys, spot, [FLAT, *LOSS, *GAIN, *LOSS, *GAIN, *LOSS]).run()
    assert len(run.log) == 5


@pytest.mark.parametrize("count", [3, 6, 9, 20, 31, 40])
def test_a_snapshot_brings_everything_back(bench: Run, config: Make, spot: Instrument, count: int) -> None:
    bars = [FLAT, *(LOSS + GAIN) * 4]
    run = bench(config(**ONLY, trailing_from_r=1, break_even_from_r="0.5"), spot, bars).run(count)
    fresh = bench(config(**ONLY, trailing_from_r=1, break_even_from_r="0.5"), spot, bars)
    restore(fresh.engine, json.loads(json.dumps(snapshot(run.engine))))
    assert fresh.state == run.state
    assert snapshot(fresh.engine) == snapshot(run.engine)


def test_the_state_can_be_saved_and_says_its_version() -> None:
    assert check_state_class(TrendStrategy) is None
    assert TrendState().schema_version == 1


def test_a_trade_knows_its_day(bench: Run, config: Make, spot: Instrument) -> None:
    run = bench(config(), spot, [FLAT, *LOSS]).run()
    assert run.state.day == 19_723  # 2024-01-01
    assert (run.state.day_trades, run.state.day_pnl) == (1, run.log[0].pnl)
    assert run.state.day_pnl == D(-100) - 25 * (102 + 98) * D("0.001")
