"""Entries as columns: which candles begin a trade. Causal, and computed for all candles at once.

All entries go with the trend: up while the fast mean is above the slow one, down while it is below. With i the
candle that closes and i-1 the one before, a long entry is

    crossover   the means have crossed: fast[i] > slow[i], fast[i-1] <= slow[i-1]
    breakout    the first close above the highs of the n candles before it, in an uptrend
    pullback    in an uptrend at i-1 and i the low of i-1 came down to the fast mean while its close held the slow
                one, and i closes above the fast mean and above the high of i-1

A short one is the same in a mirror. The confirmations must hold at i.
"""

from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen
from traderagent_core import Candle, Columns, Context
from traderagent_core.indicators import Atr, Ema, Highest, Indicator, Lowest, Rsi, VolumeMean

from traderagent_trend.config import Entry, TrendConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Marks = NDArray[np.bool_]

MEMORY = 3
"""Rows that a mark depends on: a breakout compares the close before with the highs before that one."""


@frozen(eq=False)
class Market:
    """Columns as a trade sees them: those of a falling market are mirrored, so that its trades look long."""

    close: "Floats"
    high: "Floats"
    low: "Floats"
    fast: "Floats"
    slow: "Floats"
    highest: "Floats | None"


def indicators(config: TrendConfig) -> tuple[Indicator, ...]:
    """All that the configuration makes use of, and nothing else."""
    found: list[Indicator] = [
        Ema(config.ema_fast_period),
        Ema(config.ema_slow_period),
        Atr(config.atr_period),
    ]
    if config.rsi_confirmation:
        found.append(Rsi(config.rsi_period))
    if config.volume_confirmation:
        found.append(VolumeMean(config.volume_period))
    if Entry.BREAKOUT in config.entries:
        if config.goes_long:
            found.append(Highest(config.breakout_candles))
        if config.goes_short:
            found.append(Lowest(config.breakout_candles))
    return tuple(found)


def entry_marks(config: TrendConfig, columns: Columns) -> "Marks":
    """The candles whose close begins a trade; the trend at that close says which way."""
    marks = np.zeros(len(columns["close"]), dtype=bool)
    if config.goes_long:
        marks |= _any_entry(config, _rising(config, columns)) & _rsi_confirms(config, columns, is_long=True)
    if config.goes_short:
        marks |= _any_entry(config, _falling(config, columns)) & _rsi_confirms(config, columns, is_long=False)
    if config.volume_confirmation:
        mean = columns[VolumeMean(config.volume_period).key]
        marks &= columns["volume"] >= float(config.volume_ratio) * mean
    return marks


def _rising(config: TrendConfig, columns: Columns) -> Market:
    return Market(
        columns["close"],
        columns["high"],
        columns["low"],
        columns[Ema(config.ema_fast_period).key],
        columns[Ema(config.ema_slow_period).key],
        columns[Highest(config.breakout_candles).key] if Entry.BREAKOUT in config.entries else None,
    )


def _falling(config: TrendConfig, columns: Columns) -> Market:
    return Market(
        -columns["close"],
        -columns["low"],
        -columns["high"],
        -columns[Ema(config.ema_fast_period).key],
        -columns[Ema(config.ema_slow_period).key],
        -columns[Lowest(config.breakout_candles).key] if Entry.BREAKOUT in config.entries else None,
    )


def _any_entry(config: TrendConfig, market: Market) -> "Marks":
    is_up = market.fast > market.slow
    marks = np.zeros(len(is_up), dtype=bool)
    if Entry.CROSSOVER in config.entries:
        marks[1:] |= market.fast[:-1] <= market.slow[:-1]
    if Entry.PULLBACK in config.entries:
        marks[1:] |= _pullbacks(market, is_up)
    if market.highest is not None:
        is_beyond = np.zeros(len(is_up), dtype=bool)
        is_beyond[1:] = market.close[1:] > market.highest[:-1]
        marks[1:] |= is_beyond[1:] & ~is_beyond[:-1]
    marks &= is_up
    return marks


def _pullbacks(market: Market, is_up: "Marks") -> "Marks":
    """From the second candle on: whether it turns up after one that came down to the fast mean."""
    close, fast = market.close, market.fast
    marks: Marks = market.low[:-1] <= fast[:-1]
    marks &= is_up[:-1]
    marks &= close[:-1] > market.slow[:-1]
    marks &= close[1:] > fast[1:]
    marks &= close[1:] > market.high[:-1]
    return marks


def _rsi_confirms(config: TrendConfig, columns: Columns, *, is_long: bool) -> "Marks | bool":
    if not config.rsi_confirmation:
        return True
    rsi = columns[Rsi(config.rsi_period).key]
    least, most = config.rsi_min, config.rsi_max
    if not is_long:
        least, most = 100 - most, 100 - least
    marks: Marks = (rsi >= float(least)) & (rsi <= float(most))
    return marks


def goes_long(config: TrendConfig, context: Context) -> bool:
    """Which way a candle that is marked goes: with the trend."""
    if not config.goes_short:
        return True
    fast, slow = _means(config, context)
    return config.goes_long and fast > slow


def entry_kind(config: TrendConfig, context: Context, candle: Candle, *, is_long: bool) -> Entry:
    """Which of the configured entries a marked candle is: a crossover, else a breakout, else a pullback."""
    entries = config.entries
    if len(entries) == 1:
        return entries[0]
    if Entry.CROSSOVER in entries and _has_crossed(config, context, candle, is_long=is_long):
        return Entry.CROSSOVER
    if Entry.BREAKOUT in entries and _breaks_out(config, context, is_long=is_long):
        return Entry.BREAKOUT
    return Entry.PULLBACK if Entry.PULLBACK in entries else Entry.CROSSOVER


def _means(config: TrendConfig, context: Context) -> tuple[float, float]:
    view, symbol, timeframe = context.view, context.instrument.symbol, context.timeframe
    fast = view.value(symbol, timeframe, Ema(config.ema_fast_period))
    return fast, view.value(symbol, timeframe, Ema(config.ema_slow_period))


def _has_crossed(config: TrendConfig, context: Context, candle: Candle, *, is_long: bool) -> bool:
    """Whether the means were on the other side before; what they were follows from their recursion."""
    fast, slow = _means(config, context)
    apart = _before(fast, candle.close, config.ema_fast_period)
    apart -= _before(slow, candle.close, config.ema_slow_period)
    return apart <= 0 if is_long else apart >= 0


def _before(mean: float, close: float, period: int) -> float:
    return (mean * (period + 1) - 2 * close) / (period - 1)


def _breaks_out(config: TrendConfig, context: Context, *, is_long: bool) -> bool:
    """As in `_any_entry`, for the candle that has just closed."""
    count = config.breakout_candles
    candles = context.view.candles(context.instrument.symbol, context.timeframe, count + 2)
    if len(candles) < count + 1:
        return False
    close = (candles.close if is_long else -candles.close)[-2:].tolist()
    beyond = (candles.high if is_long else -candles.low).tolist()
    if close[1] <= max(beyond[-1 - count : -1]):
        return False
    return len(beyond) == count + 1 or close[0] <= max(beyond[:count])
