"""Values against TA-Lib, on made-up and on real markets."""

import os
from pathlib import Path

import numpy as np
import pytest
from traderagent_core.indicators import (
    Adx,
    Atr,
    AtrRatio,
    BollingerLower,
    BollingerUpper,
    BollingerWidth,
    Ema,
    Highest,
    Lowest,
    MinusDi,
    PlusDi,
    Rsi,
    Sma,
    VolumeMean,
)
from traderagent_core.model.candle import Candles

talib = pytest.importorskip("talib")


def bands(candles, period, deviations):
    return talib.BBANDS(candles.close, period, deviations, deviations)


def width(candles, period, deviations):
    upper, middle, lower = bands(candles, period, deviations)
    return (upper - lower) / middle


# TA-Lib takes the variance as E[x²] - E[x]² from a running sum, which costs it digits: bands are compared loosely.
CASES = [
    *((Ema(p), lambda c, p=p: talib.EMA(c.close, p), 1e-12) for p in (2, 20, 200)),
    (Ema(20, source="volume"), lambda c: talib.EMA(c.volume, 20), 1e-12),
    *((Sma(p), lambda c, p=p: talib.SMA(c.close, p), 1e-11) for p in (2, 20, 200)),
    (VolumeMean(20), lambda c: talib.SMA(c.volume, 20), 1e-9),
    *((Rsi(p), lambda c, p=p: talib.RSI(c.close, p), 1e-9) for p in (2, 14, 50)),
    *((Atr(p), lambda c, p=p: talib.ATR(c.high, c.low, c.close, p), 1e-11) for p in (1, 2, 14, 50)),
    (AtrRatio(14), lambda c: talib.ATR(c.high, c.low, c.close, 14) / c.close, 1e-11),
    *((Adx(p), lambda c, p=p: talib.ADX(c.high, c.low, c.close, p), 1e-9) for p in (2, 14, 50)),
    *((PlusDi(p), lambda c, p=p: talib.PLUS_DI(c.high, c.low, c.close, p), 1e-10) for p in (2, 14, 50)),
    *((MinusDi(p), lambda c, p=p: talib.MINUS_DI(c.high, c.low, c.close, p), 1e-10) for p in (2, 14, 50)),
    (BollingerUpper(20, 2.0), lambda c: bands(c, 20, 2.0)[0], 1e-7),
    (BollingerLower(20, 1.5), lambda c: bands(c, 20, 1.5)[2], 1e-7),
    (BollingerWidth(20, 2.0), lambda c: width(c, 20, 2.0), 1e-4),
    *((Highest(p), lambda c, p=p: talib.MAX(c.high, p), 0.0) for p in (2, 20, 200)),
    *((Lowest(p), lambda c, p=p: talib.MIN(c.low, p), 0.0) for p in (2, 20, 200)),
]
by_case = pytest.mark.parametrize(("indicator", "oracle", "tolerance"), CASES, ids=[c[0].key for c in CASES])


def assert_like(indicator, oracle, tolerance, candles):
    ours, theirs = indicator.batch(candles), oracle(candles)
    assert indicator.warm_up == np.flatnonzero(~np.isnan(theirs))[0]
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * 1e-3)


@by_case
@pytest.mark.parametrize("seed", range(3))
def test_a_walk_gives_what_talib_gives(indicator, oracle, tolerance, seed, walk):
    assert_like(indicator, oracle, tolerance, walk(3000, seed=seed, price=[0.4, 100.0, 60_000.0][seed]))


@by_case
def test_a_frozen_start_gives_what_talib_gives(indicator, oracle, tolerance, walk, candles_of):
    moving = walk(2000, seed=7).close
    close = np.concatenate([np.full(260, moving[0]), moving])
    candles = candles_of(close, reach=0.0)
    if isinstance(indicator, BollingerWidth):
        pytest.skip("TA-Lib returns rounding noise for the width of a frozen price; ours is exactly 0")
    assert_like(indicator, oracle, tolerance, candles)


@pytest.mark.parametrize("kind", [Rsi, Adx, PlusDi, MinusDi])
def test_a_price_that_never_moved_gives_zero_as_in_talib(kind, candles_of):
    candles = candles_of(np.full(100, 42.0), reach=0.0)
    oracle = getattr(talib, {Rsi: "RSI", Adx: "ADX", PlusDi: "PLUS_DI", MinusDi: "MINUS_DI"}[kind])
    columns = [candles.close] if kind is Rsi else [candles.high, candles.low, candles.close]
    np.testing.assert_array_equal(kind(14).batch(candles), oracle(*columns, 14))


@pytest.mark.data
@pytest.mark.parametrize("series", ["binance_spot_BTC-USDT_1h", "binance_spot_DOGE-USDT_1h"])
@by_case
def test_real_hours_give_what_talib_gives(indicator, oracle, tolerance, series):
    assert_like(indicator, oracle, tolerance, real_candles(series))


def real_candles(series: str) -> Candles:
    import pandas as pd

    folder = os.environ.get("TRADERAGENT_DATA")
    if not folder:
        pytest.skip("TRADERAGENT_DATA names no folder with market series")
    path = sorted(Path(folder).rglob(f"{series}_*.csv.gz"))[0]
    frame = pd.read_csv(path)
    columns = [frame[name].to_numpy(np.float64) for name in ("open", "high", "low", "close", "volume")]
    return Candles(series, "1h", frame["timestamp"].to_numpy(np.int64), *columns)
