"""Regimes close by close: the table's conditions, hysteresis around them, confirmation, ties and warm-up."""

import json
from math import nan, nextafter

import pytest
from attrs import evolve
from pydantic import ValidationError
from traderagent_core.config.coordinator import RegimeConfig
from traderagent_core.coordinator.regime import RegimeClassifier, RegimeState
from traderagent_core.engine.codec import decode, encode
from traderagent_core.indicators import Adx, AtrRatio, Ema
from traderagent_core.model.regime import Regime

TIGHT, WIDE = Regime.TIGHT_RANGE, Regime.WIDE_RANGE
QUIET, VOLATILE = Regime.QUIET_TRANSITION, Regime.VOLATILE_TRANSITION
BULL, BEAR = Regime.BULL_TREND, Regime.BEAR_TREND
UP, DOWN, EQUAL = (2.0, 1.0), (1.0, 2.0), (1.0, 1.0)
RULES = RegimeClassifier(RegimeConfig())


def word(regime: Regime | None, adx: float, atr_ratio: float = 0.005, means=UP, last_trend=BULL) -> Regime:
    state = RegimeState(regime, last_trend=last_trend)
    return RULES.word(state, adx, atr_ratio, *means)


def after(state: RegimeState, *adx: float, atr_ratio: float = 0.005, means=UP) -> RegimeState:
    for each in adx:
        state = RULES.classify(state, each, atr_ratio, *means)
    return state


@pytest.mark.parametrize(
    ("adx", "atr_ratio", "means", "expected"),
    [
        (17.99, 0.0099, UP, TIGHT),
        (17.99, 0.01, UP, WIDE),
        (18.0, 0.005, UP, QUIET),
        (20.0, 0.0199, DOWN, QUIET),
        (22.0, 0.02, UP, VOLATILE),
        (32.0, 0.005, UP, QUIET),
        (32.0, 0.02, DOWN, VOLATILE),
        (nextafter(32.0, 99), 0.005, UP, BULL),
        (50.0, 0.03, DOWN, BEAR),
        (50.0, 0.03, EQUAL, BULL),
    ],
)
def test_a_cold_start_takes_the_tables_word_at_once(adx, atr_ratio, means, expected) -> None:
    state = after(RegimeState(), adx, atr_ratio=atr_ratio, means=means)
    assert (state.regime, state.candidate, state.count) == (expected, None, 0)


@pytest.mark.parametrize("regime", [TIGHT, WIDE])
def test_a_range_stays_one_below_22(regime) -> None:
    assert word(regime, nextafter(22.0, 0)) in (TIGHT, WIDE)
    assert word(regime, 22.0) is QUIET


@pytest.mark.parametrize("regime", [QUIET, VOLATILE, BULL, BEAR])
def test_nothing_else_becomes_a_range_from_18_on(regime) -> None:
    assert word(regime, 18.0) is QUIET
    assert word(regime, nextafter(18.0, 0)) is TIGHT


@pytest.mark.parametrize("regime", [BULL, BEAR])
def test_a_trend_is_left_below_28_and_entered_above_32(regime) -> None:
    assert word(regime, 28.0, means=DOWN) is BEAR
    assert word(regime, nextafter(28.0, 0)) is QUIET
    for other in (TIGHT, QUIET, VOLATILE):
        assert word(other, 32.0) is QUIET


@pytest.mark.parametrize(
    ("regime", "adx", "bound", "below", "above"),
    [
        (TIGHT, 10.0, 0.011, TIGHT, WIDE),
        (WIDE, 10.0, 0.009, TIGHT, WIDE),
        (QUIET, 10.0, 0.01, TIGHT, WIDE),
        (QUIET, 30.0, 0.022, QUIET, VOLATILE),
        (VOLATILE, 30.0, 0.018, QUIET, VOLATILE),
        (TIGHT, 30.0, 0.02, QUIET, VOLATILE),
    ],
)
def test_bounds_of_atr_lie_a_tenth_further_from_the_confirmed_regime(
    regime, adx, bound, below, above
) -> None:
    assert word(regime, adx, nextafter(bound, 0)) is below
    assert word(regime, adx, bound) is above


