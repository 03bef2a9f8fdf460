"""The emergency halt: three stages in order, a latch that recovery does not open, and any state can be saved."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core.coordinator import halt
from traderagent_core.coordinator.deadline import CancelDeadline, SetDeadline
from traderagent_core.coordinator.halt import HaltState, Stage
from traderagent_core.engine.codec import decode, encode

TIMEOUT = 30_000


def in_stage(stage: Stage | None) -> HaltState:
    state = HaltState()
    if stage is None:
        return state
    state, _ = halt.triggered(state, "drawdown", 1000, TIMEOUT)
    if stage is Stage.FREEZE:
        return state
    state, _ = halt.frozen_all(state)
    return state if stage is Stage.CLOSE else halt.closed(state)[0]


def test_it_freezes_closes_tells_and_waits() -> None:
    state, actions = halt.triggered(HaltState(), "drawdown 0.16", 1000, TIMEOUT)
    assert state.is_halted
    assert actions == (halt.Freeze(), SetDeadline(31_000))
    state, actions = halt.frozen_all(state)
    assert actions == (CancelDeadline(), halt.ClosePositions())
    state, actions = halt.closed(state)
    assert (state.stage, state.since_ms) == (Stage.AWAIT_ACK, 1000)
    assert actions == (halt.TellOperator("drawdown 0.16"),)
    assert halt.acknowledged(state) == (HaltState(), (halt.Resume(),))


@pytest.mark.parametrize("stage", Stage)
def test_it_begins_once_and_recovery_does_not_end_it(stage: Stage) -> None:
    state = in_stage(stage)
    assert halt.triggered(state, "again", 9000, TIMEOUT) == (state, ())


@pytest.mark.parametrize("stage", [None, Stage.FREEZE, Stage.CLOSE])
def test_what_is_not_over_cannot_be_acknowledged(stage: Stage | None) -> None:
    state = in_stage(stage)
    assert halt.acknowledged(state) == (state, (halt.RefuseAcknowledgement(stage),))


def test_closing_does_not_wait_for_a_venue_that_does_not_answer() -> None:
    state = in_stage(Stage.FREEZE)
    assert halt.timed_out(state, 30_999) == (state, ())
    state, actions = halt.timed_out(state, 31_000)
    assert (state.stage, actions) == (Stage.CLOSE, (halt.ClosePositions(),))


def test_a_late_fill_is_closed_too_and_the_operator_told_again() -> None:
    state, actions = halt.exposed(in_stage(Stage.AWAIT_ACK))
    assert (state.stage, actions) == (Stage.CLOSE, (halt.ClosePositions(),))
    assert halt.closed(state)[1] == (halt.TellOperator("drawdown"),)


EVENTS = {
    "triggered": lambda state: halt.triggered(state, "x", 5, TIMEOUT),
    "frozen": halt.frozen_all,
    "early": lambda state: halt.timed_out(state, 6),
    "late": lambda state: halt.timed_out(state, 10**9),
    "closed": halt.closed,
    "exposed": halt.exposed,
    "acknowledged": halt.acknowledged,
}
NEXT = {
    (None, "triggered"): Stage.FREEZE,
    (Stage.FREEZE, "frozen"): Stage.CLOSE,
    (Stage.FREEZE, "late"): Stage.CLOSE,
    (Stage.CLOSE, "closed"): Stage.AWAIT_ACK,
    (Stage.AWAIT_ACK, "exposed"): Stage.CLOSE,
    (Stage.AWAIT_ACK, "acknowledged"): None,
}


@given(st.lists(st.sampled_from(sorted(EVENTS)), max_size=40))
def test_whatever_happens_only_these_steps_are_taken(events: list[str]) -> None:
    state = HaltState()
    for event in events:
        before = state.stage
        state, actions = EVENTS[event](state)
        assert state.stage is NEXT.get((before, event), before)
        assert bool(actions) == ((before, event) in NEXT or event == "acknowledged")
        assert decode(json.loads(json.dumps(encode(state))), {"traderagent_core"}) == state
