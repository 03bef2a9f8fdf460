from itertools import chain

import numpy as np
import pytest
from traderagent_core.model.timeframe import MINUTE_MS
from traderagent_core.report.bars import bars, latest_bars
from traderagent_core.report.chartdata import BUY, LEAST_BARS, SELL, STOP, charts, dot, equity_points, markers
from traderagent_core.report.segments import as_rows, level_prices, segments
from traderagent_core.simulator.outcome import LevelRow


def test_few_candles_are_drawn_as_they_are(make_outcome):
    candles = make_outcome(count=500).candles["BTC/USDT"]
    drawn = bars(candles, 500)
    assert drawn.timeframe == "1m"
    assert drawn.close is candles.close


def test_bars_hold_the_extremes_of_their_candles(make_outcome):
    candles = make_outcome(count=4320).candles["BTC/USDT"]
    drawn = bars(candles, 100)
    assert drawn.timeframe == "1h"
    assert len(drawn.open_time) == 72
    assert drawn.open.tolist() == candles.open[::60].tolist()
    assert drawn.close.tolist() == candles.close[59::60].tolist()
    assert drawn.high.tolist() == candles.high.reshape(-1, 60).max(axis=1).tolist()
    assert drawn.low.tolist() == candles.low.reshape(-1, 60).min(axis=1).tolist()


def test_bars_of_candles_with_gaps_keep_their_boundaries(make_outcome):
    candles = make_outcome(count=4320).candles["BTC/USDT"]
    kept = np.concatenate((np.arange(70), np.arange(1000, 4320)))
    holed = type(candles)("X/Y", "1m", *(getattr(candles, name)[kept] for name in COLUMNS))
    drawn = bars(holed, 100)
    assert np.all(drawn.open_time % drawn.step_ms == 0)
    assert np.all(np.diff(drawn.open_time) > 0)
    assert drawn.high.max() == holed.high.max()


COLUMNS = ("open_time", "open", "high", "low", "close", "volume")


def test_no_fill_is_lost_in_markers(make_outcome):
    outcome = make_outcome(count=4320, fills=301)
    drawn = bars(outcome.candles["BTC/USDT"], 3000)
    for limit in (1000, 100, 10):
        found = markers(map(dot, outcome.fills), drawn, limit)
        assert len(found) <= limit
        assert sum(count for _, _, count, _ in found) == 301
        stops = sum(count for _, kind, count, _ in found if kind == STOP)
        assert stops == sum(fill.purpose == "STOP_LOSS" for fill in outcome.fills)
        assert {kind for _, kind, _, _ in found} == {BUY, SELL, STOP}


def test_marker_stands_at_the_bar_that_its_fill_closed(make_outcome):
    outcome = make_outcome(count=300, fills=1)
    drawn = bars(outcome.candles["BTC/USDT"], 300)
    [(bar, kind, count, price)] = markers(map(dot, outcome.fills), drawn, 10)
    fill = outcome.fills[0]
    assert drawn.open_time[bar] + MINUTE_MS == fill.time_ms
    assert (kind, count, price) == (BUY, 1, float(fill.price))


def level(side, price, first, last, start):
    return LevelRow("grid", "BTC/USDT", side, price, start + first * MINUTE_MS, start + last * MINUTE_MS)


def lines(rows, drawn, limit):
    numbers = chain.from_iterable(price for _, price in level_prices(rows))
    return segments(as_rows(numbers), drawn, limit)


def test_levels_that_touch_become_one_line(make_outcome):
    outcome = make_outcome(count=100, fills=0)
    drawn = bars(outcome.candles["BTC/USDT"], 100)
    start = int(drawn.open_time[0])
    rows = [
        level("BUY", 10, 1, 20, start),
        level("BUY", 10, 20, 30, start),
        level("BUY", 10, 60, 70, start),
        level("SELL", 10, 30, 40, start),
        level("BUY", 11, 1, 2, start),
    ]
    assert lines(rows, drawn, 100) == [
        (BUY, 10.0, 0, 29),
        (BUY, 10.0, 59, 69),
        (BUY, 11.0, 0, 1),
        (SELL, 10.0, 29, 39),
    ]


