"""The trend guard: in a strong trend nothing is added, what is held may still be given back."""

import math
from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest
from traderagent_core import Candles, Instrument, Wake
from traderagent_core.indicators import Adx
from traderagent_grid.config import GridConfig
from traderagent_grid.state import Phase
from traderagent_grid.strategy import GridStrategy

Make = Callable[..., GridConfig]
Run = Callable[..., Any]
Walk = Callable[..., Candles]

GUARD: dict[str, Any] = {"trend_guard_enabled": True, "trend_guard_period": 7}


def calm(middle: float, hours: int) -> list[float]:
    """Ups and downs whose ADX(7) stays below 28."""
    return [
        round(middle + 1.5 * math.sin(2.4 * hour) + 0.7 * math.sin(1.1 * hour), 2) for hour in range(hours)
    ]


CALM = calm(100, 40)


def adx(candles: Candles, period: int = 7) -> Any:
    return Adx(period).batch(candles)


def paused_at(run: Any) -> int:
    """Number of the close at which the guard paused the grid."""
    (time_ms,) = (record[1] for record in run.of("noted") if record[3] == "trend_guard")
    return int((time_ms - run.candles.open_time[0]) // 3_600_000)


def test_a_guarded_grid_is_called_at_crossings_only(config: Make) -> None:
    columns = {"adx(7)": np.array([np.nan, 20, 25, 33, 40, 30, 33, 29, 27, 20, 30, 27])}
    marks = GridStrategy.candidates(config(**GUARD), columns)
    assert np.flatnonzero(marks).tolist() == [1, 3, 6, 8, 11]
    assert GridStrategy.needs(config(**GUARD)).wake is Wake.CANDIDATES
    assert GridStrategy.needs(config()).wake is Wake.NEVER


def test_a_strong_fall_stops_the_buying_and_keeps_the_sales(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    candles = path([*CALM, *(100 - hour for hour in range(15))])
    run = bench(config(**GUARD), instrument, candles).run()
    assert run.state.phase is Phase.PAUSED
    assert {side for side, _, _ in run.orders} == {"SELL"}
    first = paused_at(run)
    assert adx(candles)[first - 1] > 32
    assert all(value <= 32 for value in adx(candles)[13 : first - 1])
    bought = run.times("filled")
    assert max(bought) <= candles.open_time[0] + first * 3_600_000
    assert run.ledger.quantity >= sum(quantity for _, _, quantity in run.orders)


def test_the_grid_goes_on_when_the_trend_is_over_with_what_it_holds_as_inventory(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    fall = [100 - hour for hour in range(8)]
    candles = path([*CALM, *fall, *calm(93, 25)])
    run = bench(config(**GUARD), instrument, candles).run()
    assert run.notes().count("trend_guard") == run.notes().count("trend_over") == 1
    assert run.state.phase is Phase.RUNNING
    assert len(run.orders) == 10
    assert len(run.engine.account.plans) == 1
    assert run.ledger.flow + 10_000 == run.exchange.flow


def test_while_paused_a_rise_sells_what_is_held_and_nothing_is_bought(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    candles = path([*CALM, *(101 + hour for hour in range(15))])
    run = bench(config(**GUARD), instrument, candles).run()
    assert run.state.phase is Phase.PAUSED
    paused_ms = candles.open_time[0] + paused_at(run) * 3_600_000
    later = sum(record[1] >= paused_ms for record in run.of("filled"))
    assert later > 0
    assert {side for side, _, _ in run.fills()[-later:]} == {"SELL"}
    assert run.orders == []
    assert run.ledger.quantity == 0


def test_a_grid_does_not_start_in_a_strong_trend(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    candles = path([*(60 + 2 * hour for hour in range(20)), *calm(100, 25)])
    run = bench(config(**GUARD), instrument, candles)
    assert run.run(15).state.phase is Phase.PAUSED
    assert run.fills() == []
    assert run.run().state.phase is Phase.RUNNING
    assert len(run.orders) == 10


@pytest.mark.parametrize("latency_ms", [0, 700])
def test_a_linear_grid_keeps_its_stop_while_paused(
    bench: Run, config: Make, linear: Instrument, path: Walk, latency_ms: int
) -> None:
    keys = config(**GUARD, stop_loss_price=85)
    candles = path([*CALM, *(100 - hour for hour in range(10)), 91, 84, 84])
    run = bench(keys, linear, candles, latency_ms=latency_ms).run()
    assert paused_at(run) < len(candles) - 3
    assert (run.state.phase, run.state.reason) == (Phase.STOPPED, "stop_loss")
    assert (run.ledger.quantity, run.engine.account.orders) == (0, {})


def test_trailing_waits_for_the_end_of_the_trend(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    keys = config(**GUARD, trailing_enabled=True, trailing_cooldown_candles=1)
    candles = path([*CALM, *(101 + hour for hour in range(25)), *calm(125, 30)])
    run = bench(keys, instrument, candles).run()
    times = {record[3]: record[1] for record in run.of("noted")}
    assert times["trend_guard"] < times["trend_over"] <= times["trailing_shift"]
    assert run.state.shifts_up == 1
    assert run.state.range.lower > D(110)
    assert len(run.orders) == 10


def pauses(candles: Candles) -> int:
    """How often the guard has to let a grid go on, counted candle by candle."""
    is_trending, count = False, 0
    for value in adx(candles):
        if value > 32:
            is_trending = True
        elif value < 28 and is_trending:
            is_trending = False
            count += 1
    return count


@pytest.mark.parametrize("market", ["spot", "linear"])
def test_a_guarded_grid_follows_every_crossing_and_keeps_its_books(
    bench: Run, config: Make, instrument: Instrument, linear: Instrument, wander: Walk, market: str
) -> None:
    chosen, candles = linear if market == "linear" else instrument, wander(3000, seed=12)
    run = bench(config(**GUARD, trailing_enabled=True), chosen, candles).run()
    assert run.notes().count("trend_over") == pauses(candles) > 50
    assert run.ledger.flow + 10_000 == run.exchange.flow
    assert run.state.phase is (Phase.PAUSED if run.state.is_trending else Phase.RUNNING)
