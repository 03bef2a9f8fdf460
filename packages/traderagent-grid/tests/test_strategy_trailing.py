"""Trailing: when a range is moved, where to, and why it stands still."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from traderagent_core import Candles, Instrument
from traderagent_core.indicators import Atr
from traderagent_core.simulator.view import SimulatedView
from traderagent_grid.config import GridConfig
from traderagent_grid.ranges import Range
from traderagent_grid.state import Phase

Make = Callable[..., GridConfig]
Run = Callable[..., Any]
Walk = Callable[..., Candles]

TRAILING: dict[str, Any] = {"trailing_enabled": True, "trailing_cooldown_candles": 3}
ATR: dict[str, Any] = {**TRAILING, "trailing_recenter_mode": "atr", "atr_period": 3}
HOUR_MS = 3_600_000


class ViewWithoutAtr(SimulatedView):
    """A market view that has lost its ATR."""

    def value(self, symbol: str, timeframe: str, indicator: Any) -> float:
        assert isinstance(indicator, Atr)
        return float("nan")


def shifts(run: Any) -> list[tuple[float, str]]:
    """Hours after the first candle at which the range was moved, and what was said of it."""
    return [
        (round((record[1] - run.candles.open_time[0]) / HOUR_MS, 1), record[4])
        for record in run.of("noted")
        if record[3] == "trailing_shift"
    ]


def test_the_range_follows_the_price_up_after_the_cool_down(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    run = bench(config(**TRAILING), instrument, path([100, 100, 120, 120, 120, 120, 120, 120]))
    run.run(5)
    assert (run.state.range, run.state.left_ms is None) == (Range(D(90), D(110)), False)
    run.run()
    (shift,) = shifts(run)
    assert shift == (5.6, "price=120, lower=110, upper=130, mode=fixed")
    assert run.state.range == Range(D(110), D(130))
    assert (run.state.shifts_up, run.state.shifts_down, run.state.left_ms) == (1, 0, None)
    assert [price for _, price, _ in run.orders] == [*range(110, 120, 2), *range(122, 132, 2)]
    assert run.ledger.quantity == sum(quantity for side, _, quantity in run.orders if side == "SELL")


def test_the_range_follows_the_price_down_and_the_coins_count_as_inventory(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    run = bench(config(**TRAILING), instrument, path([100, 100, 80, 80, 80, 80, 80, 80]))
    held = run.run(4).ledger.quantity
    fills = len(run.fills())
    run.run()
    assert run.state.range == Range(D(70), D(90))
    assert (run.state.shifts_up, run.state.shifts_down) == (0, 1)
    assert len(run.fills()) == fills
    assert run.ledger.quantity == held
    sells = sum(quantity for side, _, quantity in run.orders if side == "SELL")
    assert D(0) < sells < held


def test_a_price_that_comes_back_within_the_cool_down_moves_nothing(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    run = bench(
        config(**TRAILING), instrument, path([100, 100, 115, 105, 105, 105, 105, 115, 115, 115, 115, 115])
    )
    run.run(7)
    assert (shifts(run), run.state.left_ms) == ([], None)
    run.run()
    assert [hour for hour, _ in shifts(run)] == [10.7]


def test_the_threshold_decides_what_left_means(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    candles = path([100, 100, *[112.1] * 8])
    assert shifts(bench(config(**TRAILING), instrument, candles).run()) == []
    near = config(**TRAILING, trailing_shift_threshold_pct="0.01")
    assert len(shifts(bench(near, instrument, candles).run())) == 1


def test_without_a_cool_down_the_range_moves_at_the_trigger(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    keys = config(trailing_enabled=True, trailing_cooldown_candles=0)
    run = bench(keys, instrument, path([100, 100, 113, 113])).run()
    (shift,) = shifts(run)
    assert shift[1].startswith("price=112.2, lower=102.2")


def test_a_start_outside_the_range_counts_as_having_left(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    run = bench(config(**TRAILING), instrument, path([130] * 8)).run()
    assert [hour for hour, _ in shifts(run)] == [4.0]
    assert run.state.range == Range(D(120), D(140))


def test_atr_gives_the_width(bench: Run, config: Make, instrument: Instrument, path: Walk) -> None:
    run = bench(config(**ATR), instrument, path([100] * 6 + [120] * 8, wick=1)).run()
    (shift,) = shifts(run)
    assert shift[1].endswith("mode=atr")
    grid_range = run.state.range
    assert f"lower={grid_range.lower}, upper={grid_range.upper}" in shift[1]
    assert D(119) <= (grid_range.upper + grid_range.lower) / 2 <= D(121)
    assert D(12) < grid_range.upper - grid_range.lower < D(60)
    assert run.state.fixed_fallbacks == 0


def test_without_an_atr_the_width_is_kept_and_that_is_recorded(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    candles = path([100] * 6 + [120] * 8)
    run = bench(config(**ATR), instrument, candles, view=ViewWithoutAtr).run()
    assert run.state.range == Range(D(110), D(130), "fixed_fallback")
    assert run.state.fixed_fallbacks == 1
    assert run.notes().count("fixed_fallback") == 1
    assert shifts(run)[0][1].endswith("mode=fixed_fallback")
    assert run.of("plan_granted")[-1][4].evidence["range_source"] == "fixed_fallback"


def test_an_atr_of_zero_counts_as_one_per_cent_of_the_price(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    run = bench(config(**{**ATR, "atr_period": 1}), instrument, path([100] * 3 + [120] * 8)).run()
    assert run.state.range == Range(D("116.4"), D("123.6"), "atr_zero")


def test_bounds_from_atr_at_the_start(bench: Run, config: Make, instrument: Instrument, path: Walk) -> None:
    keys = config(bounds="atr", atr_period=5, atr_multiplier=5, lower_price=None, upper_price=None)
    run = bench(keys, instrument, path([100] * 10, wick=1)).run()
    assert run.state.range == Range(D(90), D(110), "atr")
    assert len(run.orders) == 10


def test_a_grid_that_cannot_pay_for_the_move_stands_still_and_says_why_once(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    candles = path([100, 100, *[80] * 20])
    run = bench(config(**TRAILING), instrument, candles, budget=D(1000)).run()
    assert shifts(run) == []
    assert run.state.phase is Phase.RUNNING
    assert run.state.reason == "trailing_stands_still:over_budget"
    assert run.notes().count("trailing_stands_still:over_budget") == 1
    assert len(run.orders) == 10


def test_a_grid_does_not_move_over_its_stop(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    keys = config(**TRAILING, stop_loss_price=75)
    run = bench(keys, instrument, path([100, 100, *[80] * 10])).run()
    assert run.state.reason == "trailing_stands_still:stop_inside_range"


def test_every_order_of_the_old_range_is_gone_before_the_new_one_is_laid(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    run = bench(
        config(**TRAILING), instrument, path([100, 100, 120, 120, 120, 120, 120, 120]), latency_ms=400
    ).run()
    closed = [index for index, record in enumerate(run.records) if record[0] == "plan_closed"]
    granted = [index for index, record in enumerate(run.records) if record[0] == "plan_granted"]
    assert granted[0] < closed[0] < granted[1]
    between = run.records[granted[0] : closed[0]]
    assert sum(record[0] == "order_ended" for record in between) == 10
    assert len(run.orders) == 10


@pytest.mark.parametrize(
    ("market", "direction"),
    [("spot", "neutral"), ("linear", "neutral"), ("linear", "long"), ("linear", "short")],
)
def test_a_trailing_grid_keeps_its_books_on_a_long_walk(
    bench: Run, config: Make, instrument: Instrument, linear: Instrument, path: Walk, market: str, direction: str
) -> None:  # fmt: skip
    legs = [100 + 0.25 * hour for hour in range(200)] + [150 - 0.3 * hour for hour in range(250)]
    closes = [round(price + (1.7 if hour % 7 < 3 else 0), 2) for hour, price in enumerate(legs)]
    chosen = linear if market == "linear" else instrument
    run = bench(config(**TRAILING, direction=direction), chosen, path(closes), budget=D(100_000)).run()
    assert run.state.shifts_up >= 2
    assert run.state.shifts_down >= 2
    assert D(100_000) + run.ledger.flow == run.exchange.flow
    assert len(run.orders) == 10
    assert len(run.engine.account.plans) == 1
