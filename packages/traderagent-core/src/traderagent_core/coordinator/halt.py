"""The emergency halt of an account: a latch with three stages, which only an operator opens again.

    none ──triggered──► FREEZE ──frozen, or timed out──► CLOSE ──closed──► AWAIT_ACK ──acknowledged──► none
                                                           ▲                   │
                                                           └──────exposed──────┘

Recovery of equity opens nothing. Functions take a state and what happened, and return the next state and what is to
be done about it; a thing that happens in another stage changes nothing.
"""

from enum import StrEnum

from attrs import evolve, frozen

from traderagent_core.coordinator.deadline import CancelDeadline, SetDeadline


class Stage(StrEnum):
    """How far a halt has come."""

    FREEZE = "FREEZE"
    CLOSE = "CLOSE"
    AWAIT_ACK = "AWAIT_ACK"


@frozen
class HaltState:
    """`stage` is None while there is no halt; the rest tells when and why the present one began."""

    stage: Stage | None = None
    reason: str = ""
    since_ms: int = 0
    deadline_ms: int = 0

    @property
    def is_halted(self) -> bool:
        """Whether nothing may add to exposure."""
        return self.stage is not None


@frozen
class Freeze:
    """Refuse all that adds, cancel what would add, and abort every transition."""


@frozen
class ClosePositions:
    """Close everything that is held at the market, until `closed` can be said."""


@frozen
class TellOperator:
    """Tell the operator that all is closed, and why; an acknowledgement is awaited."""

    reason: str


@frozen
class RefuseAcknowledgement:
    """The operator cannot acknowledge what is not over yet; None when there is no halt."""

    stage: Stage | None


@frozen
class Resume:
    """The halt is over: peak equity counts anew from now, or the same drawdown would halt again at once."""


Action = (
    Freeze | SetDeadline | CancelDeadline | ClosePositions | TellOperator | RefuseAcknowledgement | Resume
)
Step = tuple[HaltState, tuple[Action, ...]]


def triggered(state: HaltState, reason: str, now_ms: int, freeze_timeout_ms: int) -> Step:
    """The drawdown is too deep, or an operator says so; a halt that is on stays what it is."""
    if state.stage is not None:
        return state, ()
    deadline_ms = now_ms + freeze_timeout_ms
    return HaltState(Stage.FREEZE, reason, now_ms, deadline_ms), (Freeze(), SetDeadline(deadline_ms))


def frozen_all(state: HaltState) -> Step:
    """The venue has confirmed that no order that adds is open any more."""
    if state.stage is not Stage.FREEZE:
        return state, ()
    return evolve(state, stage=Stage.CLOSE), (CancelDeadline(), ClosePositions())


def timed_out(state: HaltState, now_ms: int) -> Step:
    """The venue has not confirmed in time: closing does not wait for it."""
    if state.stage is not Stage.FREEZE or now_ms < state.deadline_ms:
        return state, ()
    return evolve(state, stage=Stage.CLOSE), (ClosePositions(),)


def closed(state: HaltState) -> Step:
    """Nothing is held and no order is open any more."""
    if state.stage is not Stage.CLOSE:
        return state, ()
    return evolve(state, stage=Stage.AWAIT_ACK), (TellOperator(state.reason),)


def exposed(state: HaltState) -> Step:
    """Something is held again while the operator is awaited, such as a fill that came late: it is closed too."""
    if state.stage is not Stage.AWAIT_ACK:
        return state, ()
    return evolve(state, stage=Stage.CLOSE), (ClosePositions(),)


def acknowledged(state: HaltState) -> Step:
    """The operator has seen it."""
    if state.stage is not Stage.AWAIT_ACK:
        return state, (RefuseAcknowledgement(state.stage),)
    return HaltState(), (Resume(),)
