"""The simulated view shows closed candles only, of any timeframe, and says when bots start and are called."""

from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core.contract.strategy import Needs, Strategy, Wake
from traderagent_core.data.resampling import resample
from traderagent_core.errors import DataError, PluginError
from traderagent_core.indicators import Atr, Ema, Sma
from traderagent_core.model.candle import Candles
from traderagent_core.simulator.view import SimulatedView

SYMBOL = "AAA/USDT"
HOUR_MS = 3_600_000
QUARTER_MS = 900_000


def view_of(candles: Candles) -> SimulatedView:
    return SimulatedView({candles.symbol: candles})


def strategy_of(needs_: Needs, mask: Any = None) -> Strategy:
    class Made(Strategy):
        @classmethod
        def needs(cls, config: Any) -> Needs:
            return needs_

        @classmethod
        def candidates(cls, config: Any, columns: Any) -> Any:
            return mask(columns)

    return Made(None)


@given(data=st.data())
@settings(deadline=None)
def test_only_what_has_closed_is_seen(kit: Any, data: Any) -> None:
    base = kit.candles(data.draw(st.integers(0, 999)), 80, SYMBOL, "15m")
    timeframe = data.draw(st.sampled_from(["15m", "1h"]))
    view = view_of(base)
    ends = base.open_time + QUARTER_MS
    view.now_ms = data.draw(st.integers(int(ends[0]) - 5, int(ends[-1]) + 5))
    known = base[: int(ends.searchsorted(view.now_ms, side="right"))]
    # What one who knows the past only would build; a window that has not ended has no candle yet.
    higher = resample(known, timeframe, keep_incomplete=True)
    seen = view.candles(SYMBOL, timeframe, 1000)
    is_over = higher.open_time + higher.duration_ms <= view.now_ms
    for name in ("open_time", "open", "high", "low", "close", "volume"):
        assert getattr(seen, name).tolist() == getattr(higher, name)[is_over].tolist()
    last = view.last(SYMBOL, timeframe)
    assert last == (seen.candle(len(seen) - 1) if len(seen) else None)


@given(data=st.data())
@settings(deadline=None)
def test_an_indicator_is_that_of_the_past_alone(kit: Any, data: Any) -> None:
    base = kit.candles(data.draw(st.integers(0, 999)), 60, SYMBOL, "15m")
    indicator = data.draw(st.sampled_from([Ema(5), Sma(3), Atr(4)]))
    view = view_of(base)
    count = data.draw(st.integers(1, 60))
    view.now_ms = int(base.open_time[count - 1]) + QUARTER_MS
    past = view_of(base[:count])
    past.now_ms = view.now_ms
    for timeframe in ("15m", "1h"):
        one, other = view.value(SYMBOL, timeframe, indicator), past.value(SYMBOL, timeframe, indicator)
        assert one == other or (one != one and other != other)


def test_candles_given_to_a_plugin_lead_nowhere(kit: Any) -> None:
    base = kit.candles(1, 50, SYMBOL)
    view = view_of(base)
    view.now_ms = int(base.open_time[9]) + HOUR_MS
    seen = view.candles(SYMBOL, "1h", 3)
    assert seen.open_time.tolist() == base.open_time[7:10].tolist()
    assert all(column.base is None for column in (seen.open_time, seen.open, seen.high, seen.low, seen.close))
    seen.close[:] = 0.0
    assert view.candles(SYMBOL, "1h", 3).close.tolist() == base.close[7:10].tolist()


def test_an_unknown_symbol_is_told_with_those_that_are_there(kit: Any) -> None:
    with pytest.raises(DataError, match=r"no candles of BBB/USDT; there are: AAA/USDT"):
        view_of(kit.candles(1, 5, SYMBOL)).last("BBB/USDT", "1h")


# -- starting and calling -----------------------------------------------------------------------------------


def test_a_bot_starts_at_the_first_close_with_warm_indicators(kit: Any) -> None:
    base = kit.candles(3, 30, SYMBOL)
    closes = base.open_time + HOUR_MS
    schedule = view_of(base).schedule("b", SYMBOL, "1h", strategy_of(Needs(indicators=(Sma(7), Sma(4)))), 0)
    assert schedule.start_ms == closes[6]
    assert schedule.due_ms.tolist() == []


def test_a_bot_starts_no_earlier_than_it_is_told(kit: Any) -> None:
    base = kit.candles(3, 30, SYMBOL)
    closes = base.open_time + HOUR_MS
    asleep = strategy_of(Needs(indicators=(Sma(7),)))
    for told_ms in (int(closes[10]), int(closes[9]) + 1):
        assert view_of(base).schedule("b", SYMBOL, "1h", asleep, told_ms).start_ms == closes[10]


