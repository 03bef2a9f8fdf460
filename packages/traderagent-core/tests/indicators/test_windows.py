"""Sliding means, deviations and extremes against exact arithmetic."""

from fractions import Fraction
from math import sqrt

import numpy as np
import pytest
from traderagent_core.indicators import BollingerWidth, Highest, Lowest, Sma
from traderagent_core.indicators.windows import Window


def exact(values, period):
    """Mean and variance of each whole window as fractions, by running sums, which fractions do not blur."""
    exact_values = [Fraction(value) for value in values]
    total = squares = Fraction(0)
    for i, value in enumerate(exact_values):
        total, squares = total + value, squares + value * value
        if i >= period:
            old = exact_values[i - period]
            total, squares = total - old, squares - old * old
        if i >= period - 1:
            mean = total / period
            yield float(mean), sqrt(squares / period - mean * mean)


def textures():
    random = np.random.default_rng(11)
    walk = 60_000 + np.cumsum(random.normal(0, 0.5, 600))
    wild = 10.0 ** random.uniform(-6, 6, 600)
    collapse = np.concatenate([np.full(200, 1e12), 1e-6 * random.random(300), np.full(100, 7.0)])
    flat = 1e6 + 1e-6 * random.random(600)
    return {"walk": walk, "wild": wild, "collapse": collapse, "flat": flat}


@pytest.mark.parametrize("texture", textures())
@pytest.mark.parametrize("period", [1, 2, 7, 20, 150])
def test_means_and_deviations_are_accurate(period, texture):
    values = textures()[texture]
    means, deviations = Window(period).advance_means_and_deviations(values)
    expected = np.array(list(exact(values.tolist(), period)))
    np.testing.assert_allclose(means[period - 1 :], expected[:, 0], rtol=1e-13, atol=0)
    np.testing.assert_allclose(deviations[period - 1 :], expected[:, 1], rtol=1e-10, atol=0)
    np.testing.assert_array_equal(Window(period).advance_means(values), means)


@pytest.mark.parametrize("price", [0.1, 1 / 3, 65_432.1, 1e-9, 1e120])
def test_a_frozen_price_is_its_own_mean_and_has_no_width(price, candles_of):
    candles = candles_of(np.full(500, price))
    assert set(Sma(20).batch(candles)[19:].tolist()) == {price}
    assert set(BollingerWidth(20, 2.0).batch(candles)[19:].tolist()) == {0.0}


def test_a_spike_is_forgotten_when_it_leaves_the_window(candles_of):
    close = np.full(300, 0.3)
    close[100] = 1e15
    means = Sma(20).batch(candles_of(close))
    assert means[119] > 1e13
    assert set(means[120:].tolist()) == {0.3}


@pytest.mark.parametrize("period", [1, 2, 3, 8, 50, 400])
@pytest.mark.parametrize("length", [1, 7, 49, 50, 51, 300])
def test_extremes_are_those_of_the_window(period, length, walk):
    candles = walk(length, seed=length)
    highest, lowest = Highest(period).batch(candles), Lowest(period).batch(candles)
    for i in range(length):
        window = slice(i - period + 1, i + 1)
        if i < period - 1:
            assert np.isnan(highest[i])
            assert np.isnan(lowest[i])
        else:
            assert highest[i] == candles.high[window].max()
            assert lowest[i] == candles.low[window].min()
