"""MFE and MAE count what came after the fill, and nothing before it."""

from decimal import Decimal as D

import pytest
from traderagent_core import Candle
from traderagent_smc.position.excursions import Excursions


def candle(start: float, high: float, low: float, close: float) -> Candle:
    return Candle(0, start, high, low, close, 1.0)


def test_candles_after_the_fill_count_with_their_extremes() -> None:
    long = Excursions(D(100), D(95))
    long.take(candle(100, 104, 99, 101))
    long.take(candle(101, 110, 98, 108))
    assert (long.favourable.price, long.favourable.percent, long.favourable.r) == (D(10), D(10), D(2))
    assert (long.adverse.price, long.adverse.r) == (D(2), D("0.4"))


def test_a_short_is_the_mirror() -> None:
    short = Excursions(D(100), D(105))
    short.take(candle(100, 104, 90, 91))
    assert (short.favourable.r, short.adverse.r) == (D(2), D("0.8"))


@pytest.mark.parametrize(
    ("start", "highest", "lowest"),
    [(102.0, "101", "97"), (98.0, "103", "100"), (100.0, "103", "97")],
)
def test_in_the_fill_candle_only_what_lies_beyond_the_first_touch_counts(
    start: float, highest: str, lowest: str
) -> None:
    found = Excursions(D(100), D(95))
    found.take_fill_candle(candle(start, 103, 97, 101), rested_from_open=True)
    assert (found.highest, found.lowest) == (D(highest), D(lowest))


def test_an_order_placed_within_the_candle_is_sure_of_the_close_only() -> None:
    found = Excursions(D(100), D(95))
    found.take_fill_candle(candle(102, 103, 97, 101), rested_from_open=False)
    assert (found.highest, found.lowest) == (D(101), D(100))


def test_nothing_moved_is_no_excursion() -> None:
    found = Excursions(D(100), D(95))
    assert found.favourable == found.adverse
    assert found.favourable.price == 0