def test_of_too_many_levels_the_latest_stay(make_outcome):
    outcome = make_outcome(count=1000, fills=0)
    drawn = bars(outcome.candles["BTC/USDT"], 1000)
    start = int(drawn.open_time[0])
    rows = [level("BUY", price, price, price + 1, start) for price in range(10, 110)]
    assert [segment[1] for segment in lines(rows, drawn, 5)] == [105, 106, 107, 108, 109]


def test_of_too_many_levels_the_longest_stay(make_outcome):
    outcome = make_outcome(count=1000, fills=0)
    drawn = bars(outcome.candles["BTC/USDT"], 1000)
    start = int(drawn.open_time[0])
    rows = [level("BUY", price, price, price + 3 + 9 * (price % 20 == 0), start) for price in range(10, 110)]
    assert [segment[1] for segment in lines(rows, drawn, 5)] == [20, 40, 60, 80, 100]


def test_latest_bars_are_whole_and_end_with_the_last_candle(make_outcome):
    candles = make_outcome(count=4335).candles["BTC/USDT"]
    drawn = latest_bars(candles, 60 * MINUTE_MS, 10)
    assert (drawn.timeframe, len(drawn)) == ("1h", 10)
    assert drawn.close[-1] == candles.close[-1]
    assert drawn.open[0] == candles.open[drawn.open_time[0] == candles.open_time][0]


def test_a_long_run_is_drawn_whole_and_its_end_in_full(make_outcome):
    outcome = make_outcome(count=12_000, fills=301)
    whole, end = charts(outcome)["symbols"][0]["charts"]
    assert (whole["timeframe"], end["timeframe"]) == ("5m", "1m")
    assert whole["time"][0] == int(outcome.candles["BTC/USDT"].open_time[0]) // 1000
    assert len(end["time"]) == 2000
    assert "only the latest stretch" in end["note"]
    after = end["time"][0] * 1000
    assert sum(mark[2] for mark in end["markers"]) == sum(fill.time_ms > after for fill in outcome.fills)


def test_a_chart_begins_shortly_before_the_run(make_outcome):
    outcome = make_outcome(count=3000, fills=0)
    curve = outcome.equity
    outcome.equity = type(curve)(curve.time_ms[1500:], curve.equity[1500:], curve.exposure[1500:])
    [chart] = charts(outcome)["symbols"][0]["charts"]
    assert len(chart["time"]) == 1600


def test_equity_points_keep_the_deepest_drawdown(make_outcome):
    outcome = make_outcome(count=50_000, fills=61)
    points = equity_points(outcome)
    equity = outcome.equity.equity
    assert len(points["time"]) == len(points["equity"]) == len(points["drawdown"]) <= 2000
    assert min(points["equity"]) == pytest.approx(equity.min(), rel=1e-7)
    peaks = np.maximum(np.maximum.accumulate(equity), 100_000)
    assert max(points["drawdown"]) == pytest.approx(100 * (1 - equity / peaks).max(), abs=1e-4)


def test_limits_are_shared_among_many_symbols(make_outcome):
    names = tuple(f"C{i}/USDT" for i in range(30))
    drawn = charts(make_outcome(count=2000, symbols=names, fills=41, balance="10000000"))["symbols"]
    assert [chart["symbol"] for chart in drawn] == list(names)
    assert sum(len(chart["time"]) for each in drawn for chart in each["charts"]) <= 30 * LEAST_BARS


@pytest.mark.parametrize(("price", "digits"), [(30_000.0, 2), (1.5, 4), (0.00001234, 9)])
def test_small_prices_get_the_digits_they_need(make_outcome, price, digits):
    outcome = make_outcome(count=3, fills=0)
    outcome.candles["BTC/USDT"].close[:] = price
    assert charts(outcome)["symbols"][0]["precision"] == digits
