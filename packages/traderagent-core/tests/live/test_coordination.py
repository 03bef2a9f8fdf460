"""Regimes and stress, told close by close, are those that the simulator finds in whole columns."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core.config.coordinator import CorrelationConfig, RegimeConfig
from traderagent_core.coordinator.regime import RegimeClassifier
from traderagent_core.live.view import LiveView
from traderagent_core.model.candle import Candles
from traderagent_core.simulator.regimes import regime_history
from traderagent_core.simulator.stress import stress_history
from traderagent_core.simulator.view import SimulatedView
from traderagent_core.testing.markets import changing_market

SYMBOLS = ("BTC/USDT", "ETH/USDT", "ADA/USDT")
QUICK = RegimeConfig(
    regime_timeframe="2h", adx_period=4, atr_period=4, ema_fast_period=4, ema_slow_period=9, confirmations=2
)
LOOSE = CorrelationConfig(window=12, least_overlap_ratio="0.5", high_correlation="0.2", stressed_ratio="0.4")


def with_gaps(candles: Candles, seed: int) -> Candles:
    """About one candle in twelve is missing."""
    rows = np.flatnonzero(np.random.default_rng(seed).random(len(candles)) > 0.08)
    names = ("open_time", "open", "high", "low", "close", "volume")
    return Candles(candles.symbol, candles.timeframe, *(getattr(candles, name)[rows] for name in names))


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 50))
def test_regimes_and_stress_are_those_of_the_simulator(seed: int) -> None:
    candles = {
        symbol: with_gaps(changing_market(symbol, 20, seed + place), seed + place)
        for place, symbol in enumerate(SYMBOLS)
    }
    simulated, live = SimulatedView(candles), LiveView(SYMBOLS, "1h")
    classifier = RegimeClassifier(QUICK)
    for symbol in SYMBOLS:
        simulated.regimes[symbol] = regime_history(simulated, symbol, classifier)
        live.classify(symbol, classifier)
    simulated.stress = stress_history(simulated, SYMBOLS, LOOSE, 0)
    live.correlate(SYMBOLS, LOOSE)
    assert len(simulated.stress.time_column) > 5
    assert min(len(history.times) for history in simulated.regimes.values()) > 3
    told = sorted(
        (series.open_time.item(row) + series.duration_ms, symbol, row)
        for symbol, series in candles.items()
        for row in range(len(series))
    )
    for place, (close_ms, symbol, row) in enumerate(told):
        live.learn_candle(symbol, candles[symbol].candle(row))
        if place + 1 < len(told) and told[place + 1][0] == close_ms:
            continue
        live.close_windows(close_ms)
        simulated.now_ms = close_ms
        assert live.is_stressed() == simulated.is_stressed()
        assert [live.regime(each) for each in SYMBOLS] == [simulated.regime(each) for each in SYMBOLS]


def test_a_candle_that_comes_late_counts_from_then_on() -> None:
    """What is said hangs on the candles that are there, not on when somebody asked."""
    candles = {symbol: changing_market(symbol, 20, 3 + place) for place, symbol in enumerate(SYMBOLS)}
    asked, unasked = LiveView(SYMBOLS, "1h"), LiveView(SYMBOLS, "1h")
    for view in (asked, unasked):
        view.correlate(SYMBOLS, LOOSE)
    words = set()
    for row in range(len(candles[SYMBOLS[0]])):
        for symbol in SYMBOLS:
            for view in (asked, unasked):
                view.learn_candle(symbol, candles[symbol].candle(row))
            words.add(asked.is_stressed())
        if row % 7 == 0:
            assert asked.is_stressed() is unasked.is_stressed()
    assert words == {True, False}
