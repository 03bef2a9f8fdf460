"""Made-up markets for the indicator tests."""

from collections.abc import Callable

import numpy as np
import pytest
from traderagent_core.model.candle import Candles, FloatColumn


def make_candles(close: FloatColumn, *, seed: int = 0, reach: float = 0.004) -> Candles:
    """Candles around given closes; highs and lows reach beyond the body by up to `reach` of it."""
    random = np.random.default_rng(seed)
    close = np.asarray(close, dtype=np.float64)
    opened = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(opened, close) * (1 + reach * random.random(len(close)))
    low = np.minimum(opened, close) * (1 - reach * random.random(len(close)))
    times = np.arange(len(close), dtype=np.int64) * 60_000
    return Candles("TEST/USDT", "1m", times, opened, high, low, close, 1000 * random.random(len(close)))


def make_walk(length: int, *, seed: int = 0, price: float = 100.0) -> Candles:
    """A random walk with one per cent a candle."""
    steps = np.random.default_rng(seed).normal(0, 0.01, length)
    return make_candles(price * np.exp(np.cumsum(steps)), seed=seed)


@pytest.fixture(scope="session")
def candles_of() -> Callable[..., Candles]:
    return make_candles


@pytest.fixture(scope="session")
def walk() -> Callable[..., Candles]:
    return make_walk
