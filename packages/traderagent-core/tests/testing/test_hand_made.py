"""Candles that a test writes down are the candles that it gets."""

import pytest
from traderagent_core.testing import candles_from_closes, candles_from_rows
from traderagent_core.testing.markets import START_MS


def rows(candles):
    columns = (candles.open, candles.high, candles.low, candles.close)
    return [tuple(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def test_closes_become_candles_that_open_where_the_last_one_closed():
    candles = candles_from_closes([100, 103, 101], timeframe="4h", symbol="ETH/USDT")
    assert rows(candles) == [(100, 100, 100, 100), (100, 103, 100, 103), (103, 103, 101, 101)]
    assert candles.open_time.tolist() == [START_MS, START_MS + 14_400_000, START_MS + 28_800_000]
    assert (candles.symbol, candles.timeframe) == ("ETH/USDT", "4h")


@pytest.mark.parametrize("wick", [0.5, [0.5, 0.5]])
def test_wicks_reach_beyond_both_ends(wick):
    candles = candles_from_closes([100, 103], wick=wick)
    assert rows(candles) == [(100, 100.5, 99.5, 100), (100, 103.5, 99.5, 103)]


def test_rows_are_taken_as_they_are():
    bars = [(100.0, 102.0, 99.0, 101.0), (105.0, 105.0, 90.0, 95.0)]
    candles = candles_from_rows(bars, volume=[3, 4])
    assert rows(candles) == bars
    assert candles.volume.tolist() == [3, 4]


def test_rows_of_two_have_no_wicks_and_may_jump():
    assert rows(candles_from_rows([(100, 98), (103, 104)])) == [(100, 100, 98, 98), (103, 104, 103, 104)]


def test_no_rows_make_no_candles():
    assert len(candles_from_rows([])) == 0
