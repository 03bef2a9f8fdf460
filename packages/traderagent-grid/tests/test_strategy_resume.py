"""After a pause nothing that happened meanwhile is missed, whatever the grid was doing."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from attrs import evolve
from traderagent_core import Candles, Instrument
from traderagent_grid.config import GridConfig
from traderagent_grid.ranges import Range
from traderagent_grid.state import Phase

Make = Callable[..., GridConfig]
Run = Callable[..., Any]
Walk = Callable[..., Candles]

TRAILING: dict[str, Any] = {"trailing_enabled": True, "trailing_cooldown_candles": 2}


def pause(run: Any, first: int, last: int) -> Any:
    """Run with the bot paused from the close of one candle to the close of another."""
    run.run(first).operator("pause")
    run.run(last).operator("resume")
    return run


def test_a_grid_goes_on_after_a_pause(bench: Run, config: Make, instrument: Instrument, path: Walk) -> None:
    run = pause(bench(config(), instrument, path([100, 100, 97, 101, 97, 101])), 2, 3).run()
    assert run.ledger.cycles == 2
    assert len(run.orders) == 10


def test_a_range_left_during_a_pause_is_noticed(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    run = pause(bench(config(**TRAILING), instrument, path([100, 100, 120, 120, 120, 120, 120])), 2, 4)
    assert run.state.left_ms == run.view.now_ms
    assert run.run().state.range == Range(D(110), D(130))


def test_a_take_profit_passed_during_a_pause_is_taken(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    run = pause(bench(config(take_profit_price=115), instrument, path([100, 100, 120, 120, 120])), 2, 4)
    assert (run.state.phase, run.state.reason) == (Phase.STOPPED, "take_profit")
    assert run.orders == []


def test_a_trend_that_began_during_a_pause_is_noticed(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    closes = [*(100 + (hour % 5) - (hour % 3) for hour in range(30)), *(101 - hour for hour in range(9))]
    keys = config(trend_guard_enabled=True, trend_guard_period=5)
    run = bench(keys, instrument, path(closes)).run(30)
    assert not run.state.is_trending
    pause(run, 31, 39)
    assert run.state.phase is Phase.PAUSED


@pytest.mark.parametrize("phase", [Phase.SHIFTING, Phase.PAUSING, Phase.RESUMING])
def test_a_confirmation_lost_in_a_pause_does_not_hold_the_grid_up(
    bench: Run, config: Make, instrument: Instrument, path: Walk, phase: Phase
) -> None:
    run = bench(config(**TRAILING), instrument, path([100, 100, 100, 100, 100])).run(2)
    run.operator("pause")
    run.lose_plans()
    run.strategy.state = evolve(run.state, phase=phase)
    run.run(3)
    assert run.orders == []
    run.operator("resume")
    run.run()
    assert run.state.phase is Phase.RUNNING
    assert len(run.orders) == 10


def test_a_stopped_grid_stays_out(bench: Run, config: Make, instrument: Instrument, path: Walk) -> None:
    run = pause(bench(config(stop_loss_price=85), instrument, path([100, 100, 80, 100, 100])), 3, 4).run()
    assert (run.state.phase, run.state.reason) == (Phase.STOPPED, "stop_loss")
    assert run.orders == []


def test_a_waiting_grid_tries_again_at_once(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    run = bench(config(max_position=975), instrument, path([100] * 18 + [97] * 10))
    assert run.run(18).state.phase is Phase.WAITING
    pause(run, 18, 20)
    assert run.state.phase is Phase.RUNNING
