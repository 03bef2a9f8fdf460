"""Values worked out by hand, and bounds that hold in any market."""

import numpy as np
import pytest
from traderagent_core.indicators import Adx, Atr, AtrRatio, BollingerWidth, Ema, MinusDi, PlusDi, Rsi
from traderagent_core.model.candle import Candles


def rows(*candles):
    """Candles from (high, low, close) rows."""
    high, low, close = (np.array(part, dtype=np.float64) for part in zip(*candles, strict=True))
    times = np.arange(len(candles), dtype=np.int64) * 60_000
    return Candles("TEST/USDT", "1m", times, close, high, low, close, np.ones(len(candles)))


def test_ema_starts_from_the_mean_and_moves_by_its_factor():
    values = Ema(3).batch(rows(*((c, c, c) for c in (1.0, 2.0, 6.0, 7.0, 1.0))))
    assert values[2:].tolist() == pytest.approx([3.0, 5.0, 3.0])


def test_rsi_weighs_gains_against_losses():
    values = Rsi(2).batch(rows(*((c, c, c) for c in (10.0, 12.0, 11.0, 11.0, 14.0))))
    # mean gain 1, loss 0.5; both halve; then gain (0.5 + 3) / 2, loss 0.125
    assert values[2:].tolist() == pytest.approx([100 / 1.5, 100 / 1.5, 100 * 1.75 / 1.875])


def test_atr_counts_the_gap_from_the_close_before():
    candles = rows((11.0, 9.0, 10.0), (15.0, 14.0, 14.0), (14.5, 13.5, 14.0), (8.0, 7.0, 8.0))
    assert Atr(2).batch(candles)[2:].tolist() == pytest.approx([3.0, 5.0])
    assert AtrRatio(2).batch(candles)[2:].tolist() == pytest.approx([3.0 / 14.0, 5.0 / 8.0])


def test_only_the_larger_directional_movement_counts():
    candles = rows((10.0, 8.0, 9.0), (12.0, 7.0, 9.0), (12.5, 5.0, 9.0))
    # up 2 beats down 1; then down 2 beats up 0.5. Ranges 5 and 7.5; the older ones halve.
    assert PlusDi(2).batch(candles)[2] == pytest.approx(100 * 1.0 / 10.0)
    assert MinusDi(2).batch(candles)[2] == pytest.approx(100 * 2.0 / 10.0)


def test_equal_movements_up_and_down_count_for_neither():
    candles = rows((10.0, 8.0, 9.0), (11.0, 7.0, 9.0), (13.0, 5.0, 9.0), (14.0, 5.0, 9.0))
    # Smoothed ranges: 4, then 4 / 2 + 8 = 10, then 10 / 2 + 9 = 14.
    for kind, last in ((PlusDi, 100 * 1.0 / 14.0), (MinusDi, 0.0)):
        values = kind(2).batch(candles)
        assert values[2] == 0.0
        assert values[3] == pytest.approx(last)


def test_a_straight_trend_has_the_greatest_adx_and_rsi():
    candles = rows(*((c + 1.0, c - 1.0, c) for c in range(10, 80)))
    assert Adx(5).batch(candles)[9:].tolist() == pytest.approx([100.0] * 61, rel=1e-14)
    assert set(Rsi(5).batch(candles)[5:].tolist()) == {100.0}


def test_adx_is_held_while_nothing_moves_at_all():
    still = [(10.0, 10.0, 10.0)] * 20
    values = Adx(3).batch(rows((10.0, 10.0, 10.0), *still, (12.0, 10.0, 11.0), (13.0, 11.0, 12.0)))
    assert values[20] == 0.0
    assert values[21:].tolist() == pytest.approx([100 / 3, 100 / 3 * 2 / 3 + 100 / 3])


MARKETS = {
    "wild": 10.0 ** np.random.default_rng(1).uniform(-8, 8, 4000),
    "walk": 100 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.01, 4000))),
    "rise": 1.001 ** np.arange(4000.0),
    "fall": 0.999 ** np.arange(4000.0),
}


@pytest.mark.parametrize("market", MARKETS)
def test_oscillators_stay_between_0_and_100(market, candles_of):
    candles = candles_of(MARKETS[market], reach=0.0 if market in {"rise", "fall"} else 0.01)
    for indicator in (Rsi(2), Rsi(14), PlusDi(2), MinusDi(14), Adx(3), Adx(14)):
        values = indicator.batch(candles)[indicator.warm_up :]
        assert values.min() >= 0.0
        assert values.max() <= 100.0


def test_a_zero_price_gives_ratios_of_zero_instead_of_a_warning(candles_of):
    candles = candles_of(np.zeros(100))
    assert set(AtrRatio(14).batch(candles)[14:].tolist()) == {0.0}
    assert set(BollingerWidth(20).batch(candles)[19:].tolist()) == {0.0}
