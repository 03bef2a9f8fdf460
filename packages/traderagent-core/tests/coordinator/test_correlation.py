"""The correlation monitor: right by numpy's corrcoef, the same from its window alone, gaps or none."""

from collections.abc import Sequence
from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core.config.coordinator import CorrelationConfig
from traderagent_core.coordinator.correlation import StressTimeline, stress_columns
from traderagent_core.model.candle import Candles
from traderagent_core.model.timeframe import HOUR_MS

SMALL = CorrelationConfig(window=6, least_overlap_ratio="0.5", stressed_ratio="0.5")


def series(closes: Sequence[float]) -> Candles:
    """Candles of an hour; nan where there is none."""
    close = np.array(closes, dtype=np.float64)
    at = np.flatnonzero(~np.isnan(close))
    times = (at + 100) * HOUR_MS
    return Candles("A/USDT", "1h", times, *[close[at]] * 5)


def market(symbols: int, rows: int, *, shared: float, seed: int = 3) -> np.ndarray:
    """Closes whose returns have a common part."""
    random = np.random.default_rng(seed)
    common, own = random.normal(0, 0.01, rows), random.normal(0, 0.01, (symbols, rows))
    return 50 * np.exp(np.cumsum(shared * common + (1 - shared) * own, axis=1))


def windowed(config: CorrelationConfig, closes: np.ndarray) -> list[tuple[int, bool]]:
    """The last word of each window of closes, whatever was before it."""
    found = []
    for hour in range(closes.shape[1]):
        if not np.isnan(closes[:, hour]).all():
            window = closes[:, max(hour - config.window, 0) : hour + 1]
            words = stress_columns(config, [series(row) for row in window]).is_stressed
            found.append(((hour + 101) * HOUR_MS, bool(words[-1])))
    return found


def told(timeline: StressTimeline) -> list[tuple[int, bool]]:
    return list(zip(timeline.time_ms.tolist(), timeline.is_stressed.tolist(), strict=True))


def test_couples_are_counted_as_numpy_correlates_them() -> None:
    closes = market(7, 400, shared=0.667)
    timeline = stress_columns(CorrelationConfig(), [series(row) for row in closes])
    returns = np.diff(np.log(closes), axis=1)
    couples = np.triu_indices(7, 1)
    compared = 0
    for row in range(168, 400):
        correlation = np.corrcoef(returns[:, row - 168 : row])[couples]
        if np.abs(correlation - 0.8).min() < 1e-5:
            continue
        compared += 1
        assert timeline.known[row] == 21
        assert timeline.alike[row] == (correlation > 0.8).sum()
        assert timeline.is_stressed[row] == ((correlation > 0.8).mean() > 0.6)
    assert compared > 200
    assert len(set(timeline.alike.tolist())) > 4


def test_with_gaps_a_couple_is_what_both_have() -> None:
    closes = market(4, 300, shared=0.667)
    random = np.random.default_rng(1)
    closes[random.random(closes.shape) < 0.03] = nan
    config = CorrelationConfig(window=48, least_overlap_ratio="0.8")
    timeline = stress_columns(config, [series(row) for row in closes])
    first = (timeline.time_ms // HOUR_MS - 101).tolist()
    returns = np.full(closes.shape, nan)
    returns[:, 1:] = np.diff(np.log(closes), axis=1)
    for place, row in enumerate(first):
        known = alike = 0
        for one, other in zip(*np.triu_indices(4, 1), strict=True):
            window = returns[[one, other], max(row - 47, 0) : row + 1]
            both = window[:, ~np.isnan(window).any(axis=0)]
            if both.shape[1] >= 39:  # 0.8 of 48, rounded up
                known += 1
                correlation = np.corrcoef(both)[0, 1]
                assert abs(correlation - 0.8) > 1e-6
                alike += correlation > 0.8
        assert (timeline.known[place], timeline.alike[place]) == (known, alike)


prices = st.sampled_from([1.0, 1.0, 1.01, 1.02, 0.99, 2.0, 1e-6, 1e6, nan])


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 4).flatmap(lambda n: st.lists(st.tuples(*[prices] * n), min_size=1, max_size=60)),
)
def test_a_word_hangs_on_its_window_alone(rows) -> None:
    """To the last bit, with gaps, with symbols that stand still, with outages."""
    closes = np.array(rows, dtype=np.float64).T
    timeline = stress_columns(SMALL, [series(row) for row in closes])
    assert told(timeline) == windowed(SMALL, closes)


def test_a_long_history_does_not_drift() -> None:
    closes = market(3, 6000, shared=0.667)
    config = CorrelationConfig(window=24)
    timeline = stress_columns(config, [series(row) for row in closes])
    assert told(timeline) == windowed(config, closes)
    assert len(timeline.changes()) > 20


def test_a_symbol_that_stands_still_has_no_correlation() -> None:
    moving = market(2, 200, shared=1.0)
    closes = np.vstack([moving, np.full(200, 5.0)])
    timeline = stress_columns(CorrelationConfig(), [series(row) for row in closes])
    assert (timeline.known[-1], timeline.alike[-1], timeline.is_stressed[-1]) == (1, 1, True)


def test_opposite_symbols_are_no_stress() -> None:
    up = market(1, 200, shared=1.0)[0]
    timeline = stress_columns(CorrelationConfig(), [series(up), series(2500 / up)])
    assert (timeline.known[-1], timeline.alike[-1], timeline.is_stressed[-1]) == (1, 0, False)


def test_exactly_six_tenths_are_no_stress() -> None:
    """Of five symbols four move alike: six couples of ten."""
    alike, alone = market(1, 200, shared=1.0)[0], market(1, 200, shared=1.0, seed=8)[0]
    timeline = stress_columns(CorrelationConfig(), [*[series(alike)] * 4, series(alone)])
    assert (timeline.known[-1], timeline.alike[-1], timeline.is_stressed[-1]) == (10, 6, False)


def test_nothing_is_known_before_the_window_is_nearly_full() -> None:
    same = market(1, 200, shared=1.0)[0]
    timeline = stress_columns(CorrelationConfig(), [series(same), series(same)])
    # 0.9 of 168 returns, rounded up, and the close before the first of them.
    assert timeline.changes() == [(int(timeline.time_ms[152]), True)]


@pytest.mark.parametrize("symbols", [0, 1])
def test_there_are_no_couples_of_one(symbols: int) -> None:
    closes = market(1, 200, shared=1.0)
    assert stress_columns(CorrelationConfig(), [series(row) for row in closes[:symbols]]).changes() == []


def test_symbols_that_begin_late_and_end_early_are_left_out_meanwhile() -> None:
    closes = market(3, 500, shared=0.95)
    closes[1, :200] = nan
    closes[2, 300:] = nan
    known = stress_columns(CorrelationConfig(), [series(row) for row in closes]).known
    assert known[:152].max() == 0
    assert known[199] == 1
    assert known[-1] == 1
