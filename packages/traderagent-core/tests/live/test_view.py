"""The live view, candle by candle, shows what the simulated view shows of the same past."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core.contract.strategy import Needs, Strategy, Wake
from traderagent_core.errors import DataError
from traderagent_core.indicators import Adx, Atr, BollingerWidth, Ema, Rsi, Sma
from traderagent_core.live import series as series_module
from traderagent_core.live.boundaries import Boundaries
from traderagent_core.live.view import LiveView
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.simulator.view import SimulatedView
from traderagent_core.testing import market

INDICATORS = (Ema(9), Sma(5), Rsi(14), Atr(7), Adx(5), BollingerWidth(10))
TIMEFRAMES = ("5m", "15m", "1h")


class Crossing(Strategy):
    """Called where the close has crossed its mean."""

    @classmethod
    def needs(cls, config: object) -> Needs:
        return Needs(indicators=INDICATORS, look_back=2, wake=Wake.CANDIDATES)

    @classmethod
    def candidates(cls, config: object, columns: object) -> object:
        close, mean = columns["close"], columns[Sma(5).key]  # type: ignore[index]
        is_above = close > mean
        crossed = np.zeros(len(close), dtype=bool)
        crossed[1:] = is_above[1:] != is_above[:-1]
        return crossed


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(["ranging", "rising", "crash", "gappy"]),
    st.integers(1, 5),
    st.sampled_from(TIMEFRAMES),
    st.integers(0, 11),
)
def test_values_candles_and_wakes_are_those_of_the_simulated_view(
    name: str, seed: int, timeframe: str, offset: int
) -> None:
    candles = market(name, timeframe="5m", rows=400, seed=seed)[offset:]
    symbol, strategy = candles.symbol, Crossing(None)
    simulated, live = SimulatedView({symbol: candles}), LiveView([symbol], "5m")
    simulated.schedule("bot", symbol, timeframe, strategy, 0)
    live.listen("bot", symbol, timeframe, strategy)
    boundaries = Boundaries(live, (symbol,), candles.duration_ms, 0)
    closes = {int(open_ms) + candles.duration_ms for open_ms in candles.open_time}
    ends = {(close // (length := timeframe_ms(timeframe)) + 1) * length for close in closes}
    for now_ms in sorted(closes | {end for end in ends if end < max(closes)}):
        row = int(candles.open_time.searchsorted(now_ms - candles.duration_ms))
        if row < len(candles) and int(candles.open_time[row]) + candles.duration_ms == now_ms:
            boundaries.add(symbol, candles.candle(row))
        list(boundaries.late(now_ms))
        simulated.now_ms = now_ms
        assert live.last(symbol, timeframe) == simulated.last(symbol, timeframe)
        assert live.is_due("bot", now_ms) == simulated.is_due("bot", now_ms)
        for indicator in INDICATORS:
            values = live.value(symbol, timeframe, indicator), simulated.value(symbol, timeframe, indicator)
            assert np.array_equal(values[:1], values[1:], equal_nan=True), (indicator.key, now_ms)
    mine, theirs = live.candles(symbol, timeframe, 7), simulated.candles(symbol, timeframe, 7)
    for column in ("open_time", "open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(mine, column), getattr(theirs, column))


def test_what_is_kept_is_bounded_and_indicators_remember(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_module, "KEPT", 50)
    candles = market("ranging", timeframe="5m", rows=400)
    view = LiveView([candles.symbol], "5m")
    series = view.series(candles.symbol, "5m")
    series.declare(Ema(9))
    for row in range(len(candles)):
        view.learn_candle(candles.symbol, candles.candle(row))
        assert len(series.rows()) < 55
    assert series.value(Ema(9)) == Ema(9).batch(candles)[-1]


def test_an_old_candle_changes_nothing() -> None:
    candles = market("ranging", timeframe="5m", rows=10)
    view = LiveView([candles.symbol], "5m")
    assert view.learn_candle(candles.symbol, candles.candle(5))
    assert not view.learn_candle(candles.symbol, candles.candle(5))
    assert not view.learn_candle(candles.symbol, candles.candle(4))
    assert len(view.series(candles.symbol, "5m").rows()) == 1


def test_a_timeframe_that_cannot_be_built_is_refused_as_in_the_simulated_view() -> None:
    candles = market("ranging", rows=50)
    simulated, live = SimulatedView({candles.symbol: candles}), LiveView([candles.symbol], "1h")
    told = []
    for view in (simulated, live):
        with pytest.raises(DataError) as refused:
            view.candles(candles.symbol, "15m", 5)
        told.append(str(refused.value))
    assert told[0] == told[1]
