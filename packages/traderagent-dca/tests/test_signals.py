"""Signals: marked exactly where they come on, and said alike by columns and by single values."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from traderagent_core import Candles
from traderagent_core.testing.markets import MARKETS, market
from traderagent_dca.config import DcaConfig
from traderagent_dca.signals import signal_of

Make = Callable[..., DcaConfig]

CASES: list[dict[str, Any]] = [
    {"trigger_percentage": "0.03"},
    {"trigger_percentage": "0.02", "direction": "short", "recent_candles": 10},
    {"start": "rsi", "rsi_threshold": 40},
    {"start": "rsi", "direction": "short", "rsi_threshold": 55, "rsi_period": 7},
    {"start": "ema_cross", "ema_fast": 5, "ema_slow": 20},
    {"start": "ema_cross", "ema_fast": 5, "ema_slow": 20, "direction": "short"},
]


def columns_of(config: DcaConfig, candles: Candles) -> dict[str, Any]:
    names = ("open", "high", "low", "close", "volume")
    columns = {name: getattr(candles, name) for name in names}
    return columns | {each.key: each.batch(candles) for each in signal_of(config).indicators}


def by_hand(config: DcaConfig, candles: Candles) -> list[bool]:
    """The state of the signal at every close, with no array in sight."""
    first, *others = [each.batch(candles).tolist() for each in signal_of(config).indicators]
    closes = candles.close.tolist()
    states = []
    for row, close in enumerate(closes):
        if config.start_on.value == "drop":
            count, share = config.recent_candles, float(config.trigger_percentage or 0)
            window = slice(max(row + 1 - count, 0), row + 1)
            is_warm = row + 1 >= count
            if config.is_long:
                states.append(is_warm and close <= max(candles.high[window]) * (1 - share))
            else:
                states.append(is_warm and close >= min(candles.low[window]) * (1 + share))
        elif config.start_on.value == "rsi":
            bound = float(config.rsi_bound)
            states.append(first[row] < bound if config.is_long else first[row] > bound)
        else:
            fast, slow = first[row], others[0][row]
            states.append(fast > slow if config.is_long else fast < slow)
    return states


@pytest.mark.parametrize("keys", CASES)
@pytest.mark.parametrize("name", sorted(MARKETS))
def test_a_mark_is_where_the_signal_comes_on(config: Make, keys: dict[str, Any], name: str) -> None:
    made, candles = config(**keys), market(name, rows=300)
    states = by_hand(made, candles)
    found = signal_of(made).marks(columns_of(made, candles)).tolist()
    if made.start_on.value == "ema_cross":
        slow = signal_of(made).indicators[1].batch(candles)
        warm = [row > 0 and slow[row - 1] == slow[row - 1] for row in range(len(states))]
        came = [warm[row] and states[row] and not states[row - 1] for row in range(len(states))]
        assert found == came
    else:
        assert found == [states[row] and not (row and states[row - 1]) for row in range(len(states))]


@pytest.mark.parametrize("keys", CASES[:4])
def test_the_signal_is_on_between_its_marks(config: Make, keys: dict[str, Any]) -> None:
    made, candles = config(**keys), market("crash", rows=300)
    columns = columns_of(made, candles)

    class View:
        row = 0

        def value(self, symbol: str, timeframe: str, indicator: Any) -> float:
            return float(columns[indicator.key][self.row])

    class Context:
        instrument = type("Instrument", (), {"symbol": "BTC/USDT"})
        timeframe = "1h"
        view = View()

    states = by_hand(made, candles)
    for row, state in enumerate(states):
        Context.view.row = row
        assert signal_of(made).is_on(Context(), candles.candle(row)) is bool(state)  # type: ignore[arg-type]
    assert np.any(states)
    assert not np.all(states)


def test_an_immediate_start_needs_nothing(config: Make) -> None:
    assert signal_of(config()).indicators == ()


def test_averages_that_touch_have_not_crossed(config: Make) -> None:
    made = config(start="ema_cross", ema_fast=1, ema_slow=2)
    fast, slow = (each.key for each in signal_of(made).indicators)
    columns = {
        "close": np.ones(6),
        fast: np.array([1.0, 2.0, 2.0, 3.0, 2.0, 3.0]),
        slow: np.array([np.nan, 2.0, 2.0, 2.0, 2.0, 3.0]),
    }
    assert signal_of(made).marks(columns).tolist() == [False, False, False, True, False, False]
