"""Stop-loss, take-profit and drawdown: after each of them nothing is held, nothing rests and nothing comes back."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from traderagent_core import Candles, Instrument
from traderagent_core.venue.path import PathPolicy
from traderagent_grid.config import GridConfig
from traderagent_grid.state import Phase

Make = Callable[..., GridConfig]
Run = Callable[..., Any]
Walk = Callable[..., Candles]

SHORT = {"direction": "short"}
LONG = {"direction": "long"}
DOWN = [100, 100, 79, 79, 100, 100]
UP = [100, 100, 121, 121, 100, 100]


def assert_out(run: Any, reason: str) -> None:
    assert run.ledger.quantity == 0
    assert run.exchange.markets["BTC/USDT"].position.quantity == 0
    assert run.engine.account.orders == {}
    assert run.exchange.markets["BTC/USDT"].orders == {}
    assert run.engine.account.plans == {}
    assert (run.state.phase, run.state.reason) == (Phase.STOPPED, reason)
    assert run.ledger.flow + run.exchange.balance == run.exchange.flow


@pytest.mark.parametrize(
    ("market", "keys", "closes", "reason"),
    [
        ("spot", {"stop_loss_price": 80}, DOWN, "stop_loss"),
        ("spot", {"take_profit_price": 120}, UP, "take_profit"),
        ("spot", {"take_profit_price": 105}, UP, "take_profit"),
        ("linear", {**LONG, "stop_loss_price": 80}, DOWN, "stop_loss"),
        ("linear", {**LONG, "take_profit_price": 105}, UP, "take_profit"),
        ("linear", {**SHORT, "stop_loss_price": 120}, UP, "stop_loss"),
        ("linear", {**SHORT, "take_profit_price": 80}, DOWN, "take_profit"),
        ("linear", {**SHORT, "take_profit_price": 95}, DOWN, "take_profit"),
        ("linear", {"stop_loss_price": 80, "upper_stop_loss_price": 120}, DOWN, "stop_loss"),
        ("linear", {"stop_loss_price": 80, "upper_stop_loss_price": 120}, UP, "stop_loss"),
        ("linear", {"upper_stop_loss_price": 120}, UP, "stop_loss"),
    ],
)
@pytest.mark.parametrize("latency_ms", [0, 300])
def test_an_exit_leaves_nothing_behind(
    bench: Run, config: Make, instrument: Instrument, linear: Instrument, path: Walk,
    market: str, keys: dict[str, Any], closes: list[float], reason: str, latency_ms: int,
) -> None:  # fmt: skip
    chosen = linear if market == "linear" else instrument
    run = bench(config(**keys), chosen, path(closes), latency_ms=latency_ms).run()
    assert_out(run, reason)


@pytest.mark.parametrize(
    "closes",
    [[100, 92, 100, 108, 100, 92, 79, 100], [100, 108, 92, 108, 121, 100], [100, 108, 100, 92, 108, 79, 100]],
)
@pytest.mark.parametrize("policy", [PathPolicy.DEFAULT, PathPolicy.PESSIMISTIC, PathPolicy.NEXT_CANDLE])
def test_the_stop_changes_sides_with_a_neutral_linear_position(
    bench: Run, config: Make, linear: Instrument, path: Walk, closes: list[float], policy: PathPolicy
) -> None:
    keys = config(stop_loss_price=80, upper_stop_loss_price=120)
    run = bench(keys, linear, path(closes, wick=0.1), policy=policy).run()
    assert_out(run, "stop_loss")


def test_the_stop_closes_at_its_price(bench: Run, config: Make, instrument: Instrument, path: Walk) -> None:
    run = bench(config(stop_loss_price=80), instrument, path(DOWN)).run()
    assert run.fills()[-1] == (
        "SELL",
        D(80),
        sum(quantity for side, _, quantity in run.fills() if side == "BUY"),
    )


def test_a_stop_waits_while_the_range_is_moved_and_after(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    keys = config(stop_loss_price=60, trailing_enabled=True, trailing_cooldown_candles=1)
    run = bench(keys, instrument, path([100, 100, 85, 85, 85, 85, 59, 59])).run()
    assert run.state.shifts_down == 1
    assert_out(run, "stop_loss")


def test_a_take_profit_fires_when_nothing_is_held(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    run = bench(config(take_profit_price=115), instrument, path([100, 100, 112, 112, 116, 116]))
    assert run.run(4).ledger.quantity == 0
    assert_out(run.run(), "take_profit")


def test_a_drawdown_closes_everything_at_the_first_close_beyond_it(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    closes = [100, 100, *(100 - 0.5 * hour for hour in range(60))]
    free = bench(config(), instrument, path(closes), budget=D(1000))
    run = bench(config(max_drawdown="0.05"), instrument, path(closes), budget=D(1000)).run()
    assert_out(run, "max_drawdown")
    (exit_ms,) = (record[1] for record in run.of("noted") if record[3] == "max_drawdown")
    hour = (exit_ms - int(run.candles.open_time[0])) // 3_600_000
    peak, first = D(1000), None
    for count in range(2, len(closes) + 1):
        equity = free.run(count).exchange.equity()
        peak = max(peak, equity)
        if first is None and equity <= peak * D("0.95"):
            first = count
    assert hour == first


def test_the_drawdown_is_measured_from_the_peak_that_cycles_have_made(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    waves = [100, 97, 101] * 12
    closes = [100.0, *waves, *(100 - 0.5 * hour for hour in range(60))]
    run = bench(config(max_drawdown="0.05"), instrument, path(closes), budget=D(1000)).run()
    assert_out(run, "max_drawdown")
    assert run.ledger.cycles == 12
    made = run.ledger.cycles * D("1.8")
    assert -50 + made * D("0.8") < run.ledger.flow < -40 + made


def test_a_drawdown_that_is_not_reached_does_nothing(
    bench: Run, config: Make, instrument: Instrument, wander: Walk
) -> None:
    free = bench(config(), instrument, wander(2000, seed=8)).run()
    run = bench(config(max_drawdown="0.5"), instrument, wander(2000, seed=8)).run()
    assert run.state.phase is Phase.RUNNING
    assert run.fills() == free.fills()
    assert run.events < free.events + 500


def test_a_liquidation_ends_the_grid(bench: Run, config: Make, linear: Instrument, path: Walk) -> None:
    keys = config(**LONG, amount_per_grid=900)
    run = bench(keys, linear, path([100, 100, 60, 60, 100]), budget=D(1000), leverage=D(10)).run()
    assert_out(run, "liquidation")
