from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core.data.generate import generate_candles
from traderagent_core.data.resampling import divides, grid_offset_ms, resample, resample_with_counts
from traderagent_core.data.series_reading import read_series
from traderagent_core.errors import DataError
from traderagent_core.model.candle import Candle, Candles
from traderagent_core.model.timeframe import timeframe_ms

Market = Callable[..., Candles]
START_MS = 1_704_067_200_000  # a Monday
MINUTE_MS = 60_000


def one_by_one(candles: Candles, timeframe: str) -> dict[int, Candle]:
    """The plainest way to build candles: each base candle is folded into its window."""
    length, offset = timeframe_ms(timeframe), grid_offset_ms(timeframe)
    built: dict[int, Candle] = {}
    for index in range(len(candles)):
        base = candles.candle(index)
        opened = (base.open_time - offset) // length * length + offset
        higher = built.get(opened)
        if higher is None:
            built[opened] = base._replace(open_time=opened)
            continue
        built[opened] = Candle(
            opened,
            higher.open,
            max(higher.high, base.high),
            min(higher.low, base.low),
            base.close,
            higher.volume + base.volume,
        )
    return built


@given(
    st.sampled_from(["5m", "15m", "1h", "4h", "1d", "1w"]),
    st.lists(st.integers(1, 700), min_size=1, max_size=60),
    st.integers(0, 20_000),
    st.booleans(),
)
def test_equals_folding_candle_by_candle_to_the_last_bit(
    timeframe: str, steps: list[int], shift: int, keep_incomplete: bool
) -> None:
    made = generate_candles(
        symbol="BTC/USDT",
        timeframe="1m",
        rows=len(steps),
        seed=sum(steps),
        start_ms=START_MS + shift * MINUTE_MS,
    )
    times = START_MS + (shift + np.cumsum(steps)) * MINUTE_MS
    columns = (made.open, made.high, made.low, made.close, made.volume)
    candles = Candles("BTC/USDT", "1m", times, *columns)
    expected = one_by_one(candles, timeframe)
    if not keep_incomplete and (times[-1] + MINUTE_MS - grid_offset_ms(timeframe)) % timeframe_ms(timeframe):
        expected.popitem()
    result = resample_with_counts(candles, timeframe, keep_incomplete=keep_incomplete)
    assert [result.candles.candle(n) for n in range(len(result.candles))] == list(expected.values())
    used = (len(result.candles) and result.counts.sum()) or 0
    assert used <= len(candles)
    assert (result.counts >= 1).all()


def test_counts_tell_partial_candles(market: Market) -> None:
    candles = market(timeframe="1m", rows=300)
    holed = Candles(candles.symbol, "1m", *(np.delete(column, range(70, 80)) for column in vars_of(candles)))
    result = resample_with_counts(holed, "1h")
    assert result.counts.tolist() == [60, 50, 60, 60, 60]
    assert (result.partial.tolist(), result.full_count) == ([1], 60)


def vars_of(candles: Candles) -> tuple[np.ndarray, ...]:
    return (candles.open_time, candles.open, candles.high, candles.low, candles.close, candles.volume)


def test_missing_windows_are_not_invented(market: Market) -> None:
    candles = market(timeframe="1m", rows=300)
    holed = Candles(candles.symbol, "1m", *(np.delete(column, range(60, 180)) for column in vars_of(candles)))
    hours = (resample(holed, "1h").open_time - START_MS) // 3_600_000
    assert hours.tolist() == [0, 3, 4]


def test_last_window_is_dropped_until_complete(market: Market) -> None:
    candles = market(timeframe="1m", rows=119)
    assert len(resample(candles, "1h")) == 1
    assert len(resample(candles, "1h", keep_incomplete=True)) == 2
    assert len(resample(candles[:30], "1h")) == 0
    assert resample(candles[:0], "1h").timeframe == "1h"


def test_weeks_start_on_mondays(market: Market) -> None:
    weeks = resample(market(timeframe="1d", rows=30, start_ms=START_MS + 2 * 86_400_000), "1w")
    assert [(int(time) - START_MS) / 86_400_000 for time in weeks.open_time] == [0, 7, 14, 21]


def test_own_timeframe_gives_the_same_candles(market: Market) -> None:
    candles = market()
    result = resample_with_counts(candles, "1h")
    assert result.candles is candles
    assert result.counts.tolist() == [1] * 200


@pytest.mark.parametrize("timeframe", ["90m", "30m", "1m"])
def test_timeframe_that_is_no_multiple_is_refused(market: Market, timeframe: str) -> None:
    with pytest.raises(DataError, match=f"{timeframe} candles of BTC/USDT cannot be built from 1h candles"):
        resample(market(), timeframe)


@pytest.mark.parametrize(
    ("base", "timeframe", "expected"),
    [("1m", "1h", True), ("1d", "1w", True), ("1h", "1h", True), ("1h", "15m", False), ("3d", "1w", False)],
)
def test_divides(base: str, timeframe: str, expected: bool) -> None:
    assert divides(base, timeframe) is expected


@pytest.mark.data
def test_quarters_of_an_hour_give_the_hours_of_the_exchange(real_data: Path) -> None:
    base = read_series(real_data / "bybit_linear_BTC-USDT_15m_20231129-20241231.csv.gz").data
    own = read_series(real_data / "bybit_linear_BTC-USDT_1h_20231129-20241231.csv.gz").data
    assert isinstance(base, Candles)
    assert isinstance(own, Candles)
    built = resample(base, "1h")
    assert len(built) == len(own) == 9_576
    for name in ("open_time", "open", "high", "low", "close"):
        assert (getattr(built, name) == getattr(own, name)).all()
    np.testing.assert_allclose(built.volume, own.volume, rtol=1e-12)
