"""Accuracy of the block form against the plain recursion in exact and long arithmetic."""

from fractions import Fraction
from math import isnan

import numpy as np
import pytest
from traderagent_core.indicators.smoothing import exponential_mean, wilder_mean, wilder_sum


def plain(values, *, keep: Fraction, gain: Fraction, seed_length: int, divisor: int) -> np.ndarray:
    """The recursion in 40 digits: integers scaled by 2**1400, rounded down at each step."""
    scale = 1 << 1400
    up, down = keep.numerator, keep.denominator
    scaled = [int(Fraction(value) * scale) for value in values]
    y = sum(scaled[:seed_length]) // divisor
    result = [y]
    for x in scaled[seed_length:]:
        y = (y * up) // down + (x * gain.numerator) // gain.denominator
        result.append(y)
    return np.array([np.nan] * (seed_length - 1) + [float(Fraction(y, scale)) for y in result])


def textures() -> dict[str, np.ndarray]:
    random = np.random.default_rng(5)
    walk = 60_000 * np.exp(np.cumsum(random.normal(0, 0.01, 3000)))
    wild = 10.0 ** random.uniform(-10, 10, 3000)
    collapse = np.concatenate([np.full(500, 1e12), np.full(2000, 1e-6), np.full(500, 1e3)])
    sparse = np.where(random.random(3000) < 0.01, random.random(3000), 0.0)
    huge, tiny = 1e140 * random.random(3000), 1e-140 * random.random(3000)
    return {"walk": walk, "wild": wild, "collapse": collapse, "sparse": sparse, "huge": huge, "tiny": tiny}


@pytest.mark.parametrize("texture", textures())
@pytest.mark.parametrize("period", [1, 2, 3, 14, 20, 200, 1000])
def test_exponential_mean_is_accurate_to_1e_12(period, texture):
    values = textures()[texture]
    expected = plain(
        values,
        keep=Fraction(period - 1, period + 1),
        gain=Fraction(2, period + 1),
        seed_length=period,
        divisor=period,
    )
    np.testing.assert_allclose(exponential_mean(period).advance(values), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("texture", textures())
@pytest.mark.parametrize("period", [2, 14, 100])
def test_wilder_mean_is_accurate_to_1e_12(period, texture):
    values = textures()[texture]
    keep, gain = Fraction(period - 1, period), Fraction(1, period)
    expected = plain(values, keep=keep, gain=gain, seed_length=period, divisor=period)
    np.testing.assert_allclose(wilder_mean(period).advance(values), expected, rtol=1e-12, atol=0)


def test_a_long_series_does_not_drift():
    values = 100 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.001, 200_000)))
    smoothed = exponential_mean(20).advance(values)
    keep = np.longdouble(19) / np.longdouble(21)
    y = np.longdouble(values[:20].astype(np.longdouble).sum()) / 20
    for x in values[20:].astype(np.longdouble):
        y = keep * y + (1 - keep) * x
    assert smoothed[-1] == pytest.approx(float(y), rel=1e-15)


def test_a_constant_stays_within_rounding():
    smoothed = exponential_mean(20).advance(np.full(5000, 0.1))[19:]
    np.testing.assert_allclose(smoothed, 0.1, rtol=1e-15, atol=0)


def test_zeros_after_a_value_fade_to_zero_without_a_warning():
    smoothed = wilder_mean(2).advance(np.concatenate([[1.0, 1.0], np.zeros(3000)]))
    assert smoothed[2:50].tolist() == pytest.approx([0.5**n for n in range(1, 49)], rel=1e-13)
    assert smoothed[-1] == 0.0


def test_wilder_sum_hides_its_seed():
    values = [1.0, 2.0, 4.0, 8.0]
    smoother = wilder_sum(3)
    assert smoother.silent == 2
    assert [isnan(smoother.push(value)) for value in values[:2]] == [True, True]
    assert smoother.silent == 0
    assert smoother.push(values[2]) == pytest.approx(3.0 * 2 / 3 + 4.0)
    assert smoother.push(values[3]) == pytest.approx(6.0 * 2 / 3 + 8.0)


def test_period_one_is_the_value_itself():
    values = np.random.default_rng(1).random(100)
    assert exponential_mean(1).advance(values).tolist() == values.tolist()
