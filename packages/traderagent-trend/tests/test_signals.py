"""Entries against a plain loop over the same numbers, and against hand-made candles."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core import Candles
from traderagent_core.indicators import Ema, Highest, Lowest, Rsi, VolumeMean
from traderagent_trend.config import Entry, TrendConfig
from traderagent_trend.signals import MEMORY, entry_marks, indicators

Make = Callable[..., TrendConfig]
Series = Callable[..., Candles]
ALL = ["crossover", "breakout", "pullback"]
BOTH = ["long", "short"]


def columns_of(config: TrendConfig, candles: Candles) -> dict[str, Any]:
    columns = {name: getattr(candles, name) for name in ("open", "high", "low", "close", "volume")}
    return columns | {indicator.key: indicator.batch(candles) for indicator in indicators(config)}


def marks(config: TrendConfig, candles: Candles) -> list[bool]:
    return [bool(mark) for mark in entry_marks(config, columns_of(config, candles))]


def plain_marks(config: TrendConfig, columns: dict[str, Any]) -> list[bool]:
    """The same rules written candle by candle, without mirrors and arrays."""
    return [_is_entry(config, columns, row) for row in range(len(columns["close"]))]


def _is_entry(config: TrendConfig, columns: dict[str, Any], i: int) -> bool:
    fast, slow = columns[Ema(config.ema_fast_period).key], columns[Ema(config.ema_slow_period).key]
    if config.volume_confirmation:
        mean = columns[VolumeMean(config.volume_period).key][i]
        if not columns["volume"][i] >= float(config.volume_ratio) * mean:
            return False
    rsi = columns[Rsi(config.rsi_period).key][i] if config.rsi_confirmation else 50.0
    least, most = float(config.rsi_min), float(config.rsi_max)
    if not config.rsi_confirmation:
        least, most = 0.0, 100.0
    if config.goes_long and fast[i] > slow[i] and least <= rsi <= most:
        return _begins(config, columns, i, sign=1)
    if config.goes_short and fast[i] < slow[i] and 100 - most <= rsi <= 100 - least:
        return _begins(config, columns, i, sign=-1)
    return False


def _begins(config: TrendConfig, columns: dict[str, Any], i: int, *, sign: int) -> bool:
    """`sign` is 1 when rising; all comparisons are then of the numbers, else of their negatives."""
    up, down = ("high", "low") if sign > 0 else ("low", "high")
    fast, slow = columns[Ema(config.ema_fast_period).key], columns[Ema(config.ema_slow_period).key]
    close = columns["close"]
    found = False
    if Entry.CROSSOVER in config.entries and i >= 1:
        found |= bool(sign * fast[i - 1] <= sign * slow[i - 1])
    if Entry.PULLBACK in config.entries and i >= 1:
        found |= bool(
            sign * fast[i - 1] > sign * slow[i - 1]
            and sign * columns[down][i - 1] <= sign * fast[i - 1]
            and sign * close[i - 1] > sign * slow[i - 1]
            and sign * close[i] > sign * fast[i]
            and sign * close[i] > sign * columns[up][i - 1]
        )
    if Entry.BREAKOUT in config.entries:
        found |= _is_beyond(config, columns, i, sign) and not _is_beyond(config, columns, i - 1, sign)
    return found


def _is_beyond(config: TrendConfig, columns: dict[str, Any], i: int, sign: int) -> bool:
    count = config.breakout_candles
    if i < count:
        return False
    before = columns["high" if sign > 0 else "low"][i - count : i]
    return bool(sign * columns["close"][i] > max(sign * before))


@st.composite
def configs(draw: st.DrawFn) -> TrendConfig:
    fast = draw(st.integers(2, 5))
    return TrendConfig.model_validate(
        {
            "directions": draw(st.sampled_from([["long"], ["short"], BOTH])),
            "entries": draw(st.lists(st.sampled_from(ALL), min_size=1, max_size=3, unique=True)),
            "ema_fast_period": fast,
            "ema_slow_period": fast + draw(st.integers(1, 5)),
            "breakout_candles": draw(st.integers(1, 6)),
            "rsi_confirmation": draw(st.booleans()),
            "rsi_period": draw(st.integers(2, 5)),
            "rsi_min": draw(st.integers(0, 50)),
            "rsi_max": draw(st.integers(51, 100)),
            "volume_confirmation": draw(st.booleans()),
            "volume_period": draw(st.integers(2, 5)),
            "volume_ratio": draw(st.sampled_from(["0.5", "1", "1.3"])),
        }
    )


steps = st.lists(
    st.tuples(*(st.integers(0, 3) for _ in range(2)), st.integers(-3, 3), st.integers(0, 4)), max_size=60
)


def series(moves: Sequence[tuple[int, int, int, int]]) -> Candles:
    """Candles on whole prices, so that ties are common: (reach above, reach below, change, volume)."""
    close = 100.0 + np.cumsum([0, *(move[2] for move in moves)])
    start = np.concatenate([close[:1], close[:-1]])
    above, below, volume = (np.array([0, *(move[at] for move in moves)], dtype=float) for at in (0, 1, 3))
    times = np.arange(len(close), dtype=np.int64) * 3_600_000
    high, low = np.maximum(start, close) + above, np.minimum(start, close) - below
    return Candles("BTC/USDT", "1h", times, start, high, low, close, volume)


@settings(max_examples=300, deadline=None)
@given(config=configs(), moves=steps)
def test_the_columns_say_what_a_plain_loop_says(config: TrendConfig, moves: list[Any]) -> None:
    candles = series(moves)
    assert marks(config, candles) == plain_marks(config, columns_of(config, candles))


@settings(max_examples=60, deadline=None)
@given(config=configs(), moves=steps.filter(lambda moves: len(moves) > 15), data=st.data())
def test_a_mark_knows_its_past_only_and_little_of_it(
    config: TrendConfig, moves: list[Any], data: st.DataObject
) -> None:
    columns = columns_of(config, series(moves))
    whole = entry_marks(config, columns)
    end = data.draw(st.integers(MEMORY, len(whole)))
    cut = {key: column[:end] for key, column in columns.items()}
    assert entry_marks(config, cut).tolist() == whole[:end].tolist()
    window = {key: column[end - MEMORY : end] for key, column in columns.items()}
    assert entry_marks(config, window)[-1] == whole[end - 1]


@settings(max_examples=60, deadline=None)
@given(config=configs(), moves=steps)
def test_in_a_mirror_the_other_direction_is_traded(config: TrendConfig, moves: list[Any]) -> None:
    """The columns are mirrored, not the prices, since means of other prices are rounded otherwise."""
    plain = {"rsi_confirmation": False, "volume_confirmation": False, "entries": tuple(Entry)}
    long = config.model_copy(update={**plain, "directions": ("long",)})
    short = config.model_copy(update={**plain, "directions": ("short",)})
    columns = columns_of(long, series(moves))
    mirror = {name: -column for name, column in columns.items()}
    mirror |= {"high": -columns["low"], "low": -columns["high"]}
    mirror[Lowest(config.breakout_candles).key] = -columns[Highest(config.breakout_candles).key]
    assert entry_marks(long, columns).tolist() == entry_marks(short, mirror).tolist()


def test_no_columns_are_changed(config: Make, walk: Series) -> None:
    keys = config(entries=ALL, directions=BOTH, rsi_confirmation=True, volume_confirmation=True)
    columns = columns_of(keys, walk(300, 1))
    for column in columns.values():
        column.setflags(write=False)
    assert entry_marks(keys, columns).any()


def test_only_what_is_used_is_asked_for(config: Make) -> None:
    assert [each.key for each in indicators(config(entries=["pullback"]))] == ["ema(2)", "ema(3)", "atr(1)"]
    keys = config(directions=["short"], rsi_confirmation=True, volume_confirmation=True)
    found = {each.key for each in indicators(keys)}
    assert {"rsi(14)", "volume_mean(20)", Lowest(2).key} <= found
    assert Highest(2).key not in found


def test_a_breakout_is_the_first_close_beyond_the_highs(config: Make, candles: Series) -> None:
    bars = [(100, 100, 100, 100)] * 4 + [(100, 102, 100, 100), (100, 102, 100, 102), (102, 103, 102, 103)]
    # At the sixth candle the close only equals a high; at the seventh it is beyond, at the eighth it still is.
    assert marks(config(), candles([*bars, (103, 105, 103, 105)])) == [False] * 6 + [True, False]


def test_a_pullback_touches_the_fast_mean_holds_the_slow_one_and_turns_up(
    config: Make, candles: Series
) -> None:
    rise = [(price, price + 2.0, price, price + 2.0) for price in range(100, 120, 2)]
    keys = config(entries=["pullback"])
    dip, turn = (120, 120, 118.5, 119.5), (119.5, 121, 119.5, 121)
    assert marks(keys, candles([*rise, dip, turn]))[-2:] == [False, True]
    assert not marks(keys, candles([*rise, dip, (119.5, 120, 119.5, 120)]))[
        -1
    ]  # not above the high of the dip
    assert not marks(keys, candles([*rise, (120.3, 121, 120.3, 120.8), (120.8, 122, 120.8, 122)]))[
        -1
    ]  # no touch
    assert not marks(keys, candles([*rise, (120, 120, 110, 112), (112, 121, 112, 121)]))[
        -1
    ]  # the slow mean broke


def test_a_crossover_is_the_first_candle_of_a_trend(config: Make, candles: Series) -> None:
    fall = [(price, price, price - 2.0, price - 2.0) for price in range(120, 100, -2)]
    rise = [(price, price + 4.0, price, price + 4.0) for price in range(100, 120, 4)]
    found = marks(config(entries=["crossover"]), candles([*fall, *rise]))
    assert found.count(True) == 1
    assert found.index(True) in (10, 11)


@pytest.mark.parametrize(
    ("rsi_min", "rsi_max", "is_entry"), [(0, 100, True), (0, 90, False), (45, 75, False)]
)
def test_an_rsi_outside_its_bounds_is_no_entry(
    config: Make, candles: Series, up: Any, rsi_min: int, rsi_max: int, is_entry: bool
) -> None:
    keys = config(rsi_confirmation=True, rsi_period=2, rsi_min=rsi_min, rsi_max=rsi_max)
    assert marks(keys, candles(up))[-1] is is_entry  # Only gains: the RSI is 100.


@pytest.mark.parametrize(("volume", "is_entry"), [(2.9, False), (3.0, True), (30.0, True)])
def test_a_candle_without_volume_is_no_entry(
    config: Make, candles: Series, up: Any, volume: float, is_entry: bool
) -> None:
    keys = config(volume_confirmation=True, volume_period=2, volume_ratio="1.5")
    # The mean of two candles includes the entry's own: v >= 1.5 × (1 + v) / 2 from v = 3 on.
    assert marks(keys, candles(up, volume=[1, 1, 1, 1, volume]))[-1] is is_entry