def test_an_exact_start_is_between_closes_and_needs_warm_indicators(kit: Any) -> None:
    base = kit.candles(3, 30, SYMBOL)
    closes = base.open_time + HOUR_MS
    strategy = strategy_of(Needs(indicators=(Sma(7),)))
    at_ms = int(closes[12]) + 5
    assert view_of(base).schedule("b", SYMBOL, "1h", strategy, at_ms, is_exact=True).start_ms == at_ms
    with pytest.raises(DataError, match="cannot start"):
        view_of(base).schedule("b", SYMBOL, "1h", strategy, int(closes[5]), is_exact=True)


@pytest.mark.parametrize(
    ("needs", "start_ms", "words"),
    [
        (
            Needs(indicators=(Sma(31),)),
            0,
            r"30 candles of AAA/USDT 1h are too few for its indicators sma\(31\)",
        ),
        (Needs(), 10**14, "end before the run starts"),
        (Needs(timeframe="1w"), 0, "0 candles of AAA/USDT 1w are too few for a start"),
    ],
)
def test_why_a_bot_cannot_start_is_said(kit: Any, needs: Needs, start_ms: int, words: str) -> None:
    with pytest.raises(DataError, match=f"bot 'b' cannot start: .*{words}"):
        view_of(kit.candles(3, 30, SYMBOL)).schedule("b", SYMBOL, "1h", strategy_of(needs), start_ms)


def test_every_candle_means_every_close_after_the_start(kit: Any) -> None:
    base = kit.candles(3, 30, SYMBOL)
    strategy = strategy_of(Needs(indicators=(Sma(7),), wake=Wake.EVERY_CANDLE))
    view = view_of(base)
    schedule = view.schedule("b", SYMBOL, "1h", strategy, 0)
    assert schedule.due_ms.tolist() == (base.open_time + HOUR_MS)[7:].tolist()
    assert view.is_due("b", int(schedule.due_ms[0]))
    assert not view.is_due("b", int(schedule.due_ms[0]) + 1)
    assert not view.is_due("b", 10**14)


def test_candidates_are_the_marked_closes_of_the_asked_timeframe(kit: Any) -> None:
    base = kit.candles(5, 90, SYMBOL, "15m")
    higher = resample(base, "1h")

    def mask(columns: Any) -> Any:
        assert columns["close"].tolist() == higher.close.tolist()
        assert list(columns) == ["open", "high", "low", "close", "volume", Sma(3).key]
        return columns["close"] > columns[Sma(3).key]

    strategy = strategy_of(Needs(timeframe="1h", indicators=(Sma(3),), wake=Wake.CANDIDATES), mask)
    view = view_of(base)
    schedule = view.schedule("b", SYMBOL, "15m", strategy, 0)
    average = Sma(3).batch(higher)
    closes = higher.open_time + HOUR_MS
    assert (
        schedule.due_ms.tolist() == closes[(higher.close > average) & (closes > schedule.start_ms)].tolist()
    )
    assert [int(time) for time in closes if view.is_due("b", int(time))] == closes[
        higher.close > average
    ].tolist()


@pytest.mark.parametrize(
    ("mask", "found"),
    [
        (lambda columns: np.ones(3, dtype=bool), r"not bool of shape \(3,\)"),
        (lambda columns: columns["close"], r"not float64 of shape \(20,\)"),
        (lambda columns: True, r"not bool of shape \(\)"),
        (lambda columns: np.ones((20, 1), dtype=bool), r"not bool of shape \(20, 1\)"),
    ],
)
def test_a_wrong_mask_is_refused_with_what_was_expected(kit: Any, mask: Any, found: str) -> None:
    strategy = strategy_of(Needs(wake=Wake.CANDIDATES), mask)
    with pytest.raises(DataError, match=f"Made.candidates must return a bool array of 20 rows, {found}"):
        view_of(kit.candles(3, 20, SYMBOL)).schedule("b", SYMBOL, "1h", strategy, 0)


def test_candidates_cannot_change_the_market(kit: Any) -> None:
    base = kit.candles(3, 20, SYMBOL)

    def mask(columns: Any) -> Any:
        columns["close"][:] = 1.0
        return columns["close"] > 0

    with pytest.raises(PluginError, match="read-only"):
        view_of(base).schedule("b", SYMBOL, "1h", strategy_of(Needs(wake=Wake.CANDIDATES), mask), 0)
    assert base.close.flags.writeable


def test_a_series_that_has_the_timeframe_already_is_used_as_it_is(kit: Any) -> None:
    base = kit.candles(3, 20, SYMBOL)
    assert view_of(base).series(SYMBOL, "1h").candles is base
    with pytest.raises(DataError, match="cannot be built"):
        view_of(attrs.evolve(base, timeframe="1h")).series(SYMBOL, "15m")
