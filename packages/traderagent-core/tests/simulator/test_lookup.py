"""Counting steps from a near index finds what a search finds, with and without holes between the times."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core.simulator.lookup import last_at

STEP_MS = 60_000


@given(
    places=st.sets(st.integers(0, 40), max_size=30),
    time_ms=st.integers(-2 * STEP_MS, 43 * STEP_MS) | st.integers(-2, 43).map(lambda step: step * STEP_MS),
    near=st.integers(-2, 42),
)
def test_the_last_time_is_found_from_any_index(places: set[int], time_ms: int, near: int) -> None:
    times = np.array(sorted(places), dtype=np.int64) * STEP_MS
    expected = sum(place * STEP_MS <= time_ms for place in places) - 1
    assert last_at(times, time_ms, STEP_MS, near) == expected
