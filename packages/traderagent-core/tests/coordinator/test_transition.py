"""Transitions of a pair: one owner at most, always an end, halt releases, and any state can be saved."""

import json
from decimal import Decimal

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from traderagent_core.config.coordinator import TransitionConfig
from traderagent_core.coordinator import transition as tr
from traderagent_core.coordinator.deadline import CancelDeadline, SetDeadline
from traderagent_core.coordinator.transition import Outcome, PairState
from traderagent_core.engine.codec import decode, encode
from traderagent_core.model.timeframe import MINUTE_MS, timeframe_ms

TIMEOUT = 7_200_000
KEYS = ("grid", "dca", "trend")


def begun(old: str = "grid", new: str | None = "dca", now_ms: int = 1000) -> PairState:
    state, _ = tr.request(PairState(), old, 0, TIMEOUT)
    return tr.request(state, new, now_ms, TIMEOUT)[0]


def test_a_cold_start_costs_nothing() -> None:
    assert tr.request(PairState(), "grid", 5, TIMEOUT) == (PairState(owner="grid"), (tr.Start("grid"),))


def test_what_is_already_at_work_is_not_started_again() -> None:
    state = PairState(owner="grid")
    assert tr.request(state, "grid", 5, TIMEOUT) == (state, ())
    assert tr.request(PairState(), None, 5, TIMEOUT) == (PairState(), ())


def test_the_old_strategy_lets_go_before_the_new_one_starts() -> None:
    state, actions = tr.request(PairState(owner="grid"), "dca", 1000, TIMEOUT)
    assert actions == (tr.Release("grid"), SetDeadline(1000 + TIMEOUT))
    assert state.is_locked
    assert not any(state.may_add(key) for key in KEYS)
    assert [key for key in KEYS if state.may_reduce(key)] == ["grid"]
    under_way = state.transition
    assert under_way is not None
    state, actions = tr.let_go(state)
    assert state == PairState(owner="dca")
    assert actions == (CancelDeadline(), tr.Ended(under_way, Outcome.WOUND_DOWN), tr.Start("dca"))


def test_a_position_may_be_handed_over() -> None:
    state, actions = tr.handed_over(begun())
    assert state.may_add("dca")
    assert actions[-1] == tr.Start("dca", takes_over=True)


def test_nothing_is_handed_over_to_nobody() -> None:
    state = begun(new=None)
    assert tr.handed_over(state) == (state, ())
    assert tr.let_go(state)[0] == PairState()


def test_past_the_time_out_a_close_is_forced_once() -> None:
    state = begun()
    assert tr.timed_out(state, 1000 + TIMEOUT - 1) == (state, ())
    forced, actions = tr.timed_out(state, 1000 + TIMEOUT)
    assert actions == (tr.ForceClose("grid"),)
    assert tr.timed_out(forced, 2 * TIMEOUT) == (forced, ())
    assert tr.handed_over(forced) == (forced, ())
    state, actions = tr.let_go(forced)
    assert state == PairState(owner="dca")
    assert forced.transition is not None
    assert actions == (tr.Ended(forced.transition, Outcome.FORCED), tr.Start("dca"))


def test_the_request_that_came_last_wins() -> None:
    state = begun()
    for target in ("trend", None, "dca"):
        state, actions = tr.request(state, target, 2000, TIMEOUT)
        assert actions == ()
    assert state.transition is not None
    assert state.transition.deadline_ms == 1000 + TIMEOUT
    assert tr.let_go(state)[1][-1] == tr.Start("dca")


def test_a_route_that_is_asked_for_again_goes_on() -> None:
    state, actions = tr.request(begun(), "grid", 2000, TIMEOUT)
    assert state == PairState(owner="grid")
    assert actions[0] == tr.CancelDeadline()
    assert actions[-1] == tr.Start("grid")


@pytest.mark.parametrize("can_return", [True, False])
def test_a_route_that_is_being_closed_begins_anew_when_it_has_gone(*, can_return: bool) -> None:
    state = tr.timed_out(begun(), 1000 + TIMEOUT)[0] if can_return else begun()
    state, actions = tr.request(state, "grid", 9000, TIMEOUT, can_return=can_return)
    assert actions == ()
    assert tr.let_go(state)[1][-1] == tr.Start("grid")


