"""Candles that a test writes down, and two instruments to trade them with: numbers that can be worked out by hand."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from traderagent_core.model.candle import Candles, FloatColumn
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.testing.markets import START_MS

SPOT = Instrument("BTC/USDT", lot_size=Decimal("0.0001"), min_notional=Decimal(5))
"""A spot instrument with steps of 0.01 and 0.0001, and at least 5 quote an order."""

LINEAR = Instrument(
    "BTC/USDT",
    Market.LINEAR,
    lot_size=Decimal("0.0001"),
    min_notional=Decimal(5),
    maker_fee_ratio=Decimal("0.0002"),
    taker_fee_ratio=Decimal("0.00055"),
    max_leverage=Decimal(50),
)
"""A perpetual contract with the same steps and smaller fees."""


def candles_from_closes(
    closes: Sequence[float] | FloatColumn,
    *,
    wick: float | Sequence[float] | FloatColumn = 0.0,
    symbol: str = SPOT.symbol,
    timeframe: str = "1h",
) -> Candles:
    """Candles from close to close, the first from the first close on; wicks reach `wick` beyond the bodies."""
    close = np.asarray(closes, dtype=float)
    start = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(start, close) + np.asarray(wick), np.minimum(start, close) - np.asarray(wick)
    rows = np.column_stack([start, high, low, close])
    return candles_from_rows(rows, symbol=symbol, timeframe=timeframe)


def candles_from_rows(
    rows: Sequence[Sequence[float]] | FloatColumn,
    *,
    volume: Sequence[float] | FloatColumn | None = None,
    symbol: str = SPOT.symbol,
    timeframe: str = "1h",
) -> Candles:
    """Candles of (open, high, low, close), or of (open, close) for candles without wicks, from START_MS on."""
    table = np.asarray(rows, dtype=float) if len(rows) else np.empty((0, 4))
    start, close = table[:, 0].copy(), table[:, -1].copy()
    high, low = (
        (table[:, 1].copy(), table[:, 2].copy()) if table.shape[1] == 4 else (table.max(1), table.min(1))
    )
    times = START_MS + np.arange(len(table), dtype=np.int64) * timeframe_ms(timeframe)
    volumes = np.ones(len(table)) if volume is None else np.asarray(volume, dtype=float)
    return Candles(symbol, timeframe, times, start, high, low, close, volumes)
