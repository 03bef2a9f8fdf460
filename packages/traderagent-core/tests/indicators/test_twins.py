"""`update` and `batch` are one calculation: same values and same state, to the last bit."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
    base,
)
from traderagent_core.model.candle import Candles

INDICATORS = [
    *(
        kind(period)
        for kind in (Ema, Sma, Atr, AtrRatio, Highest, Lowest, VolumeMean)
        for period in (1, 2, 14, 200)
    ),
    *(kind(period) for kind in (Rsi, Adx, PlusDi, MinusDi) for period in (2, 3, 14, 90)),
    *(
        kind(period)
        for kind in (BollingerWidth, BollingerUpper, BollingerLower)
        for period in (1, 2, 20, 150)
    ),
]
by_indicator = pytest.mark.parametrize("indicator", INDICATORS, ids=lambda indicator: indicator.key)


def piece(kind: str, length: int, seed: int, price: float) -> np.ndarray:
    """Closes of one mood of the market, from a price on."""
    random = np.random.default_rng(seed)
    if kind == "frozen":
        return np.full(length, price)
    if kind == "ramp":
        return price * (1 + 0.001 * np.arange(length))
    if kind == "wild":
        return price * 10.0 ** random.uniform(-8, 8, length)
    return price * np.exp(np.cumsum(random.normal(0, 0.01, length)))


pieces = st.tuples(
    st.sampled_from(["frozen", "walk", "ramp", "wild"]),
    st.sampled_from([1, 2, 13, 60, 300, 700]),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1e-120, 1e-8, 0.37, 65_000.0, 1e12, 1e120]) | st.floats(1e-6, 1e6),
)


@st.composite
def markets(draw) -> Candles:
    """Up to some thousand candles: moods of the market joined by gaps of any magnitude."""
    parts = draw(st.lists(pieces, min_size=1, max_size=4))
    close = np.concatenate([piece(*part) for part in parts])
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    reach = draw(st.sampled_from([0.0, 0.005, 0.9]))
    opened = np.concatenate([close[:1], close[:-1]]) if draw(st.booleans()) else close
    high = np.maximum(opened, close) * (1 + reach * random.random(len(close)))
    low = np.minimum(opened, close) * (1 - reach * random.random(len(close)))
    if draw(st.booleans()):
        # Few ticks a candle, so that equal moves up and down happen.
        high, low = np.ceil(high) + random.integers(0, 3, len(close)), np.floor(low)
    volume = random.random(len(close)) * random.integers(0, 2, len(close))
    times = np.arange(len(close), dtype=np.int64) * 60_000
    return Candles("TEST/USDT", "1m", times, opened, high, low, close, volume)


def one_by_one(running, candles) -> np.ndarray:
    return np.array([running.update(candles.candle(i)) for i in range(len(candles))])


def assert_same_bits(left: np.ndarray, right: np.ndarray) -> None:
    assert left.dtype == right.dtype == np.float64
    assert len(left) == len(right)
    known = ~np.isnan(left)
    assert np.array_equal(known, ~np.isnan(right))
    differ = np.flatnonzero(left[known].view(np.int64) != right[known].view(np.int64))
    assert not len(differ), (
        f"first difference at {differ[0]}: {left[known][differ[0]]!r} {right[known][differ[0]]!r}"
    )


@by_indicator
@settings(max_examples=25, deadline=None)
@given(candles=markets())
def test_batch_equals_update_to_the_last_bit(indicator, candles):
    slow, quick = indicator.start(), indicator.start()
    assert_same_bits(quick.batch(candles), one_by_one(slow, candles))
    assert quick.snapshot() == slow.snapshot()


@by_indicator
@settings(max_examples=15, deadline=None)
@given(candles=markets(), data=st.data())
def test_bursts_and_single_candles_mix_freely(indicator, candles, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(candles)), max_size=6)))
    running, parts = indicator.start(), []
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(candles)], strict=True)):
        part = candles[start:end]
        parts.append(running.batch(part) if number % 3 != 1 else one_by_one(running, part))
    assert_same_bits(np.concatenate(parts), indicator.batch(candles))


@by_indicator
@settings(max_examples=15, deadline=None)
@given(candles=markets(), data=st.data())
def test_a_restored_state_goes_on_to_the_last_bit(indicator, candles, data):
    cut = data.draw(st.integers(0, len(candles)))
    first = indicator.start()
    first.batch(candles[:cut])
    state = first.snapshot()
    assert np.isfinite(state.values).all()
    one, other = indicator.start(), indicator.start()
    one.restore(state)
    other.restore(state)
    assert one.snapshot() == state
    expected = indicator.batch(candles)[cut:]
    assert_same_bits(one_by_one(one, candles[cut:]), expected)
    assert_same_bits(other.batch(candles[cut:]), expected)


@by_indicator
def test_the_size_of_the_parts_does_not_matter(indicator, walk):
    candles = walk(1500)
    with patch.object(base, "CHUNK", 7):
        small = indicator.batch(candles)
    assert_same_bits(small, indicator.batch(candles))


@by_indicator
def test_a_snapshot_stays_as_it_was_taken(indicator, walk):
    candles = walk(700)
    running = indicator.start()
    running.batch(candles[:350])
    state = running.snapshot()
    kept = (state.key, tuple(state.values))
    running.batch(candles[350:])
    assert (state.key, state.values) == kept


@by_indicator
def test_the_state_is_bounded_by_the_period(indicator, walk):
    running = indicator.start()
    running.batch(walk(5000))
    assert len(running.snapshot().values) <= 2 * indicator.period + 25


@by_indicator
def test_no_candles_change_nothing(indicator, walk):
    candles = walk(30)
    running = indicator.start()
    assert len(running.batch(candles[:0])) == 0
    running.batch(candles)
    before = running.snapshot()
    assert len(running.batch(candles[:0])) == 0
    assert running.snapshot() == before


@by_indicator
def test_read_only_mapped_columns_give_plain_arrays(indicator, walk, tmp_path):
    candles = walk(300)
    columns = []
    for name in ("open", "high", "low", "close", "volume"):
        np.save(tmp_path / f"{name}.npy", getattr(candles, name))
        columns.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
    mapped = Candles(candles.symbol, candles.timeframe, candles.open_time, *columns)
    values = indicator.batch(mapped)
    assert type(values) is np.ndarray
    assert_same_bits(values, indicator.batch(candles))


@by_indicator
def test_the_columns_are_left_alone(indicator, walk):
    candles = walk(300)
    copies = [getattr(candles, name).copy() for name in ("open", "high", "low", "close", "volume")]
    indicator.batch(candles)
    for name, copy in zip(("open", "high", "low", "close", "volume"), copies, strict=True):
        assert np.array_equal(getattr(candles, name), copy)


def test_a_state_of_another_declaration_is_refused():
    with pytest.raises(ValueError, match=r"cannot restore ema\(20\) from a snapshot of ema\(50\)"):
        Ema(20).start().restore(Ema(50).start().snapshot())
