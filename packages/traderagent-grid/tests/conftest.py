"""Grids on candles in the simulator, stopped and gone on with as a test wants."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from traderagent_core import Candles, Instrument
from traderagent_core.testing import LINEAR, SPOT, Run, candles_from_closes, start_strategy
from traderagent_grid.config import GridConfig
from traderagent_grid.strategy import GridStrategy


class GridRun(Run):
    """Side, price and quantity are what matters of a grid's orders."""

    fill_columns = order_columns = ("side", "price", "quantity")


def wandering_candles(count: int, seed: int, price: float = 100.0, step: float = 0.006) -> Candles:
    """A seeded walk that is drawn back to where it began."""
    random = np.random.default_rng(seed)
    shocks = random.standard_normal(count) * step
    level, logs = 0.0, np.empty(count)
    for index in range(count):
        level = level * 0.998 + shocks[index]
        logs[index] = level
    wick = np.round(np.abs(random.standard_normal(count)) * step * price / 3, 2)
    return candles_from_closes(np.round(price * np.exp(logs), 2), wick=wick)


@pytest.fixture
def instrument() -> Instrument:
    return SPOT


@pytest.fixture
def linear() -> Instrument:
    return LINEAR


@pytest.fixture
def config() -> Callable[..., GridConfig]:
    def make(**keys: Any) -> GridConfig:
        usual = {"lower_price": 90, "upper_price": 110, "grid_levels": 11, "amount_per_grid": 100}
        return GridConfig.model_validate({**usual, **keys})

    return make


@pytest.fixture
def bench() -> Callable[..., GridRun]:
    """A run at its start; further keywords are fields of Bot and of Conditions."""

    def make(config: GridConfig, instrument: Instrument, candles: Candles, **named: Any) -> GridRun:
        return start_strategy(GridStrategy, config, candles, instrument, run_class=GridRun, **named)

    return make


@pytest.fixture
def path() -> Callable[..., Candles]:
    """Candles from close to close."""
    return candles_from_closes


@pytest.fixture
def wander() -> Callable[..., Candles]:
    """A seeded walk around a price."""
    return wandering_candles
