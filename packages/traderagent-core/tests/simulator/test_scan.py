"""The block scan finds what a plain loop finds, around the bounds of its near look and its blocks."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core.model.candle import Candles
from traderagent_core.simulator.scan import BLOCK, CLOSE, NEAR, BlockScan

EDGES = sorted(
    {edge + shift for edge in (1, NEAR, BLOCK, BLOCK + NEAR, 2 * BLOCK) for shift in (-1, 0, 1)} - {0}
)
MANY = settings(max_examples=200, deadline=None)


def series(close: Any, spread: Any) -> Candles:
    close = np.asarray(close, dtype=float)
    times = np.arange(len(close), dtype=np.int64) * 60_000
    ones = np.ones(len(close))
    return Candles("AAA/USDT", "1m", times, close, close + spread, close - spread, close, ones)


def plain_touch(candles: Candles, first: int, up: float, down: float) -> int:
    for index in range(first, len(candles)):
        if candles.high[index] >= up or candles.low[index] <= down:
            return index
    return -1


def plain_close(candles: Candles, first: int, floor: float, ceiling: float) -> int:
    for index in range(first, len(candles)):
        if candles.close[index] <= floor or candles.close[index] >= ceiling:
            return index
    return -1


@given(
    size=st.sampled_from([*EDGES, 3 * BLOCK + 7]),
    first=st.integers(0, 900),
    spikes=st.lists(st.tuples(st.integers(0, 900), st.integers(-50, 50)), max_size=4),
    levels=st.tuples(st.integers(95, 151), st.integers(49, 105)),
    seed=st.integers(0, 5),
)
@MANY
def test_the_scan_finds_what_a_loop_finds(size: int, first: int, spikes: Any, levels: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    close = 100.0 + rng.integers(-2, 3, size)
    for place, height in spikes:
        close[place % size] = 100 + height
    candles = series(close, rng.integers(0, 2, size))
    scan, (up, down) = BlockScan(candles), levels
    assert scan.next_touch(first, up, down) == plain_touch(candles, first, up, down)
    assert scan.next_close(first, down, up) == plain_close(candles, first, down, up)


@given(
    gaps=st.lists(st.integers(0, 3 * CLOSE), min_size=1, max_size=40),
    starts=st.lists(st.integers(0, 4 * CLOSE), max_size=12),
)
@MANY
def test_touches_one_after_the_other_are_those_of_a_loop(gaps: list[int], starts: list[int]) -> None:
    """Close together and far apart in turns, asked for in order, from the same candle again and from earlier ones."""
    close = np.full(sum(gaps) + len(gaps), 100.0)
    close[np.cumsum(gaps) + np.arange(len(gaps))] = np.where(np.arange(len(gaps)) % 2, 90.0, 110.0)
    candles = series(close, 0)
    scan, first = BlockScan(candles), 0
    while first >= 0:
        found = scan.next_touch(first, 110.0, 90.0)
        assert found == plain_touch(candles, first, 110.0, 90.0) == scan.next_touch(first, 110.0, 90.0)
        first = found + 1 if found >= 0 else -1
    for first in starts:
        assert scan.next_touch(first, 110.0, 95.0) == plain_touch(candles, first, 110.0, 95.0)


@pytest.mark.parametrize("size", EDGES)
@pytest.mark.parametrize("first", [0, 1, NEAR - 1, NEAR, BLOCK - 1, BLOCK])
def test_the_last_candle_is_not_missed(size: int, first: int) -> None:
    close = np.full(size, 100.0)
    close[-1] = 200.0
    scan = BlockScan(series(close, 0.0))
    expected = size - 1 if first < size else -1
    assert scan.next_touch(first, 200.0, -np.inf) == expected
    assert scan.next_close(first, -np.inf, 200.0) == expected
    assert scan.next_touch(first, np.inf, -np.inf) == -1


def test_widening_steps_over_many_blocks_miss_nothing() -> None:
    close = np.full(BLOCK * 400, 100.0)
    for place in (BLOCK * 66 + 3, BLOCK * 67, BLOCK * 330 - 1, BLOCK * 399 + 255):
        close[place] = 50.0
        assert BlockScan(series(close, 0.0)).next_touch(5, np.inf, 60.0) == place
        close[place] = 100.0


def test_a_series_without_candles_has_nothing_to_find() -> None:
    scan = BlockScan(series([], 0.0))
    assert scan.next_touch(0, -np.inf, np.inf) == -1
    assert scan.next_close(0, np.inf, -np.inf) == -1


def test_a_series_that_cannot_be_written_is_scanned_too() -> None:
    close = np.linspace(90, 110, 300)
    close.flags.writeable = False
    assert BlockScan(series(close, 0.0)).next_touch(0, 110.0, -np.inf) == 299
