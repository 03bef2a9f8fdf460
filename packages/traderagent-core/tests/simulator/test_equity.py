"""The equity curve equals a plain loop over closes, to the last bit that floats allow."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core.model.candle import Candles
from traderagent_core.simulator.equity import MoneySteps, equity_curve

HOUR_MS = 3_600_000
D = Decimal
BALANCE = D(1000)


def make_candles(symbol: str, rows: list[tuple[int, float]]) -> Candles:
    """Hourly candles at hours, with closes; the other prices are those closes too."""
    times = np.array([hour * HOUR_MS for hour, _ in rows], dtype=np.int64)
    close = np.array([price for _, price in rows])
    return Candles(symbol, "1h", times, close, close, close, close, np.ones(len(rows)))


@st.composite
def markets(draw: Any) -> dict[str, Candles]:
    """One to three markets with holes; all have their first candle before hour 5."""
    found = {}
    for symbol in "ABC"[: draw(st.integers(1, 3))]:
        hours = {draw(st.integers(0, 4)), *draw(st.sets(st.integers(5, 40), max_size=25))}
        rows = [(hour, draw(st.integers(1, 400)) / 4) for hour in sorted(hours)]
        found[symbol] = make_candles(symbol, rows)
    return found


@st.composite
def moves(draw: Any, symbols: list[str]) -> list[tuple[Any, ...]]:
    """Fills and payments from hour 6 on, when every market has closed a candle; in order of time."""
    times = sorted(draw(st.lists(st.integers(6 * HOUR_MS, 42 * HOUR_MS), max_size=15)))
    found: list[tuple[Any, ...]] = []
    for time_ms in times:
        time_ms = draw(st.sampled_from([time_ms, time_ms // HOUR_MS * HOUR_MS]))
        if draw(st.booleans()):
            signed = D(draw(st.integers(-20, 20))) / 10
            found.append(
                (time_ms, draw(st.sampled_from(symbols)), signed, D(draw(st.integers(1, 100))), D("0.013"))
            )
        else:
            found.append((time_ms, D(draw(st.integers(-50, 50))) / 7))
    return sorted(found, key=lambda move: move[0])


def slowly(
    candles: dict[str, Candles], moved: list[tuple[Any, ...]], start_ms: int
) -> list[tuple[int, D, D]]:
    """Time, equity and value of positions at every close, by looking at everything anew each time."""
    closes = {int(time) + HOUR_MS for series in candles.values() for time in series.open_time}
    found = []
    for close_ms in sorted(close_ms for close_ms in closes if close_ms >= start_ms):
        money, held = BALANCE, dict.fromkeys(candles, D(0))
        for move in moved:
            if move[0] <= close_ms and len(move) == 2:
                money += move[1]
            elif move[0] <= close_ms:
                money -= move[2] * move[3] + move[4]
                held[move[1]] += move[2]
        gross = D(0)
        for symbol, quantity in held.items():
            series = candles[symbol]
            past = [i for i, time in enumerate(series.open_time) if int(time) + HOUR_MS <= close_ms]
            value = quantity * D(repr(float(series.close[past[-1]]))) if past else D(0)
            money += value
            gross += abs(value)
        found.append((close_ms, money, gross))
    return found


@given(data=st.data())
@settings(deadline=None)
def test_the_curve_equals_a_loop_over_closes(data: Any) -> None:
    candles = data.draw(markets())
    moved = data.draw(moves(list(candles)))
    start_ms = data.draw(st.integers(0, 30)) * HOUR_MS
    money = MoneySteps(BALANCE)
    for move in moved:
        if len(move) == 2:
            money.pay(*move)
        else:
            time_ms, symbol, signed, price, fee = move
            money.fill(time_ms, symbol, signed, -signed * price - fee)
    curve = equity_curve(money, candles, start_ms)
    expected = slowly(candles, moved, start_ms)
    assert curve.time_ms.tolist() == [row[0] for row in expected]
    assert curve.equity.tolist() == pytest.approx([float(row[1]) for row in expected], abs=1e-9)
    shares = [float(row[2] / row[1]) if row[1] > 0 else None for row in expected]
    for found, share in zip(curve.exposure.tolist(), shares, strict=True):
        if share is not None:
            assert found == pytest.approx(share, abs=1e-9)


def test_money_that_moves_at_a_close_is_in_that_close() -> None:
    candles = make_candles("A", [(0, 10.0), (1, 11.0), (2, 12.0)])
    money = MoneySteps(BALANCE)
    money.fill(2 * HOUR_MS, "A", D(5), D("-50.5"))
    money.pay(3 * HOUR_MS, D("-0.25"))
    curve = equity_curve(money, {"A": candles}, 0)
    assert curve.equity.tolist() == [1000.0, 1004.5, 1009.25]


def test_a_market_without_a_new_candle_keeps_its_last_close() -> None:
    candles = {"A": make_candles("A", [(0, 10.0), (5, 20.0)]), "B": make_candles("B", [(0, 1.0), (3, 1.0)])}
    money = MoneySteps(BALANCE)
    money.fill(HOUR_MS, "A", D(1), D(-10))
    curve = equity_curve(money, candles, 0)
    assert curve.time_ms.tolist() == [HOUR_MS, 4 * HOUR_MS, 6 * HOUR_MS]
    assert curve.equity.tolist() == [1000.0, 1000.0, 1010.0]


def test_tiny_moves_are_summed_exactly() -> None:
    candles = make_candles("A", [(0, 1.0), (1, 1.0)])
    money = MoneySteps(D(10) ** 12)
    for _ in range(1000):
        money.pay(HOUR_MS, D("0.0001"))
    assert equity_curve(money, {"A": candles}, 0).equity.tolist() == [1e12 + 0.1] * 2