@pytest.mark.parametrize("state", [begun(), tr.timed_out(begun(), 2 * TIMEOUT)[0]])
def test_a_halt_aborts_and_releases(state: PairState) -> None:
    after, actions = tr.halted(state)
    assert after == PairState()
    assert state.transition is not None
    assert actions[-2:] == (tr.Stop("grid"), tr.Ended(state.transition, Outcome.ABORTED))
    assert tr.let_go(after) == tr.timed_out(after, 9 * TIMEOUT) == tr.halted(after) == (after, ())


def test_a_halt_stops_whoever_is_at_work() -> None:
    assert tr.halted(PairState(owner="grid")) == (PairState(), (tr.Stop("grid"),))


@pytest.mark.parametrize(
    ("hours", "timeframe", "candles"),
    [
        ("2", "1h", 2),
        ("2", "15m", 8),
        ("2", "45m", 3),
        ("2", "4h", 1),
        ("2", "1d", 1),
        ("0.01", "1m", 1),
        ("0.51", "1m", 31),
    ],
)
def test_the_time_out_is_whole_candles_rounded_up(hours: str, timeframe: str, candles: int) -> None:
    config = TransitionConfig(timeout_hours=Decimal(hours))
    candle_ms = timeframe_ms(timeframe)
    assert tr.timeout_candles(config, candle_ms) == candles
    assert tr.timeout_ms(config, candle_ms) == candles * candle_ms


class Pair(RuleBasedStateMachine):
    """An engine that carries out what it is told, a router that changes its mind, crashes and halts."""

    def __init__(self) -> None:
        super().__init__()
        self.state = PairState()
        self.now_ms = 0
        self.running: set[str] = set()
        self.letting_go: str | None = None
        self.deadline_ms: int | None = None
        self.begun = self.ended = 0

    def take(self, step: tr.Step) -> None:
        self.state, actions = step
        for action in actions:
            self.carry_out(action)

    def carry_out(self, action: tr.Action) -> None:
        match action:
            case tr.Start(key):
                assert not self.running
                assert self.letting_go is None
                self.running = {key}
            case tr.Release(key):
                self.running.remove(key)
                self.letting_go = key
                self.begun += 1
            case tr.ForceClose(key):
                assert self.letting_go == key
                self.deadline_ms = None
            case tr.Stop(key):
                assert key in self.running or key == self.letting_go
                self.running.discard(key)
                self.letting_go = None
            case SetDeadline(time_ms):
                assert self.deadline_ms is None
                self.deadline_ms = time_ms
            case CancelDeadline():
                assert self.deadline_ms is not None
                self.deadline_ms = None
            case tr.Ended():
                self.letting_go = None
                self.ended += 1

    @rule(wanted=st.none() | st.sampled_from(KEYS), minutes=st.integers(0, 90))
    def wants(self, wanted: str | None, minutes: int) -> None:
        self.now_ms += minutes * MINUTE_MS
        self.take(tr.request(self.state, wanted, self.now_ms, TIMEOUT))

    @rule()
    def flat(self) -> None:
        self.take(tr.let_go(self.state))

    @precondition(lambda self: self.state.transition and self.state.transition.new)
    @rule()
    def hands_over(self) -> None:
        self.take(tr.handed_over(self.state))

    @rule(minutes=st.integers(0, 200))
    def wakes(self, minutes: int) -> None:
        self.now_ms += minutes * MINUTE_MS
        self.take(tr.timed_out(self.state, self.now_ms))
        if self.deadline_ms is not None:
            assert self.now_ms < self.deadline_ms

    @rule()
    def halt(self) -> None:
        self.take(tr.halted(self.state))
        assert not self.state.is_locked
        assert not self.running
        assert self.deadline_ms is None

    @rule()
    def crash(self) -> None:
        saved = json.loads(json.dumps(encode(self.state)))
        assert decode(saved, {"traderagent_core"}) == self.state
        self.state = decode(saved, {"traderagent_core"})

    @invariant()
    def one_owner_at_most(self) -> None:
        state = self.state
        assert {key for key in KEYS if state.may_add(key)} == self.running
        assert {key for key in KEYS if state.may_reduce(key)} == self.running | (
            {self.letting_go} if self.letting_go else set()
        )
        assert len(self.running) + (self.letting_go is not None) <= 1

    @invariant()
    def every_transition_ends_and_only_one_is_under_way(self) -> None:
        assert self.begun - self.ended == (1 if self.state.is_locked else 0)

    @invariant()
    def an_end_is_always_near(self) -> None:
        """Whatever has happened: past the deadline and flat, the pair is not locked."""
        state, _ = tr.timed_out(self.state, self.now_ms + 2 * TIMEOUT)
        assert not tr.let_go(state)[0].is_locked


TestPair = Pair.TestCase
