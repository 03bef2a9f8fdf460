"""Entry patterns and their qualities, on candles worked by hand; every case is mirrored too."""

from collections.abc import Callable

import pytest
from traderagent_core import Candles
from traderagent_smc.candle_patterns import ENGULFING, INSIDE_BAR, PIN_BAR, Pattern, find_patterns
from traderagent_smc.chart import Chart

Row = tuple[float, float, float, float]
BEFORE = [(10.0, 10.5, 9.5, 10.0)] * 20


def found(
    rows: list[Row], direction: int = 1, volume: float = 0.0, *, trend: bool = False
) -> dict[str, Pattern]:
    """Patterns of one direction at the last of the rows, which are mirrored for the bearish one."""
    chart = Chart(50)
    for time, (start, high, low, close) in enumerate([*BEFORE, *rows]):
        row = (start, high, low, close) if direction > 0 else (-start, -low, -high, -close)
        chart.extend([[value] for value in (time, *row, volume)])
    patterns = find_patterns(chart, 1.0, trends_up=trend, trends_down=trend)
    return {each.name: each for each in patterns if each.direction == direction}


@pytest.mark.parametrize("direction", [1, -1])
def test_an_engulfing_candle_covers_the_body_before(direction: int) -> None:
    rows = [(10.0, 10.2, 8.8, 9.0), (9.05, 11.0, 9.0, 10.55)]
    pattern = found(rows, direction)[ENGULFING]
    assert pattern.quality == pytest.approx(0.5 * 1.5 / 2.0 + 0.3 * 1.5 / 2.0 + 0.2 * 0.5)
    assert abs(pattern.low if direction > 0 else pattern.high) == 8.8


@pytest.mark.parametrize(
    "row",
    [
        (9.06, 11.0, 9.0, 10.6),  # opens more than 0.05 ATR above the close before
        (8.9, 11.0, 8.8, 9.99),  # does not reach the open before
        (9.05, 11.0, 8.8, 9.0),  # falls
        (9.0, 10.0, 9.0, 10.0),  # body not larger
    ],
)
def test_what_does_not_engulf(row: Row) -> None:
    assert ENGULFING not in found([(10.0, 10.2, 8.8, 9.0), row])


@pytest.mark.parametrize("direction", [1, -1])
def test_a_pin_bar_has_a_long_tail_and_closes_high(direction: int) -> None:
    pattern = found([(12.0, 12.5, 9.0, 12.4)], direction, volume=5.0)[PIN_BAR]
    assert pattern.quality == pytest.approx(0.5 * 3.0 / 3.5 + 0.3 * (1 - 0.4 / 3.5) + 0.2 * 0.5)


@pytest.mark.parametrize(
    "row",
    [
        (11.0, 12.5, 9.0, 12.4),  # tail under two thirds
        (12.0, 14.0, 9.0, 12.1),  # closes under the upper third
        (10.0, 10.0, 10.0, 10.0),  # no range
    ],
)
def test_what_is_no_pin_bar(row: Row) -> None:
    assert PIN_BAR not in found([row])


MOTHER, INSIDE = (10.0, 12.0, 8.0, 10.0), (10.0, 11.0, 9.0, 10.0)
WAIT, OUT = (10.0, 12.5, 9.5, 11.0), (11.0, 13.0, 10.5, 12.5)


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("waits", [0, 1, 2])
def test_an_inside_bar_signals_when_a_close_leaves_its_mother(direction: int, waits: int) -> None:
    pattern = found([MOTHER, INSIDE, *[WAIT] * waits, OUT], direction, trend=True)[INSIDE_BAR]
    assert pattern.quality == pytest.approx(0.5 * 0.5 + 0.3 + 0.2 * 0.5)
    assert abs(pattern.low if direction > 0 else pattern.high) == 8.0
    quiet = found([MOTHER, INSIDE, *[WAIT] * waits, OUT], direction)[INSIDE_BAR]
    assert quiet.quality == pytest.approx(pattern.quality - 0.3)


@pytest.mark.parametrize(
    "rows",
    [
        [MOTHER, INSIDE, WAIT, WAIT, WAIT, OUT],  # too late
        [MOTHER, INSIDE, OUT, OUT],  # signalled before
        [MOTHER, INSIDE, (9.0, 9.5, 7.0, 7.5), OUT],  # left on the other side before
        [MOTHER, (10.0, 12.0, 9.0, 10.0), OUT],  # as high as its mother
        [MOTHER, (10.0, 10.0, 10.0, 10.0), OUT],  # no range
    ],
)
def test_what_is_no_breakout_of_an_inside_bar(rows: list[Row]) -> None:
    assert INSIDE_BAR not in found(rows)


def test_few_candles_give_no_pattern(make: Callable[..., Candles]) -> None:
    chart = Chart(50)
    assert find_patterns(chart, float("nan"), trends_up=True, trends_down=True) == []
    chart.extend([[value] for value in (0, 12.0, 12.5, 9.0, 12.4, 1.0)])
    assert [each.name for each in find_patterns(chart, float("nan"), trends_up=True, trends_down=True)] == [
        PIN_BAR
    ]
