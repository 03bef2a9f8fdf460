import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from traderagent_core.model.timeframe import DAY_MS, MINUTE_MS, timeframe_ms
from traderagent_core.report.curve import (
    daily_returns,
    drawdown_column,
    first_of_each_step,
    last_of_each_step,
    max_drawdown,
    outline,
    outline_times,
    step_for,
)

curves = arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 1000).map(lambda x: round(x, 3)))


@given(curves)
def test_deepest_drawdown_is_the_greatest_of_the_column(equity):
    column = drawdown_column(equity, 500.0)
    found = max_drawdown(equity, 500.0)
    assert (found.ratio if found else 0.0) == column.max()
    if found:
        peak = 500.0 if found.peak < 0 else equity[found.peak]
        assert found.peak < found.trough
        assert 1 - equity[found.trough] / peak == pytest.approx(found.ratio)


@pytest.mark.parametrize("length", [4095, 4096, 4097, 30_000])
@pytest.mark.parametrize("seed", range(8))
def test_blocks_give_the_same_drawdown_as_one_pass(length, seed):
    equity = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, length)))
    found = max_drawdown(equity, 100.0)
    column = drawdown_column(equity, 100.0)
    assert found.ratio == column.max()
    assert found.trough == column.argmax()


def test_first_of_equally_deep_falls_is_told():
    equity = np.tile([100.0, 50.0], 5000)
    found = max_drawdown(equity, 100.0)
    assert (found.ratio, found.peak, found.trough) == (0.5, -1, 1)


@pytest.mark.parametrize("equity", [[], [100.0, 100.0], [101.0, 102.0, 103.0]])
def test_curve_that_never_falls_has_no_drawdown(equity):
    assert max_drawdown(np.array(equity), 100.0) is None


def test_midnight_close_ends_the_day_before():
    times = np.array([DAY_MS - MINUTE_MS, DAY_MS, DAY_MS + MINUTE_MS], dtype=np.int64)
    returns = daily_returns(times, np.array([105.0, 110.0, 121.0]), 0, 100.0)
    assert returns == pytest.approx([0.1, 0.1])


def test_days_without_a_close_return_nothing():
    times = np.array([DAY_MS, 4 * DAY_MS], dtype=np.int64)
    assert daily_returns(times, np.array([110.0, 99.0]), 0, 100.0) == pytest.approx([0.1, 0, 0, -0.1])


def test_days_before_the_first_weekly_close_return_nothing():
    returns = daily_returns(np.array([7 * DAY_MS]), np.array([110.0]), 0, 100.0)
    assert returns == pytest.approx([0] * 6 + [0.1])


def test_nothing_left_returns_nothing_more():
    times = np.arange(1, 4, dtype=np.int64) * DAY_MS
    assert daily_returns(times, np.array([50.0, 0.0, 0.0]), 0, 100.0).tolist() == [-0.5, -1.0, 0.0]


@given(curves.map(lambda equity: equity + 1))
def test_daily_returns_compound_to_the_whole_change(equity):
    times = 5 * DAY_MS + np.arange(1, len(equity) + 1, dtype=np.int64) * 7 * 3_600_000
    returns = daily_returns(times, equity, 5 * DAY_MS, 80.0)
    assert np.prod(1 + returns) == pytest.approx(equity[-1] / 80.0)


@pytest.mark.parametrize(
    ("span", "limit", "step"),
    [
        (60 * MINUTE_MS, 60, "1m"),
        (61 * MINUTE_MS, 60, "3m"),
        (4_000_000 * MINUTE_MS, 3000, "1d"),
        (4_000_000 * MINUTE_MS, 1000, "3d"),
    ],
)
def test_step_is_the_finest_that_fits(span, limit, step):
    assert step_for(span, limit, 0) == timeframe_ms(step)


def test_step_beyond_the_longest_name_still_fits():
    span = 10**15
    assert -(-span // step_for(span, 10, 0)) <= 10


def test_steps_are_cut_at_boundaries():
    opens = np.array([0, 1, 2, 3, 5, 9], dtype=np.int64) * MINUTE_MS
    assert first_of_each_step(opens, 3 * MINUTE_MS).tolist() == [0, 3, 5]
    assert last_of_each_step(opens + MINUTE_MS, 3 * MINUTE_MS).tolist() == [2, 4, 5]


@given(arrays(np.float64, st.integers(1, 300), elements=st.floats(-9, 9)), st.integers(1, 20))
def test_outline_keeps_ends_and_extremes(values, parts):
    times = np.arange(len(values), dtype=np.int64)
    drawn, at = outline(values, parts), outline_times(times, parts)
    assert len(drawn) == len(at) <= max(4 * parts, 1)
    assert np.all(np.diff(at) > 0)
    assert (at[0], at[-1]) == (0, len(values) - 1)
    assert (drawn[0], drawn[-1]) == (values[0], values[-1])
    assert (drawn.min(), drawn.max()) == (values.min(), values.max())
