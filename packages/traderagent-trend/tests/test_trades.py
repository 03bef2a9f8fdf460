"""How far the price went for and against a trade: from candles that lie wholly between entry and exit."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from attrs import evolve
from traderagent_core import Candles
from traderagent_core.testing.markets import START_MS
from traderagent_trend import trades
from traderagent_trend.trades import OpenTrade, Trade, extremes, finished, with_extremes

Series = Callable[..., Candles]
HOUR_MS = 3_600_000
BARS = [(100, 120, 80, 101), (101, 107, 99, 103), (103, 105, 95, 104), (104, 106, 98, 100)]


def opened(at_ms: int, *, is_long: bool = True) -> OpenTrade:
    trade = OpenTrade("pullback", is_long, D(100), D(96), None, D(0), D(0))
    return trade.with_fill(at_ms, D(2), D(200))


def ended(trade: OpenTrade, candles: Candles, gain: object = 0, costs: object = 0) -> Trade:
    return finished(trade, candles, "stop_loss", START_MS + 9 * HOUR_MS, D(str(gain)), D(str(costs)))


def test_a_fill_at_a_boundary_has_whole_candles_before_it(candles: Series) -> None:
    trade = ended(opened(START_MS + HOUR_MS), candles(BARS))
    assert (trade.mfe, trade.mae, trade.is_exact) == (D(7), D(5), True)


def test_of_the_candle_of_the_fill_only_the_close_counts(candles: Series) -> None:
    trade = ended(opened(START_MS + 1), candles(BARS[:1]))
    assert (trade.mfe, trade.mae) == (D(1), D(0))
    trade = ended(opened(START_MS + 1, is_long=False), candles(BARS[:1]))
    assert (trade.mfe, trade.mae) == (D(0), D(1))


def test_entry_and_exit_prices_count(candles: Series) -> None:
    trade = ended(opened(START_MS + 4 * HOUR_MS), candles(BARS), gain=-8)
    assert (trade.entry_price, trade.exit_price) == (D(100), D(96))
    assert (trade.mfe, trade.mae) == (D(0), D(4))


def test_a_short_trade_is_the_mirror_image(candles: Series) -> None:
    trade = ended(opened(START_MS + HOUR_MS, is_long=False), candles(BARS), gain=4)
    assert (trade.side, trade.exit_price) == ("SHORT", D(98))
    assert (trade.mfe, trade.mae) == (D(5), D(7))


def test_excursions_are_told_in_price_ratio_and_r(candles: Series) -> None:
    trade = ended(opened(START_MS + HOUR_MS), candles(BARS), gain=8, costs="0.4")
    assert (trade.mfe_ratio, trade.mae_ratio) == (D("0.07"), D("0.05"))
    assert (trade.mfe_r, trade.mae_r) == (D("1.75"), D("1.25"))
    assert (trade.pnl, trade.pnl_r) == (D("7.6"), D("0.95"))


@pytest.mark.parametrize("looks", [(1,), (2,), (3,), (1, 2, 3), (2, 3), (1, 1, 3)])
@pytest.mark.parametrize("opened_ms", [START_MS + HOUR_MS, START_MS + HOUR_MS // 2, START_MS + 2 * HOUR_MS])
def test_looking_in_between_changes_nothing(candles: Series, looks: tuple[int, ...], opened_ms: int) -> None:
    trade, series = opened(opened_ms), candles(BARS)
    looked = trade
    for count in looks:
        looked = with_extremes(looked, series[:count])
    assert ended(looked, series) == ended(trade, series)


def test_what_was_seen_may_be_out_of_sight_at_the_end(candles: Series) -> None:
    series = candles(BARS)
    looked = with_extremes(opened(START_MS + HOUR_MS), series[:3])
    assert ended(looked, series[2:]) == ended(opened(START_MS + HOUR_MS), series)


def test_candles_out_of_sight_are_admitted(candles: Series, monkeypatch: Any) -> None:
    monkeypatch.setattr(trades, "LOOK_BACK", 2)
    series = candles(BARS)
    assert extremes(opened(START_MS + HOUR_MS), series[2:]) == (106.0, 95.0, False)
    assert ended(opened(START_MS + HOUR_MS), series[2:]).is_exact is False
    assert extremes(opened(START_MS + 3 * HOUR_MS), series[2:])[2]
    assert ended(evolve(opened(START_MS + 3 * HOUR_MS), is_exact=False), series[2:]).is_exact is False


def test_partial_fills_add_up(candles: Series) -> None:
    trade = OpenTrade("pullback", True, D(100), D(96), None, D(0), D(0))
    trade = trade.with_fill(START_MS, D(1), D(100)).with_fill(START_MS + 5, D(3), D(306))
    assert (trade.opened_ms, trade.quantity) == (START_MS, D(4))
    assert ended(trade, candles(BARS), gain="-1.2").entry_price == D("101.5")
