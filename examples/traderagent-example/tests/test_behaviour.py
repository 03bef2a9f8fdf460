"""What is particular to this package."""

from decimal import Decimal

import pytest
from traderagent_core import Judged, ModeState, Plan, Portfolio, Ruling, RunHistory, Verdict
from traderagent_core.testing import SPOT, Conditions, Prober, ProberConfig, market, run_strategy

from traderagent_example.bad_day import DAY_MS, BadDay
from traderagent_example.breakout import Breakout
from traderagent_example.config import BadDayConfig, BreakoutConfig, StreakConfig
from traderagent_example.streak import StreakFilter


def test_every_deal_begins_at_a_close_above_the_highest_high_before_it():
    candles = market("rising", rows=600)
    run = run_strategy(Breakout, BreakoutConfig(), candles, SPOT)
    begun = run.granted("deal")
    assert begun
    for time_ms in begun:
        row = int(candles.open_time.searchsorted(time_ms)) - 1
        assert candles.close[row] > candles.high[row - 48 : row].max()


def test_it_rests_after_a_deal():
    config = BreakoutConfig(period=12, rest_hours=48)
    run = run_strategy(Breakout, config, market("rising", rows=600), SPOT)
    begun = run.granted("deal")
    filled = run.times("filled")
    assert len(begun) > 1
    for next_ms in begun[1:]:
        ended_ms = max(time_ms for time_ms in filled if time_ms < next_ms)
        assert next_ms >= ended_ms + 48 * 3_600_000


def test_three_falling_closes_bar_entries():
    candles = market("ranging", rows=600)
    conditions = Conditions(filters={"streak": lambda: StreakFilter(StreakConfig())})
    run = run_strategy(Prober, ProberConfig(), candles, SPOT, conditions=conditions)
    refused = run.times("plan_rejected")
    assert refused
    for time_ms in refused:
        row = int(candles.open_time.searchsorted(time_ms)) - 1
        closes = candles.close[row - 3 : row + 1]
        assert all(closes[1:] < closes[:-1])


def _no_candles(symbol, timeframe):
    raise AssertionError("not asked for")


def test_refused_plans_are_marked_in_the_report():
    plan = Plan("deal", (), ())
    refused = Verdict(Ruling.REJECT, "falling", evidence={"closes": 4})
    verdicts = [
        Judged(
            1_000 * number, "one", "BTC/USDT", plan, Decimal(100 + number), verdict, verdict is not refused
        )
        for number, verdict in enumerate([refused, Verdict(Ruling.ACCEPT), refused])
    ]
    timeframes = {"BTC/USDT": "1h", "ETH/USDT": "1h"}
    history = RunHistory(0, 5_000, timeframes, _no_candles, verdicts=verdicts)
    bitcoin, ether = StreakFilter(StreakConfig()).exhibit(history).layers
    assert [(mark.time_ms, mark.price) for mark in bitcoin.marks] == [(0, 100.0), (2_000, 102.0)]
    assert bitcoin.marks[0].text == "refused after 4 falling closes"
    assert not ether.marks


@pytest.mark.parametrize(
    ("equity", "factor", "is_allowed"), [(9_801, 1, True), (9_800, 0.5, True), (9_600, 1, False)]
)
def test_sizes_are_halved_and_then_nothing_is_added(equity, factor, is_allowed):
    portfolio = Portfolio(5 * DAY_MS + 1, Decimal(equity), Decimal(10_000), Decimal(10_000))
    state = BadDay(BadDayConfig()).judge(portfolio, ModeState(is_active=False))
    assert (float(state.size_factor), state.is_entry_allowed) == (factor, is_allowed)


def test_a_day_that_is_over_stays_over_until_midnight():
    mode = BadDay(BadDayConfig())
    over = mode.judge(
        Portfolio(5 * DAY_MS, Decimal(9_000), Decimal(10_000), Decimal(10_000)), ModeState(is_active=False)
    )
    whole = Portfolio(6 * DAY_MS - 1, Decimal(10_000), Decimal(10_000), Decimal(10_000))
    assert mode.judge(whole, over) == over
    assert not mode.judge(Portfolio(6 * DAY_MS, *([Decimal(9_000)] * 3)), over).is_active
