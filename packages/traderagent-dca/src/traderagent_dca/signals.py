"""When a deal may start: a fall from the recent high, RSI, or two averages that cross; short mirrored.

The same comparison is made on whole columns and on single values, so that both say the same.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from traderagent_core import Candle, Columns, Context
from traderagent_core.indicators import Ema, Highest, Indicator, Lowest, Rsi

from traderagent_dca.config import DcaConfig, Start

IMMEDIATE, DROP, RSI, EMA_CROSS = Start.IMMEDIATE, Start.DROP, Start.RSI, Start.EMA_CROSS

if TYPE_CHECKING:
    from numpy.typing import NDArray


def indicators(config: DcaConfig) -> tuple[Indicator, ...]:
    """What the signal is read from."""
    start = config.start_on
    if start is DROP:
        return (Highest(config.recent_candles) if config.is_long else Lowest(config.recent_candles),)
    if start is RSI:
        return (Rsi(config.rsi_period),)
    if start is EMA_CROSS:
        return (Ema(config.ema_fast), Ema(config.ema_slow))
    return ()


def marks(config: DcaConfig, columns: Columns) -> "NDArray[np.bool_]":
    """Closes at which the signal comes on; while it stays on nobody needs to be called."""
    is_on = _compare(config, columns["close"], lambda indicator: columns[indicator.key])
    found: NDArray[np.bool_] = np.array(is_on, dtype=bool)
    if config.start_on is EMA_CROSS:
        fast, slow = (columns[each.key] for each in indicators(config))
        was_beyond = fast <= slow if config.is_long else fast >= slow
        found[1:] &= was_beyond[:-1]
        found[:1] = False
    else:
        found[1:] &= ~is_on[:-1]
    return found


def is_on(config: DcaConfig, context: Context, candle: Candle) -> bool:
    """Whether the signal is on at the last close; a crossing happens once and is never on afterwards."""
    start = config.start_on
    if start is IMMEDIATE or start is EMA_CROSS:
        return start is IMMEDIATE
    symbol, timeframe, value = context.instrument.symbol, context.timeframe, context.view.value
    return bool(_compare(config, candle.close, lambda indicator: value(symbol, timeframe, indicator)))


def _compare(config: DcaConfig, close: Any, value: Callable[[Indicator], Any]) -> Any:
    """The signal on columns or on single numbers; nan compares false."""
    first, *others = indicators(config)
    if config.start_on is DROP:
        trigger = float(config.trigger_percentage or 0)
        if config.is_long:
            return close <= value(first) * (1.0 - trigger)
        return close >= value(first) * (1.0 + trigger)
    if config.start_on is RSI:
        bound = float(config.rsi_bound)
        return value(first) < bound if config.is_long else value(first) > bound
    return value(first) > value(others[0]) if config.is_long else value(first) < value(others[0])