def test_equal_means_keep_the_last_trend() -> None:
    bear = after(RegimeState(), 40, means=DOWN)
    assert bear.last_trend is BEAR
    quiet = after(bear, 25, 25, 25)
    assert (quiet.regime, quiet.last_trend) == (QUIET, BEAR)
    assert after(quiet, 40, 40, 40, means=EQUAL).regime is BEAR
    assert after(RegimeState(QUIET), 40, 40, 40, means=EQUAL).regime is BULL


def test_a_change_needs_three_closes_in_a_row() -> None:
    state = after(RegimeState(), 10)
    two = after(state, 25, 25)
    assert (two.regime, two.candidate, two.count) == (TIGHT, QUIET, 2)
    assert after(two, 25) == RegimeState(QUIET)
    assert after(two, 10) == state
    assert after(two, 10, 25, 25).regime is TIGHT


def test_the_count_begins_anew_with_another_candidate() -> None:
    state = after(RegimeState(), 10, 25, 25, 40)
    assert (state.regime, state.candidate, state.count) == (TIGHT, BULL, 1)
    assert after(state, 25, 25).candidate is QUIET
    assert after(state, 40, 40).regime is BULL


def test_thresholds_belong_to_the_confirmed_regime_not_to_the_candidate() -> None:
    """A waiting trend is asked for more than 32 until it is confirmed."""
    waiting = after(RegimeState(), 25, 40, 40)
    assert (waiting.candidate, waiting.count) == (BULL, 2)
    assert after(waiting, 30) == RegimeState(QUIET)


def test_a_close_without_numbers_changes_nothing() -> None:
    start = after(RegimeState(), 10, 25, 25)
    numbers = (40.0, 0.03, 2.0, 1.0)
    for lacking in range(4):
        known = [nan if place == lacking else value for place, value in enumerate(numbers)]
        assert RULES.classify(RegimeState(), *known) == RegimeState()
        assert RULES.classify(start, *known) == start


def test_confirmations_and_thresholds_are_the_configurations() -> None:
    rules = RegimeClassifier(RegimeConfig(confirmations=1, range_adx=10, transition_adx=10, adx_period=7))
    assert rules.classify(RegimeState(TIGHT), 10, 0.005, 2, 1).regime is QUIET
    assert rules.indicators == (Adx(7), AtrRatio(14), Ema(20), Ema(50))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"transition_adx": 17}, "expected transition_adx 17 to be at least range_adx 18"),
        ({"trend_exit_adx": 21}, "expected trend_exit_adx 21 to be at least transition_adx 22"),
        ({"trend_adx": "27.5"}, "expected trend_adx 27.5 to be at least trend_exit_adx 28"),
        ({"range_adx": 25}, "expected transition_adx 22 to be at least range_adx 25"),
        ({"wide_atr_ratio": "0.03"}, "expected volatile_atr_ratio 0.02 to be at least wide_atr_ratio 0.03"),
        ({"ema_fast_period": 50}, "expected ema_slow_period 50 to be more than ema_fast_period 50"),
    ],
)
def test_thresholds_in_the_wrong_order_are_named_with_their_values(changes, words) -> None:
    with pytest.raises(ValidationError, match=words):
        RegimeConfig(**changes)


def test_sideways_of_former_versions_is_a_range_by_its_atr() -> None:
    assert RULES.named("SIDEWAYS", 0.0099) is TIGHT
    assert RULES.named("SIDEWAYS", 0.01) is WIDE
    assert RULES.named("SIDEWAYS", nan) is None
    assert RULES.named("BEAR_TREND", nan) is BEAR
    with pytest.raises(ValueError):
        RULES.named("FLAT", 0.01)


def test_a_state_can_be_saved() -> None:
    state = evolve(after(RegimeState(), 40, means=DOWN), candidate=WIDE, count=2)
    assert decode(json.loads(json.dumps(encode(state))), {"traderagent_core"}) == state
