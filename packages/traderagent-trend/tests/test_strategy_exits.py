"""Stop, target, trailing and break-even on hand-made candles: where each stands, and what it trades at."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from traderagent_core import Candles, Instrument
from traderagent_core.venue.path import PathPolicy
from traderagent_trend.config import TrendConfig

Make = Callable[..., TrendConfig]
Run = Callable[..., Any]
Series = Callable[..., Candles]
Bars = Any
SHORT: dict[str, Any] = {"directions": ["short"]}


def mirrored(bars: Bars) -> list[tuple[float, float, float, float]]:
    """Prices on the other side of 100."""
    return [(200 - start, 200 - low, 200 - high, 200 - close) for start, high, low, close in bars]


def assert_over(run: Any) -> None:
    assert run.ledger.quantity == 0
    assert run.exchange.markets["BTC/USDT"].position.quantity == 0
    assert run.engine.account.orders == {}
    assert run.exchange.markets["BTC/USDT"].orders == {}
    assert run.engine.account.plans == {}
    assert run.state.trade is None
    assert run.stop is None
    run.assert_money_adds_up()


@pytest.mark.parametrize("latency_ms", [0, 250])
@pytest.mark.parametrize("is_long", [True, False])
def test_the_stop_ends_a_trade_at_its_price(
    bench: Run, config: Make, spot: Instrument, linear: Instrument, up: Bars, is_long: bool, latency_ms: int
) -> None:
    bars = [*up, (102, 103, 98, 98), (98, 98, 98, 98)]
    if is_long:
        run = bench(config(), spot, bars, latency_ms=latency_ms).run()
    else:
        run = bench(config(**SHORT), linear, mirrored(bars), latency_ms=latency_ms).run()
    (trade,) = run.log
    assert trade.reason == "stop_loss"
    assert trade.exit_price == (98 if is_long else 102)
    assert (run.state.losses, run.state.wins) == (1, 0)
    assert_over(run)


def test_a_loss_is_what_was_risked_and_the_fees(bench: Run, config: Make, spot: Instrument, up: Bars) -> None:
    run = bench(config(), spot, [*up, (102, 103, 90, 90)]).run()
    assert run.log[0].pnl == -100 - 25 * (102 + 98) * D("0.001")


def test_a_gap_is_stopped_at_the_open(bench: Run, config: Make, spot: Instrument, up: Bars) -> None:
    run = bench(config(), spot, [*up, (102, 102, 101, 101), (90, 91, 89, 90)]).run()
    assert run.fills()[-1] == (D(90), D(25))
    assert run.log[0].mae == 12
    assert_over(run)


def test_a_gap_beyond_the_target_is_taken_at_the_open(
    bench: Run, config: Make, spot: Instrument, up: Bars
) -> None:
    run = bench(config(), spot, [*up, (102, 102, 101, 101), (115, 116, 114, 115)]).run()
    assert run.fills()[1] == (D(115), D(25))
    run.assert_money_adds_up()


@pytest.mark.parametrize(
    ("policy", "reason"), [(PathPolicy.PESSIMISTIC, "stop_loss"), (PathPolicy.OPTIMISTIC, "take_profit")]
)
def test_a_candle_that_meets_both_goes_by_the_stated_path(
    bench: Run, config: Make, spot: Instrument, up: Bars, policy: PathPolicy, reason: str
) -> None:
    run = bench(config(), spot, [*up, (102, 110, 97, 102)], policy=policy).run()
    assert [trade.reason for trade in run.log] == [reason]
    assert_over(run)


@pytest.mark.parametrize("is_long", [True, False])
def test_break_even_pays_the_fees(
    bench: Run, config: Make, spot: Instrument, linear: Instrument, up: Bars, is_long: bool
) -> None:
    bars = [*up, (102, 105.99, 102, 105), (105, 106, 104, 104), (104, 104, 90, 90)]
    keys = config(break_even_from_r=1) if is_long else config(break_even_from_r=1, **SHORT)
    run = bench(keys, spot if is_long else linear, bars if is_long else mirrored(bars))
    assert run.run(6).stop == (98 if is_long else 102)
    assert run.run(7).stop == (D("102.21") if is_long else D("97.89"))
    (trade,) = run.run().log
    assert trade.reason == "stop_loss"
    assert 0 <= trade.pnl <= 25 * D("0.02")
    assert (run.state.wins, run.state.losses) == (1, 0)
    assert_over(run)


def test_break_even_is_no_further_away_than_it_says(
    bench: Run, config: Make, spot: Instrument, up: Bars
) -> None:
    keys = config(break_even_from_r="0.5")
    assert bench(keys, spot, [*up, (102, 103.99, 102, 103)]).run().stop == 98
    assert bench(keys, spot, [*up, (102, 104, 102, 103)]).run().stop == D("102.21")


@pytest.mark.parametrize("is_long", [True, False])
def test_a_trailing_stop_follows_the_best_price_and_never_goes_back(
    bench: Run, config: Make, linear: Instrument, up: Bars, is_long: bool
) -> None:
    bars = [
        *up,
        (102, 105.9, 102, 105.9), (105.9, 110, 105.9, 110), (110, 110, 107, 107), (107, 114, 107, 114),
        (114, 114, 100, 100),
    ]  # fmt: skip
    keys: dict[str, Any] = {
        "target_atr": None,
        "trailing_from_r": 1,
        "trailing_atr": 2,
        "trailing_step_atr": 1,
    }
    run = bench(config(**keys, **({} if is_long else SHORT)), linear, bars if is_long else mirrored(bars))
    seen = [run.run(count).stop for count in (6, 7, 8, 9)]
    # Ratios of the entry: from 4/102 on, 4/102 behind, in steps of 2/102 of the best price (short: of 98).
    steps = [106 * (1 + D(2) / 102) ** power for power in range(6)]
    if is_long:
        behind = 1 - D(4) / 102
        assert seen[0] == 98
        assert seen[1] == seen[2]
        assert abs(seen[1] - steps[1] * behind) < D("0.03")
        assert abs(seen[3] - steps[3] * behind) < D("0.03")
    else:
        assert seen[0] == 102
        assert seen[1] == seen[2] < 98
        assert seen[3] < seen[2]
    (trade,) = run.run().log
    assert trade.reason == "stop_loss"
    assert trade.exit_price == seen[3]
    assert trade.pnl > 0
    assert_over(run)


def test_target_trail_and_break_even_go_together(
    bench: Run, config: Make, spot: Instrument, up: Bars
) -> None:
    keys = config(trailing_from_r=1, break_even_from_r="0.5")
    run = bench(keys, spot, [*up, (102, 104.5, 102, 104), (104, 107, 104, 107), (107, 108, 107, 108)])
    assert run.run(6).stop == D("102.21")
    assert run.run(7).stop > D("102.21")
    assert [trade.reason for trade in run.run().log] == ["take_profit"]
    assert_over(run)


def test_excursions_are_those_of_the_candles_between(
    bench: Run, config: Make, spot: Instrument, up: Bars
) -> None:
    bars = [*up, (102, 104, 100.5, 103), (103, 107.5, 101, 105), (105, 119, 90, 90)]
    run = bench(config(), spot, bars, policy=PathPolicy.OPTIMISTIC).run()
    (trade,) = run.log
    # The last candle counts only up to the target, which is what ended the trade.
    assert (trade.reason, trade.mfe, trade.mae) == ("take_profit", D(6), D("1.5"))
    assert (trade.mfe_r, trade.mae_r) == (D("1.5"), D("0.375"))
    assert trade.is_exact


def test_excursions_are_what_a_loop_over_candles_finds(
    bench: Run, config: Make, linear: Instrument, walk: Series
) -> None:
    keys = config(
        directions=["long", "short"], atr_period=14, max_consecutive_losses=None, max_daily_trades=None
    )
    candles = walk(2500, 9)
    run = bench(keys, linear, candles, latency_ms=700).run()
    assert len(run.log) > 50
    for trade in run.log:
        high = low = float(trade.entry_price)
        for row in range(len(candles)):
            start, end = int(candles.open_time[row]), int(candles.open_time[row]) + 3_600_000
            if trade.opened_ms <= start and end <= trade.closed_ms:
                high, low = max(high, candles.high[row]), min(low, candles.low[row])
            elif start < trade.opened_ms < end <= trade.closed_ms:
                high, low = max(high, candles.close[row]), min(low, candles.close[row])
        high, low = max(high, float(trade.exit_price)), min(low, float(trade.exit_price))
        above, below = high - float(trade.entry_price), float(trade.entry_price) - low
        if trade.side == "SHORT":
            above, below = below, above
        assert (float(trade.mfe), float(trade.mae)) == pytest.approx((above, below))


def test_a_trade_longer_than_the_view_looks_back_misses_nothing(
    bench: Run, config: Make, spot: Instrument, up: Bars
) -> None:
    quiet = [(103.0, 103.5, 102.5, 103.0)] * 2500
    quiet[100], quiet[1700] = (103, 107, 103, 103), (103, 103, 99, 103)
    run = bench(config(), spot, [*up, *quiet, (103, 108, 103, 108)]).run()
    (trade,) = run.log
    assert (trade.mfe, trade.mae, trade.is_exact) == (D(6), D(3), True)
    assert trade.closed_ms - trade.opened_ms > 2500 * 3_600_000


def test_every_trade_is_told_in_the_records(bench: Run, config: Make, spot: Instrument, up: Bars) -> None:
    run = bench(config(), spot, [*up, (102, 104, 101, 103), (103, 109, 103, 109)]).run()
    (note,) = [record for record in run.of("noted") if record[3] == "trade_closed"]
    told = dict(part.split("=") for part in note[4].split(", "))
    assert [told[key] for key in ("entry", "side", "ended")] == ["breakout", "LONG", "take_profit"]
    assert [D(told[key]) for key in ("pnl", "mfe", "mae", "risk")] == [D("144.75"), D(6), D(1), D(4)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("market", ["spot", "linear"])
def test_money_adds_up_over_many_trades(
    bench: Run, config: Make, spot: Instrument, linear: Instrument, walk: Series, market: str, seed: int
) -> None:
    keys = config(
        directions=["long"] if market == "spot" else ["long", "short"], atr_period=5, trailing_from_r=1,
        break_even_from_r="0.5", entries=["breakout", "pullback", "crossover"],
    )  # fmt: skip
    run = bench(keys, spot if market == "spot" else linear, walk(1200, seed), latency_ms=seed % 2 * 400).run()
    assert run.state.trades > 10
    run.assert_money_adds_up()
    assert all(trade.mfe >= 0 and trade.mae >= 0 for trade in run.log)
    if not run.ledger.quantity:
        assert run.state.capital == 10_000 + run.ledger.flow
