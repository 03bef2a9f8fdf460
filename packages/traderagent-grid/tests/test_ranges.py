from collections.abc import Callable
from decimal import Decimal as D

import pytest
from traderagent_core import Instrument
from traderagent_grid.config import GridConfig, Spacing
from traderagent_grid.ranges import Range, first_range, next_range, recentred

Make = Callable[..., GridConfig]
ATR = {"bounds": "atr", "atr_multiplier": 3, "lower_price": None, "upper_price": None}


def test_fixed_bounds_are_taken_as_they_are(config: Make, instrument: Instrument) -> None:
    assert first_range(config(), D(500), None, instrument) == Range(D(90), D(110), "fixed")


def test_a_range_ratio_narrows_about_the_middle(config: Make, instrument: Instrument) -> None:
    assert first_range(config(range_ratio="0.7"), D(95), None, instrument) == Range(D(93), D(107), "fixed")


@pytest.mark.parametrize(
    ("atr", "expected"),
    [
        (2.0, Range(D(94), D(106), "atr")),
        (0.0, Range(D(97), D(103), "atr_zero")),
        (float("nan"), Range(D(97), D(103), "fixed_fallback")),
        (float("inf"), Range(D(97), D(103), "fixed_fallback")),
        (None, Range(D(97), D(103), "fixed_fallback")),
    ],
)
def test_bounds_from_atr(config: Make, instrument: Instrument, atr: float | None, expected: Range) -> None:
    assert first_range(config(**ATR), D(100), atr, instrument) == expected


def test_bounds_from_atr_lie_on_the_tick(config: Make, instrument: Instrument) -> None:
    found = first_range(config(**ATR), D("100.01"), 1.23456, instrument)
    assert found == Range(D("96.30"), D("103.71"), "atr")


@pytest.mark.parametrize(
    ("atr", "expected"),
    [
        (1.0, Range(D(117), D(123), "atr")),
        (0.0, Range(D("116.40"), D("123.60"), "atr_zero")),
        (float("nan"), Range(D(110), D(130), "fixed_fallback")),
        (None, Range(D(110), D(130), "fixed_fallback")),
    ],
)
def test_recentring_by_atr(config: Make, instrument: Instrument, atr: float | None, expected: Range) -> None:
    keys = config(trailing_enabled=True, trailing_recenter_mode="atr")
    assert next_range(keys, Range(D(90), D(110)), D(120), atr, instrument) == expected


def test_recentring_keeps_the_width_shift_after_shift(config: Make, instrument: Instrument) -> None:
    there = next_range(
        config(trailing_enabled=True), Range(D("90.01"), D(110)), D("121.37"), None, instrument
    )
    back = recentred(there, D("99.99"), Spacing.ARITHMETIC, instrument)
    assert there.upper - there.lower == back.upper - back.lower == D("19.99")
    assert abs((there.upper + there.lower) / 2 - D("121.37")) <= D("0.01")


def test_recentring_a_geometric_range_keeps_the_ratio_of_its_bounds(instrument: Instrument) -> None:
    found = recentred(Range(D(50), D(200)), D(30), Spacing.GEOMETRIC, instrument)
    assert found == Range(D(15), D(60), "fixed")


@pytest.mark.parametrize(
    ("price", "is_left"),
    [("88.2", True), ("88.21", False), ("110", False), ("112.19", False), ("112.2", True)],
)
def test_a_range_is_left_beyond_its_bounds_by_the_threshold(price: str, is_left: bool) -> None:
    assert Range(D(90), D(110)).is_left(D(price), D("0.02")) is is_left
