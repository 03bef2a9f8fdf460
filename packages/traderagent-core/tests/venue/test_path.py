"""Where the price is between two turning points of a candle."""

import pytest
from traderagent_core.venue.path import price_between


@pytest.mark.parametrize(
    ("start", "end", "way", "price"),
    [
        (100.0, 101.0, 0.0, 100.0),
        (100.0, 101.0, 0.0099, 100.0),
        (100.0, 101.0, 0.01, 100.01),
        (100.0, 101.0, 0.3, 100.3),
        (101.0, 100.0, 0.3049, 100.7),
        (100.004, 101.0, 0.003, 100.004),
        (100.004, 101.0, 0.006, 100.01),
        (100.006, 99.0, 0.005, 100.006),
    ],
)
def test_between_turning_points_the_price_is_the_last_tick_that_was_passed(
    start: float, end: float, way: float, price: float
) -> None:
    """A turning point off today's tick is a price that was paid, too."""
    assert price_between(start, end, way, 0.01) == price
