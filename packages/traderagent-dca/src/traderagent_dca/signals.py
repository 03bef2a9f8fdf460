"""When a deal may start: a fall from the recent high, RSI, or two averages that cross; short mirrored.

The same comparison is made on whole columns and on single values, so that both say the same.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen
from traderagent_core import Candle, Columns, Context
from traderagent_core.indicators import Ema, Highest, Indicator, Lowest, Rsi

from traderagent_dca.config import DcaConfig, Start

IMMEDIATE, DROP, RSI, EMA_CROSS = Start.IMMEDIATE, Start.DROP, Start.RSI, Start.EMA_CROSS

if TYPE_CHECKING:
    from numpy.typing import NDArray


@frozen
class Signal:
    """The signal of a configuration, made once: the indicators that it is read from, and the number in its rule.

    `bound` is the RSI beyond which a deal starts, or what the price has to fall to, as a ratio of the recent high.
    """

    start: Start
    is_long: bool
    indicators: tuple[Indicator, ...] = ()
    bound: float = 0.0

    def marks(self, columns: Columns) -> "NDArray[np.bool_]":
        """Closes at which the signal comes on; while it stays on nobody needs to be called."""
        values = [columns[indicator.key] for indicator in self.indicators]
        is_on = self._compare(columns["close"], *values)
        found: NDArray[np.bool_] = np.array(is_on, dtype=bool)
        if self.start is EMA_CROSS:
            fast, slow = values
            was_beyond = fast <= slow if self.is_long else fast >= slow
            found[1:] &= was_beyond[:-1]
            found[:1] = False
        else:
            found[1:] &= ~is_on[:-1]
        return found

    def is_on(self, context: Context, candle: Candle) -> bool:
        """Whether the signal is on at the last close; a crossing happens once and is never on afterwards."""
        if self.start is IMMEDIATE or self.start is EMA_CROSS:
            return self.start is IMMEDIATE
        symbol, timeframe, value = context.instrument.symbol, context.timeframe, context.view.value
        values = [value(symbol, timeframe, indicator) for indicator in self.indicators]
        return bool(self._compare(candle.close, *values))

    def _compare(self, close: Any, first: Any, second: Any = None) -> Any:
        """The signal on columns or on single numbers; nan compares false."""
        if self.start is DROP:
            level = first * self.bound
            return close <= level if self.is_long else close >= level
        if self.start is RSI:
            return first < self.bound if self.is_long else first > self.bound
        return first > second if self.is_long else first < second


def signal_of(config: DcaConfig) -> Signal:
    """What a configuration waits for."""
    start, is_long = config.start_on, config.is_long
    if start is DROP:
        period, trigger = config.recent_candles, float(config.trigger_percentage or 0)
        if is_long:
            return Signal(start, is_long, (Highest(period),), 1.0 - trigger)
        return Signal(start, is_long, (Lowest(period),), 1.0 + trigger)
    if start is RSI:
        return Signal(start, is_long, (Rsi(config.rsi_period),), float(config.rsi_bound))
    if start is EMA_CROSS:
        return Signal(start, is_long, (Ema(config.ema_fast), Ema(config.ema_slow)))
    return Signal(start, is_long)
