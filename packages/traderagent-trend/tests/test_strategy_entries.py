"""What is bought and sold, when, how much of it, and what is left alone."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from traderagent_core import Candles, Instrument
from traderagent_core.engine.setup import Limits
from traderagent_core.testing.markets import START_MS
from traderagent_trend.config import TrendConfig
from traderagent_trend.signals import entry_marks

Make = Callable[..., TrendConfig]
Run = Callable[..., Any]
Series = Callable[..., Candles]
Bars = Any
HOUR_MS = 3_600_000


def test_a_breakout_is_bought_at_its_close_and_its_target_sold(
    bench: Run, config: Make, spot: Instrument, up: Bars
) -> None:
    run = bench(config(), spot, [*up, (102, 110, 101, 109)]).run()
    assert run.fills() == [(D(102), D(25)), (D(108), D(25))]  # 10 000 × 0.01 / 4 = 25
    (trade,) = run.log
    assert (trade.entry, trade.side, trade.reason) == ("breakout", "LONG", "take_profit")
    assert (trade.opened_ms, trade.entry_price, trade.exit_price) == (START_MS + 5 * HOUR_MS, D(102), D(108))
    assert trade.pnl == 25 * 6 - 25 * D("0.001") * (102 + 108)
    assert (run.state.trades, run.state.wins, run.state.capital) == (1, 1, 10_000 + trade.pnl)
    run.assert_money_adds_up()


def test_a_short_trade_is_the_mirror_image(bench: Run, config: Make, linear: Instrument, down: Bars) -> None:
    keys = config(directions=["short"])
    run = bench(keys, linear, [*down, (98, 99, 90, 91)]).run()
    assert run.fills() == [(D(98), D(25)), (D(92), D(25))]
    (trade,) = run.log
    assert (trade.side, trade.reason) == ("SHORT", "take_profit")
    assert trade.pnl == 25 * 6 - 25 * (98 * D("0.00055") + 92 * D("0.0002"))
    run.assert_money_adds_up()


@pytest.mark.parametrize(
    ("directions", "trades"),
    [(["long"], ["LONG"]), (["short"], ["SHORT"]), (["long", "short"], ["LONG", "SHORT"])],
)
def test_directions_say_which_way_is_traded(
    bench: Run, config: Make, linear: Instrument, up: Bars, directions: list[str], trades: list[str]
) -> None:
    bars = [
        *up,
        (102, 108, 102, 108),
        *[(108, 108, 108, 108)] * 3,
        (108, 108, 106, 106),
        (106, 106, 100, 100),
    ]
    run = bench(config(directions=directions), linear, bars).run()
    assert [trade.side for trade in run.log] == trades
    run.assert_money_adds_up()


def test_a_pullback_is_bought(bench: Run, config: Make, spot: Instrument) -> None:
    rise = [(price + 1.5, price + 2.0, price + 1.5, price + 2.0) for price in range(100, 120, 2)]
    bars = [*rise, (120, 120, 118.5, 119.5), (119.5, 121, 119.5, 121), (121, 126, 121, 126)]
    run = bench(config(entries=["pullback"]), spot, bars).run()
    assert run.fills()[0][0] == D(121)
    assert run.fills()[1][0] == D("125.5")  # The true range of the turn is 1.5.
    assert run.log[0].entry == "pullback"


def test_a_crossover_is_bought(bench: Run, config: Make, spot: Instrument) -> None:
    fall = [(price, price, price - 2.0, price - 2.0) for price in range(120, 100, -2)]
    run = bench(
        config(entries=["crossover"]), spot, [*fall, (100, 110, 100, 110), (110, 150, 110, 150)]
    ).run()
    assert run.fills()[0][0] == D(110)
    assert run.log[0].entry == "crossover"


def test_the_log_says_which_entry_it_was(bench: Run, config: Make, linear: Instrument, walk: Series) -> None:
    """Told from the last candle alone, as the columns would tell it."""
    free: dict[str, Any] = {
        "max_daily_trades": None,
        "max_daily_loss_ratio": None,
        "max_consecutive_losses": None,
    }
    names = ["crossover", "breakout", "pullback"]
    keys = config(
        entries=names, directions=["long", "short"], ema_fast_period=5, ema_slow_period=12, breakout_candles=7,
        atr_period=14, **free,
    )  # fmt: skip
    candles = walk(3000, 5)
    run = bench(keys, linear, candles, budget=D(10**6)).run()
    assert len(run.log) == 100
    found = {
        name: entry_marks(keys.model_copy(update={"entries": (name,)}), _columns(keys, candles))
        for name in names
    }
    for trade in run.log:
        row = int((trade.opened_ms - START_MS) // HOUR_MS) - 1
        is_named = {name: bool(found[name][row]) for name in names}
        assert trade.entry == next(name for name in names if is_named[name])
    assert {trade.entry for trade in run.log} == set(names)
    assert {trade.side for trade in run.log} == {"LONG", "SHORT"}


def _columns(config: TrendConfig, candles: Candles) -> dict[str, Any]:
    from traderagent_trend.signals import indicators

    columns = {name: getattr(candles, name) for name in ("open", "high", "low", "close", "volume")}
    return columns | {indicator.key: indicator.batch(candles) for indicator in indicators(config)}


def test_one_trade_at_a_time(bench: Run, config: Make, spot: Instrument, up: Bars) -> None:
    again = [(102, 102, 102, 102), (102, 102, 101, 101), (101, 101, 101, 101), (101, 104, 101, 104)]
    run = bench(config(), spot, [*up, *again, (104, 106, 104, 106)]).run()
    assert len(run.fills()) == 1
    assert run.state.trade is not None
    assert run.state.reason == ""


def test_what_is_risked_grows_with_the_equity_and_shrinks_with_it(
    bench: Run, config: Make, linear: Instrument, up: Bars
) -> None:
    flat = [(108, 108, 108, 108)] * 3
    bars = [*up, (102, 108, 102, 108), *flat, (108, 110, 108, 110), (110, 110, 100, 100)]
    run = bench(config(risk_per_trade="0.02"), linear, bars).run()
    first, second = run.log
    assert first.quantity == D(50)
    assert second.quantity == linear.round_quantity((10_000 + first.pnl) * D("0.02") / 4)
    assert run.state.capital == 10_000 + first.pnl + second.pnl
    run.assert_money_adds_up()


def test_leverage_lets_a_near_stop_take_more(bench: Run, config: Make, linear: Instrument, up: Bars) -> None:
    keys = config(stop_atr="0.1", target_atr=3)  # 1 R is 0.2: 500 units, or 51 000.
    assert bench(keys, linear, up, leverage=D(10)).run().fills() == [(D(102), D(500))]
    capped = bench(keys, linear, up).run().fills()
    assert capped == [(D(102), linear.round_quantity(9_900 / D("1.00055") / 102))]


def test_slippage_changes_the_fill_and_not_the_plan(
    bench: Run, config: Make, spot: Instrument, up: Bars
) -> None:
    run = bench(config(), spot, [*up, (102, 109, 101, 109)], slippage_ratio=D("0.001")).run()
    assert run.fills() == [(D("102.11"), D(25)), (D(108), D(25))]
    assert run.log[0].risk == 4
    assert run.log[0].entry_price == D("102.11")
    run.assert_money_adds_up()


@pytest.mark.parametrize("latency_ms", [300, 90 * 60_000])
def test_an_order_may_be_on_its_way_for_a_while(
    bench: Run, config: Make, spot: Instrument, up: Bars, latency_ms: int
) -> None:
    rest = [(102, 103, 102, 103), (103, 104, 103, 104), (104, 109, 104, 109), (109, 112, 109, 112)]
    run = bench(config(), spot, [*up, *rest], latency_ms=latency_ms).run()
    assert [trade.reason for trade in run.log] == ["take_profit"]
    assert run.log[0].opened_ms == START_MS + 5 * HOUR_MS + latency_ms
    run.assert_money_adds_up()


def test_candles_of_a_timeframe_are_built_from_finer_ones(
    bench: Run, config: Make, spot: Instrument, up: Bars, candles: Series
) -> None:
    minutes = [
        bar for start, *_, close in up for bar in [(start, start, start, start)] * 59 + [_bar(start, close)]
    ]
    path = [(102, 102, 102, 102)] * 30 + [(102, 107, 102, 107), (107, 107, 99, 99), (99, 108, 99, 108)]
    run = bench(config(), spot, candles([*minutes, *path], timeframe="1m"), timeframe="1h").run()
    assert run.fills() == [(D(102), D(25)), (D(108), D(25))]
    assert run.log[0].opened_ms == START_MS + 5 * HOUR_MS
    # No hour has closed since, so only the fills are known.
    assert (run.log[0].mfe, run.log[0].mae) == (D(6), D(0))


def _bar(start: float, close: float) -> tuple[float, float, float, float]:
    return start, max(start, close), min(start, close), close


@pytest.mark.parametrize(
    ("keys", "budget", "reason"),
    [
        ({}, 2, "below_minimum"),
        ({"stop_atr": 60, "target_atr": 90}, 10_000, "stop_below_zero"),
    ],
)
def test_what_cannot_be_traded_is_said_once(
    bench: Run, config: Make, spot: Instrument, up: Bars, keys: dict[str, Any], budget: int, reason: str
) -> None:
    flat = [(102, 102, 102, 102)] * 3
    run = bench(config(**keys), spot, [*up, *flat, (102, 104, 102, 104)], budget=D(budget)).run()
    assert run.fills() == []
    assert run.notes() == [reason]
    assert run.state.reason == reason


def test_a_market_that_stands_still_is_left_alone(bench: Run, config: Make, spot: Instrument) -> None:
    run = bench(
        config(entries=["pullback", "breakout", "crossover"]), spot, [(100, 100, 100, 100)] * 50
    ).run()
    assert run.fills() == []
    assert set(run.notes()) <= {"no_range"}


def test_a_refused_plan_leaves_no_trade_behind(bench: Run, config: Make, spot: Instrument, up: Bars) -> None:
    run = bench(config(), spot, up, limits=Limits(max_position_size=D(100))).run()
    assert [record[4] for record in run.of("plan_rejected")] == ["max_position_size"]
    assert run.state.trade is None
    assert run.state.day_trades == 0
