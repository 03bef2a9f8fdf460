import pickle

import numpy as np
import pytest
from traderagent_core import indicators
from traderagent_core.indicators import (
    Adx,
    Atr,
    AtrRatio,
    BollingerLower,
    BollingerUpper,
    BollingerWidth,
    Ema,
    Highest,
    Indicator,
    Lowest,
    MinusDi,
    PlusDi,
    Rsi,
    Sma,
    VolumeMean,
)

DECLARATIONS = [
    (Ema(20), "ema(20)", 19),
    (Ema(20, source="volume"), "ema(20,volume)", 19),
    (Sma(1), "sma(1)", 0),
    (VolumeMean(20), "volume_mean(20)", 19),
    (Rsi(14), "rsi(14)", 14),
    (Atr(14), "atr(14)", 14),
    (AtrRatio(14), "atr_ratio(14)", 14),
    (PlusDi(14), "plus_di(14)", 14),
    (MinusDi(14), "minus_di(14)", 14),
    (Adx(14), "adx(14)", 27),
    (BollingerUpper(20, 2), "bollinger_upper(20,2.0)", 19),
    (BollingerLower(20, 2), "bollinger_lower(20,2.0)", 19),
    (BollingerWidth(20, 2.5), "bollinger_width(20,2.5)", 19),
    (Highest(5), "highest(5)", 4),
    (Highest(5, source="close"), "highest(5,close)", 4),
    (Lowest(5), "lowest(5)", 4),
]


@pytest.mark.parametrize(("indicator", "key", "warm_up"), DECLARATIONS)
def test_key_and_warm_up_tell_the_declaration(indicator, key, warm_up, walk):
    assert (indicator.key, indicator.warm_up) == (key, warm_up)
    values = indicator.batch(walk(60))
    assert np.isnan(values[:warm_up]).all()
    assert not np.isnan(values[warm_up:]).any()


def test_every_exported_indicator_is_tested():
    exported = {getattr(indicators, name) for name in indicators.__all__}
    kinds = {kind for kind in exported if issubclass(kind, Indicator)} - {Indicator}
    assert kinds == {type(indicator) for indicator, _, _ in DECLARATIONS}


def test_equality_and_hash_go_by_class_and_parameters():
    assert Ema(20) == Ema(20, source="close")
    assert BollingerWidth(20, 2) == BollingerWidth(20, 2.0)
    assert Ema(20) != Sma(20)
    assert len({Ema(20), Ema(20), Ema(21), Ema(20, source="open"), Sma(20), PlusDi(20), MinusDi(20)}) == 6


def test_a_declaration_cannot_change():
    with pytest.raises(AttributeError):
        Ema(20).period = 21


def test_a_declaration_travels_to_another_process():
    assert pickle.loads(pickle.dumps(BollingerWidth(20, 2.0))) == BollingerWidth(20, 2.0)


@pytest.mark.parametrize("period", [0, -3, 2.5, "20", True, None])
@pytest.mark.parametrize(
    "kind", [Ema, Sma, VolumeMean, Rsi, Atr, Adx, PlusDi, BollingerWidth, Highest, Lowest]
)
def test_a_wrong_period_is_refused(kind, period):
    with pytest.raises(ValueError, match=rf"{kind.name}: period must be a whole number of at least \d, got"):
        kind(period)


@pytest.mark.parametrize("kind", [Rsi, Adx, PlusDi, MinusDi])
def test_wilder_needs_two_candles(kind):
    with pytest.raises(ValueError, match="at least 2, got 1"):
        kind(1)


def test_an_unknown_source_is_refused():
    with pytest.raises(
        ValueError, match="ema: source must be one of open, high, low, close, volume, got 'vwap'"
    ):
        Ema(20, source="vwap")


@pytest.mark.parametrize("deviations", [0, -1.0, float("inf"), float("nan")])
def test_a_band_without_width_is_refused(deviations):
    with pytest.raises(ValueError, match="deviations must be a finite number above 0"):
        BollingerWidth(20, deviations)
