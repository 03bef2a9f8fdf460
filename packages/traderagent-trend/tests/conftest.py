"""Trend followers on hand-made candles in the simulator, stopped and gone on with as a test wants."""

from collections.abc import Callable, Sequence
from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest
from traderagent_core import Candles, Instrument
from traderagent_core.testing import LINEAR, SPOT, Run, candles_from_rows, start_strategy
from traderagent_trend.config import TrendConfig
from traderagent_trend.strategy import TrendStrategy
from traderagent_trend.trades import Trade

Bar = tuple[float, float, float, float]

PLAIN: dict[str, Any] = {
    "entries": ["breakout"],
    "ema_fast_period": 2,
    "ema_slow_period": 3,
    "breakout_candles": 2,
    "rsi_confirmation": False,
    "volume_confirmation": False,
    "atr_period": 1,
    "break_even_from_r": None,
    "trailing_from_r": None,
}
"""An average true range of one candle, and no confirmations: the numbers can be worked out by hand."""

LEAD: tuple[Bar, ...] = ((100, 100, 100, 100),) * 4
UP: tuple[Bar, ...] = (*LEAD, (100, 102, 100, 102))
"""Four flat candles and a breakout: bought at 102 with an ATR of 2, so 1 R is 4, the stop 98, the target 108."""

DOWN: tuple[Bar, ...] = (*LEAD, (100, 100, 98, 98))
"""The mirror image: sold at 98, the stop at 102, the target at 92."""


class TrendRun(Run):
    """Price and quantity are what matters of a fill."""

    fill_columns = ("price", "quantity")

    @property
    def log(self) -> tuple[Trade, ...]:
        log: tuple[Trade, ...] = self.state.log
        return log

    def notes(self) -> list[str]:
        """Reasons noted by the strategy itself."""
        return [reason for reason in super().notes() if not reason.startswith(("operator_", "exit_"))]

    def assert_money_adds_up(self) -> None:
        """Ledger and venue agree to the last digit, and the log says what the ledger has made.

        The end of a trade during a pause, as after a stop that was refused too often, is noted when the bot goes on.
        """
        assert self.ledger.flow + self.exchange.balance == self.exchange.flow
        assert self.failures == []
        if not self.ledger.quantity and self.state.trade is None and self.state.trades == len(self.log):
            assert sum((trade.pnl for trade in self.log), D(0)) == self.ledger.flow


def trending_candles(count: int, seed: int, drift: float = 0.0, step: float = 0.006) -> Candles:
    """A seeded walk on the tick, with wicks and volumes."""
    random = np.random.default_rng(seed)
    path = np.cumsum(random.standard_normal(count) * step + drift)
    close = np.round(100 * np.exp(path), 2)
    start = np.concatenate([[100.0], close[:-1]])
    reach = np.round(np.abs(random.standard_normal((2, count))) * step * 50, 2)
    high, low = np.maximum(start, close) + reach[0], np.maximum(np.minimum(start, close) - reach[1], 0.01)
    volume = np.round(random.random(count) * 100, 1)
    return candles_from_rows(np.column_stack([start, high, low, close]), volume=volume)


@pytest.fixture
def spot() -> Instrument:
    return SPOT


@pytest.fixture
def linear() -> Instrument:
    return LINEAR


@pytest.fixture
def config() -> Callable[..., TrendConfig]:
    """A configuration whose numbers can be worked out by hand: see PLAIN."""

    def make(**keys: Any) -> TrendConfig:
        return TrendConfig.model_validate({**PLAIN, **keys})

    return make


@pytest.fixture
def bench() -> Callable[..., TrendRun]:
    """A run at its start; further keywords are fields of Bot and of Conditions."""

    def make(
        config: TrendConfig, instrument: Instrument, series: Candles | Sequence[Bar], **named: Any
    ) -> TrendRun:
        candles = series if isinstance(series, Candles) else candles_from_rows(series)
        return start_strategy(TrendStrategy, config, candles, instrument, run_class=TrendRun, **named)

    return make


@pytest.fixture
def up() -> tuple[Bar, ...]:
    return UP


@pytest.fixture
def down() -> tuple[Bar, ...]:
    return DOWN


@pytest.fixture
def candles() -> Callable[..., Candles]:
    """Candles of (open, high, low, close)."""
    return candles_from_rows


@pytest.fixture
def walk() -> Callable[..., Candles]:
    """A seeded walk."""
    return trending_candles
