"""When a close leaves a band of equity: the same as walking every close of every market."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core.coordinator.guards import EquityBand
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument
from traderagent_core.simulator import joint_closes
from traderagent_core.simulator.bands import BandExits
from traderagent_core.simulator.cursor import Cursor
from traderagent_core.simulator.scan import BlockScan
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.path import PathPolicy

HOUR_MS = 3_600_000
AFTER_MS = 3 * HOUR_MS
END_MS = 1 << 60
D = Decimal


@st.composite
def markets(draw: Any) -> dict[str, Candles]:
    """One to three markets with holes and whole prices; each has closed a candle by hour 3."""
    found = {}
    for symbol in ("A/Q", "B/Q", "C/Q")[: draw(st.integers(1, 3))]:
        hours = sorted({draw(st.integers(0, 2)), *draw(st.sets(st.integers(3, 60), max_size=30))})
        close = np.array([float(draw(st.integers(90, 110))) for _ in hours])
        times = np.array(hours, dtype=np.int64) * HOUR_MS
        found[symbol] = Candles(symbol, "1h", times, close, close, close, close, np.ones(len(hours)))
    return found


@st.composite
def band(draw: Any, symbols: Sequence[str]) -> EquityBand:
    """A band around what the positions are worth at a price of 100."""
    chosen = draw(st.lists(st.sampled_from(symbols), unique=True))
    held = {symbol: D(draw(st.sampled_from([-2, -1, 1, 3]))) / 2 for symbol in chosen}
    middle = D(1000)
    floor = draw(st.one_of(st.none(), st.integers(0, 12).map(lambda below: middle - below)))
    ceiling = draw(st.one_of(st.none(), st.integers(0, 12).map(lambda above: middle + above)))
    return EquityBand(middle - sum(held.values(), D(0)) * 100, held, floor, ceiling)


def slowly(candles: dict[str, Candles], found: Sequence[EquityBand]) -> int | None:
    closes = {int(time) + HOUR_MS for series in candles.values() for time in series.open_time}
    for close_ms in sorted(close_ms for close_ms in closes if close_ms > AFTER_MS):
        for each in found:
            equity = each.base
            for symbol, quantity in each.quantities.items():
                series = candles[symbol]
                last = max(i for i, time in enumerate(series.open_time) if int(time) + HOUR_MS <= close_ms)
                equity += quantity * D(int(series.close[last]))
            if each.floor is not None and equity <= each.floor:
                return close_ms
            if each.ceiling is not None and equity >= each.ceiling:
                return close_ms
    return None


def exits(candles: dict[str, Candles]) -> BandExits:
    exchange = SimulatedExchange([Instrument(symbol) for symbol in candles], balance=D(1000))
    finders = {symbol: BlockScan(series) for symbol, series in candles.items()}
    cursors = {
        symbol: Cursor(exchange.markets[symbol], exchange, series, PathPolicy.DEFAULT, finders[symbol])
        for symbol, series in candles.items()
    }
    return BandExits(cursors, finders)


def next_exit(candles: dict[str, Candles], found: Sequence[EquityBand]) -> int | None:
    return exits(candles).next(lambda: found, AFTER_MS, END_MS)


@given(data=st.data())
@settings(deadline=None, max_examples=300)
def test_the_next_exit_is_that_of_a_loop_over_all_closes(data: Any) -> None:
    candles = data.draw(markets())
    found = [data.draw(band(list(candles))) for _ in range(data.draw(st.integers(0, 3)))]
    assert next_exit(candles, found) == slowly(candles, found)


@given(data=st.data())
@settings(deadline=None, max_examples=100)
def test_an_exit_by_a_time_is_found_and_a_later_one_is_no_other(data: Any) -> None:
    candles = data.draw(markets())
    found = [data.draw(band(list(candles))) for _ in range(data.draw(st.integers(0, 3)))]
    slow, quick = slowly(candles, found), exits(candles)
    for until in data.draw(st.lists(st.integers(0, 70), min_size=1, max_size=5)):
        until_ms = AFTER_MS + until * HOUR_MS // 2
        exit_ms = quick.next(lambda: found, AFTER_MS, until_ms)
        if slow is not None and slow <= until_ms:
            assert exit_ms == slow
        else:
            assert exit_ms in (None, slow)


@given(data=st.data())
@settings(deadline=None, max_examples=100)
def test_looking_in_small_chunks_changes_nothing(data: Any) -> None:
    candles = data.draw(markets())
    found = [data.draw(band(list(candles)))]
    usual = joint_closes.BLOCK, joint_closes.FIRST_LOOK
    joint_closes.BLOCK, joint_closes.FIRST_LOOK = 5, 2
    try:
        assert next_exit(candles, found) == slowly(candles, found)
    finally:
        joint_closes.BLOCK, joint_closes.FIRST_LOOK = usual
