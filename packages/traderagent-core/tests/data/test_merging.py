from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core.data.columns import Columns
from traderagent_core.data.merging import Merged, first_merge, merge

Bars = dict[int, float]

bars = st.dictionaries(st.integers(0, 30), st.sampled_from([1.0, 2.0, 3.0]), min_size=1)


def columns(values: Bars) -> Columns:
    times = sorted(values)
    return {"time_ms": np.array(times, dtype=np.int64), "rate": np.array([values[time] for time in times])}


def merged(
    stored: Bars, incoming: Bars, obtained: Sequence[int] = (1, 2), *, keep_old: bool = False
) -> Merged:
    source = np.zeros(len(stored), dtype=np.int32)
    return merge(columns(stored), source, columns(incoming), obtained, keep_old=keep_old)


def as_bars(result: Merged) -> Bars:
    return dict(zip(result.columns["time_ms"].tolist(), result.columns["rate"].tolist(), strict=True))


@given(bars, bars)
def test_later_download_stands_and_nothing_else_is_lost(stored: Bars, incoming: Bars) -> None:
    result = merged(stored, incoming)
    assert as_bars(result) == stored | incoming
    assert (np.diff(result.columns["time_ms"]) > 0).all()
    assert result.added == len(incoming.keys() - stored.keys())


@given(bars, bars)
def test_keeping_old_only_adds(stored: Bars, incoming: Bars) -> None:
    assert as_bars(merged(stored, incoming, keep_old=True)) == incoming | stored


@given(bars, bars)
def test_download_known_to_be_earlier_only_adds(stored: Bars, incoming: Bars) -> None:
    assert as_bars(merged(stored, incoming, (5, 4))) == incoming | stored


@given(bars, bars, st.booleans())
def test_every_difference_is_restated_with_both_values(stored: Bars, incoming: Bars, keep_old: bool) -> None:
    result = merged(stored, incoming, keep_old=keep_old)
    found = {bar.time_ms: (bar.old[0], bar.new[0]) for bar in result.restated}
    both = stored.keys() & incoming.keys()
    assert found == {time: (stored[time], incoming[time]) for time in both if stored[time] != incoming[time]}
    assert {bar.is_replaced for bar in result.restated} <= {not keep_old}


@given(bars, bars)
def test_source_tells_where_each_bar_comes_from(stored: Bars, incoming: Bars) -> None:
    result = merged(stored, incoming)
    for time, source in zip(result.columns["time_ms"].tolist(), result.source.tolist(), strict=True):
        is_new = time not in stored or (time in incoming and incoming[time] != stored[time])
        assert source == int(is_new)


@given(bars)
def test_same_bars_again_change_nothing(values: Bars) -> None:
    again = merged(values, values)
    assert not again.has_changed
    assert as_bars(again) == as_bars(first_merge(columns(values)))
