"""Stress over a run does not hang on how much history lies before it."""

from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core.config.coordinator import CorrelationConfig
from traderagent_core.model.candle import Candles
from traderagent_core.simulator.stress import stress_history
from traderagent_core.simulator.view import SimulatedView

HOUR_MS = 3_600_000
SYMBOLS = ("A/USDT", "B/USDT", "C/USDT")
CONFIG = CorrelationConfig(window=24, high_correlation=Decimal("0.3"), stressed_ratio=Decimal("0.4"))


def hours(symbol: str, seed: int, hole: tuple[int, int]) -> Candles:
    """300 hours of a walk that is shared in part, with single candles and one stretch missing."""
    common, own = np.random.default_rng(7), np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(common.normal(0, 0.01, 300) + own.normal(0, 0.012, 300)))
    rows = np.flatnonzero(own.random(300) > 0.02)
    rows = rows[(rows < hole[0]) | (rows >= hole[1])]
    column = close[rows]
    return Candles(symbol, "1h", rows * HOUR_MS, column, column, column, column, np.ones(len(rows)))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(1, 10_000),
    start=st.integers(0, 320),
    begin=st.integers(0, 290),
    length=st.integers(0, 60),
)
def test_words_from_the_start_are_those_of_all_history(
    seed: int, start: int, begin: int, length: int
) -> None:
    view = SimulatedView(
        {each: hours(each, seed + n, (begin, begin + length)) for n, each in enumerate(SYMBOLS)}
    )
    start_ms = start * HOUR_MS + seed % 2
    whole = stress_history(view, SYMBOLS, CONFIG, 0)
    part = stress_history(view, SYMBOLS, CONFIG, start_ms)
    times = [start_ms, *(hour * HOUR_MS for hour in range(start + 1, 310))]
    assert [part.at(each) for each in times] == [whole.at(each) for each in times]
    assert len(part.timeline.time_ms) <= len(whole.timeline.time_ms)
