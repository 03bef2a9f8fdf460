"""DCA on candles in the simulator, stopped and gone on with as a test wants."""

from collections.abc import Callable
from typing import Any, Self

import pytest
from traderagent_core import Candles, Instrument
from traderagent_core.testing import (
    LINEAR,
    SPOT,
    Run,
    candles_from_closes,
    candles_from_rows,
    start_strategy,
)
from traderagent_dca.config import DcaConfig
from traderagent_dca.strategy import DcaStrategy


class DcaRun(Run):
    """Slot, price and quantity are what matters of a deal's orders; no callback ever raises."""

    fill_columns = order_columns = ("slot", "price", "quantity")

    def run(self, candles: int | None = None) -> Self:
        super().run(candles)
        assert not self.failures
        return self


@pytest.fixture
def instrument() -> Instrument:
    return SPOT


@pytest.fixture
def linear() -> Instrument:
    return LINEAR


@pytest.fixture
def config() -> Callable[..., DcaConfig]:
    def make(**keys: Any) -> DcaConfig:
        usual: dict[str, Any] = {} if "total_amount" in keys else {"amount_per_step": 100}
        return DcaConfig.model_validate({**usual, "take_profit_percentage": "0.02", **keys})

    return make


@pytest.fixture
def bench() -> Callable[..., DcaRun]:
    """A run at its start; further keywords are fields of Bot and of Conditions."""

    def make(config: DcaConfig, instrument: Instrument, candles: Candles, **named: Any) -> DcaRun:
        return start_strategy(DcaStrategy, config, candles, instrument, run_class=DcaRun, **named)

    return make


@pytest.fixture
def path() -> Callable[..., Candles]:
    """Candles from close to close."""
    return candles_from_closes


@pytest.fixture
def jumps() -> Callable[..., Candles]:
    """Candles of (open, close), so that the price can jump between them."""
    return candles_from_rows
