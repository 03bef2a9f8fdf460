"""Small made-up markets, each with one habit: ranging, rising, falling, crashing, standing still, full of gaps.

A market is a smooth path with seeded noise on a tick grid; the same arguments give the same candles. Columns are
read-only, so a plugin that writes into them is found out.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from traderagent_core.model.candle import Candles
from traderagent_core.model.timeframe import HOUR_MS, timeframe_ms

Floats = NDArray[np.float64]
START_MS = 1_704_067_200_000
"""2024-01-01 00:00 UTC."""


def market(
    name: str,
    *,
    symbol: str = "BTC/USDT",
    timeframe: str = "1h",
    rows: int = 600,
    price: float = 100.0,
    tick_size: Decimal = Decimal("0.01"),
    seed: int = 1,
) -> Candles:
    """The market called `name` (a key of MARKETS), opening at `price` in quote currency; cached.

    Raises KeyError that lists the names when there is none of this one.
    """
    if name not in MARKETS:
        raise KeyError(f"no market {name!r}; there are: {', '.join(MARKETS)}")
    return _cached(name, symbol, timeframe, rows, price, tick_size, seed)


@lru_cache(maxsize=256)
def _cached(
    name: str, symbol: str, timeframe: str, rows: int, price: float, tick_size: Decimal, seed: int
) -> Candles:
    return MARKETS[name](symbol, timeframe, rows, price, tick_size, seed)


def ranging(symbol: str, timeframe: str, rows: int, price: float, tick_size: Decimal, seed: int) -> Candles:
    """Swings of about 6 % around the first price."""
    return _candles(symbol, timeframe, _waves(rows) + _noise(rows, seed), price, tick_size, seed)


def rising(symbol: str, timeframe: str, rows: int, price: float, tick_size: Decimal, seed: int) -> Candles:
    """A trend of + 60 % with pullbacks."""
    path = np.log(1.6) * _progress(rows) + 0.4 * _waves(rows) + _noise(rows, seed)
    return _candles(symbol, timeframe, path, price, tick_size, seed)


def falling(symbol: str, timeframe: str, rows: int, price: float, tick_size: Decimal, seed: int) -> Candles:
    """A trend of - 45 % with pullbacks."""
    path = np.log(0.55) * _progress(rows) + 0.4 * _waves(rows) + _noise(rows, seed)
    return _candles(symbol, timeframe, path, price, tick_size, seed)


def crash(symbol: str, timeframe: str, rows: int, price: float, tick_size: Decimal, seed: int) -> Candles:
    """A range that loses 60 % within an hour at three fifths of its length, and recovers a third of it."""
    length = max(1, HOUR_MS // timeframe_ms(timeframe))
    at = rows * 3 // 5
    drop = np.zeros(rows)
    fall = drop[at : at + length]
    fall[:] = np.log(0.4) * np.arange(1, len(fall) + 1) / length
    after = drop[at + length :]
    after[:] = np.log(0.4) + np.log(1.5) * _progress(max(len(after), 1))[: len(after)]
    path = _waves(rows) + _noise(rows, seed) + drop
    return _candles(symbol, timeframe, path, price, tick_size, seed)


def flat(symbol: str, timeframe: str, rows: int, price: float, tick_size: Decimal, seed: int) -> Candles:  # noqa: ARG001
    """Candles of no range and no volume, all at the first price."""
    column = np.full(rows, _on_tick(np.array([price]), tick_size)[0])
    return _frozen(symbol, timeframe, _times(rows, timeframe), (column,) * 4, np.zeros(rows))


def gappy(symbol: str, timeframe: str, rows: int, price: float, tick_size: Decimal, seed: int) -> Candles:
    """A range with about one hole in sixty candles, one to forty candles long, across which the price jumps."""
    random = np.random.Generator(np.random.PCG64(seed + 77))
    count = max(3, rows // 60)
    full = ranging(symbol, timeframe, rows + 40 * count, price, tick_size, seed)
    is_kept = np.ones(len(full), dtype=bool)
    for start in random.choice(np.arange(rows // 10, rows - 2), size=count, replace=False):
        is_kept[start : start + int(random.integers(1, 41))] = False
    kept = np.flatnonzero(is_kept)[:rows]
    columns = (full.open[kept], full.high[kept], full.low[kept], full.close[kept])
    return _frozen(symbol, timeframe, full.open_time[kept], columns, full.volume[kept])


def changing_market(symbol: str, days: int, seed: int) -> Candles:
    """Hourly candles that change their habits every few days, so that every regime comes; opens at 100."""
    random = np.random.default_rng(seed)
    rows = 24 * days
    drifts = np.repeat(random.choice([0.0, 0.0, 0.004, -0.004, 0.008, -0.008], days // 3 + 1), 72)[:rows]
    sizes = np.repeat(random.choice([0.001, 0.003, 0.008, 0.02], days // 2 + 1), 48)[:rows]
    moves = drifts * 0.7 + sizes * random.standard_normal(rows)
    close = np.round(100 * np.exp(np.cumsum(moves)), 2)
    opened = np.concatenate(([100.0], close[:-1]))
    high = np.round(np.maximum(opened, close) * (1 + sizes * random.random(rows)), 2)
    low = np.round(np.minimum(opened, close) * (1 - sizes * random.random(rows)), 2)
    volume = np.round(1000 * (1 + random.random(rows)), 2)
    return _frozen(symbol, "1h", _times(rows, "1h"), (opened, high, low, close), volume)


def with_other_future(candles: Candles, rows: int, tick_size: Decimal) -> Candles:
    """The same first `rows` candles; after the next open everything goes the other way, as in a mirror."""
    if rows >= len(candles):
        return candles
    start = candles.open[rows]
    names = ("open", "low", "high", "close")  # A mirror makes the high of the low.
    future = [_on_tick(start * start / getattr(candles, name)[rows:], tick_size) for name in names]
    future[0][0] = start
    columns = (candles.open, candles.high, candles.low, candles.close)
    opens, high, low, close = (
        np.concatenate((column[:rows], part)) for column, part in zip(columns, future, strict=True)
    )
    return _frozen(
        candles.symbol, candles.timeframe, candles.open_time, (opens, high, low, close), candles.volume
    )


MARKETS: Mapping[str, Callable[[str, str, int, float, Decimal, int], Candles]] = MappingProxyType(
    {
        "ranging": ranging,
        "rising": rising,
        "falling": falling,
        "crash": crash,
        "flat": flat,
        "gappy": gappy,
    }
)
"""What kinds of markets there are, by name."""


def _progress(rows: int) -> Floats:
    progress: Floats = np.linspace(0.0, 1.0, rows)
    return progress


def _waves(rows: int) -> Floats:
    steps = np.arange(rows)
    waves: Floats = 0.045 * np.sin(steps * (2 * np.pi / 97)) + 0.02 * np.sin(steps * (2 * np.pi / 23))
    return waves


def _noise(rows: int, seed: int) -> Floats:
    """Noise that stays near zero, and is zero at the first candle."""
    random = np.random.Generator(np.random.PCG64(seed))
    noise: Floats = np.convolve(random.standard_normal(rows), 0.7 ** np.arange(12))[:rows] * 0.004
    noise -= noise[0]
    return noise


def _candles(
    symbol: str, timeframe: str, path: Floats, price: float, tick_size: Decimal, seed: int
) -> Candles:
    """Candles whose closes follow `path` (logarithms), each opening where the one before closed."""
    random = np.random.Generator(np.random.PCG64(seed + 1))
    close = _on_tick(price * np.exp(path), tick_size)
    opens = np.concatenate((_on_tick(np.array([price]), tick_size), close[:-1]))
    reach = 0.003 * np.abs(random.standard_normal((2, len(path))))
    high = _on_tick(np.maximum(opens, close) * (1 + reach[0]), tick_size)
    low = _on_tick(np.minimum(opens, close) * (1 - reach[1]), tick_size)
    volume = np.rint(1000 * (1 + random.random(len(path))))
    return _frozen(symbol, timeframe, _times(len(path), timeframe), (opens, high, low, close), volume)


def _times(rows: int, timeframe: str) -> NDArray[np.int64]:
    return START_MS + np.arange(rows, dtype=np.int64) * timeframe_ms(timeframe)


def _on_tick(prices: Floats, tick_size: Decimal) -> Floats:
    """The doubles nearest to whole multiples of the tick, at least one tick."""
    numerator, denominator = tick_size.as_integer_ratio()
    ticks = np.maximum(np.rint(prices * denominator / numerator), 1.0)
    result: Floats = ticks * numerator / denominator
    return result


def _frozen(
    symbol: str,
    timeframe: str,
    open_time: NDArray[np.int64],
    prices: tuple[Floats, Floats, Floats, Floats],
    volume: Floats,
) -> Candles:
    opens, high, low, close = (np.array(column) for column in prices)
    candles = Candles(symbol, timeframe, np.array(open_time), opens, high, low, close, np.array(volume))
    for column in (candles.open_time, opens, high, low, close, candles.volume):
        column.setflags(write=False)
    return candles
