"""Wilder's directional movement: how far a candle reaches beyond the one before, upwards and downwards."""

import numpy as np

from traderagent_core.indicators.pairs import shifted
from traderagent_core.indicators.series import column
from traderagent_core.model.candle import Candle, Candles, FloatColumn


def movement(candle: Candle, before: Candle) -> tuple[float, float]:
    """Movement up and down in quote currency; only the larger one counts, none when they are equal."""
    up = candle.high - before.high
    down = before.low - candle.low
    return (up if up > down and up > 0.0 else 0.0), (down if down > up and down > 0.0 else 0.0)


def movement_columns(candles: Candles, before: Candle) -> tuple[FloatColumn, FloatColumn]:
    """The batch twin of `movement`."""
    high, low = column(candles, "high"), column(candles, "low")
    up = high - shifted(high, before.high)
    down = shifted(low, before.low) - low
    np.maximum(up, 0.0, out=up)
    np.maximum(down, 0.0, out=down)
    is_up, is_down = up > down, down > up
    up *= is_up
    down *= is_down
    return up, down
