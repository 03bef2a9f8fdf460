"""Regimes of a whole history: the states that stepping gives, wherever it starts and however it is cut."""

from math import nan

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core.config.coordinator import RegimeConfig
from traderagent_core.coordinator.regime import RegimeClassifier, RegimeState
from traderagent_core.coordinator.regime_timeline import RegimeColumns, classify_columns
from traderagent_core.model.regime import TRENDS, Regime

ADX = (10.0, 17.99, 18.0, 20.0, 22.0, 25.0, 28.0, 30.0, 32.0, 32.01, 60.0)
ATR = (0.005, 0.009, 0.0095, 0.01, 0.0105, 0.011, 0.018, 0.019, 0.02, 0.021, 0.022, 0.05)
RULES = RegimeClassifier(RegimeConfig())

closes = st.tuples(
    st.sampled_from((*ADX, nan)),
    st.sampled_from((*ATR, nan)),
    st.sampled_from((1.0, 2.0)),
    st.sampled_from((1.0, 2.0)),
)
stretches = st.lists(st.tuples(closes, st.integers(1, 6)), max_size=60).map(
    lambda parts: [close for close, times in parts for _ in range(times)]
)
regimes = st.sampled_from(list(Regime))


@st.composite
def states(draw: st.DrawFn) -> RegimeState:
    regime = draw(st.none() | regimes)
    if regime is None:
        return RegimeState(last_trend=draw(st.sampled_from(sorted(TRENDS))))
    candidate = draw(st.none() | regimes.filter(lambda other: other is not regime))
    count = draw(st.integers(1, 4)) if candidate else 0
    last = regime if regime in TRENDS else draw(st.sampled_from(sorted(TRENDS)))
    return RegimeState(regime, candidate, count, last)


def columns(rows: list[tuple[float, float, float, float]]) -> RegimeColumns:
    return RegimeColumns(*np.array(rows, dtype=np.float64).reshape(-1, 4).T)


def stepped(rules: RegimeClassifier, rows, state: RegimeState) -> list[RegimeState]:
    found = []
    for row in rows:
        state = rules.classify(state, *row)
        found.append(state)
    return found


@settings(max_examples=400)
@given(stretches, states(), st.integers(1, 5))
def test_columns_give_what_stepping_gives(rows, state, confirmations) -> None:
    rules = RegimeClassifier(RegimeConfig(confirmations=confirmations))
    timeline = classify_columns(rules, columns(rows), state)
    expected = stepped(rules, rows, state)
    assert len(timeline) == len(rows)
    assert timeline.state(-1) == state
    assert [timeline.state(close) for close in range(len(rows))] == expected
    before = [state, *expected][:-1]
    assert timeline.changes() == [
        (close, new.regime)
        for close, (old, new) in enumerate(zip(before, expected, strict=True))
        if old.regime is not new.regime
    ]


@settings(max_examples=100)
@given(stretches, states(), st.data())
def test_a_history_may_be_cut_anywhere(rows, state, data) -> None:
    cut = data.draw(st.integers(0, len(rows)))
    head = classify_columns(RULES, columns(rows[:cut]), state)
    tail = classify_columns(RULES, columns(rows[cut:]), head.state(cut - 1))
    whole = classify_columns(RULES, columns(rows), state)
    assert tail.state(len(rows) - cut - 1) == whole.state(len(rows) - 1)


def test_a_long_wandering_history() -> None:
    """Numbers that drift as indicators do, with hundreds of changes."""
    random = np.random.default_rng(7)
    rows = 20_000
    drift = np.cumsum(random.normal(0, 1, (4, rows)), axis=1)
    adx = 25 + 14 * np.sin(drift[0] / 9)
    atr = 0.015 + 0.012 * np.sin(drift[1] / 12)
    numbers = RegimeColumns(adx, atr, np.round(drift[2]), np.zeros(rows))
    timeline = classify_columns(RULES, numbers)
    state = RegimeState()
    for close in range(rows):
        state = RULES.classify(state, *numbers.row(close))
        assert timeline.state(close) == state
    assert len(timeline.changes()) > 300
