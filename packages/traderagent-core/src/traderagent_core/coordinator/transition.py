"""How one strategy takes over a pair from another: a lock with one owner at most, a time-out, and an end.

    nobody ──request──► owned ──request of another──► draining ──handed over──► owned by the new one
                                                         │ ├──────let go──────► owned by the new one
                                                         │ ├─timed out─► forced ──let go──► owned by the new one
                                                         │ ├──request of the old one──► owned by it as before
                                                         └──────halted─────────► nobody

While a transition is under way the pair is locked: the old strategy may only reduce, and nobody may add. Routes are
named by their keys. Functions take a state and what happened, and return the next state and what is to be done about
it; a thing that happens too late, such as a time-out after the end, changes nothing.
"""

from enum import StrEnum

from attrs import evolve, frozen

from traderagent_core.config.coordinator import TransitionConfig
from traderagent_core.coordinator.deadline import CancelDeadline, SetDeadline
from traderagent_core.model.timeframe import HOUR_MS


class Outcome(StrEnum):
    """How a transition ended."""

    HANDED_OVER = "handed over"
    RETURNED = "returned"
    WOUND_DOWN = "wound down"
    FORCED = "forced"
    ABORTED = "aborted"


@frozen
class Transition:
    """A change that is under way. `new` is what was asked for last; None leaves the pair to nobody."""

    old: str
    new: str | None
    since_ms: int
    deadline_ms: int
    is_forced: bool = False


@frozen
class PairState:
    """Who may add to a pair, or which transition holds its lock; never both. Nobody and nothing at the start."""

    owner: str | None = None
    transition: Transition | None = None

    @property
    def is_locked(self) -> bool:
        """Whether a transition is under way."""
        return self.transition is not None

    def may_add(self, key: str) -> bool:
        """Whether this route may increase exposure."""
        return self.owner == key

    def may_reduce(self, key: str) -> bool:
        """Whether this route still looks after a position."""
        return key == (self.owner if self.transition is None else self.transition.old)


@frozen
class Start:
    """Start a route; `takes_over` when it gets the position of the old one."""

    key: str
    takes_over: bool = False


@frozen
class Release:
    """Withdraw what adds, and ask the strategy what becomes of its position: keep, wind down, or hand over."""

    key: str


@frozen
class ForceClose:
    """Close the position at the market, in simulations with the slippage of a forced close."""

    key: str


@frozen
class Stop:
    """Stop a route without asking it."""

    key: str


@frozen
class Ended:
    """A transition is over; for records and statistics."""

    transition: Transition
    outcome: Outcome


Action = Start | Release | ForceClose | Stop | SetDeadline | CancelDeadline | Ended
Step = tuple[PairState, tuple[Action, ...]]


def timeout_candles(config: TransitionConfig, candle_ms: int) -> int:
    """The time-out in candles: rounded up, at least one."""
    whole, rest = divmod(config.timeout_hours * HOUR_MS, candle_ms)
    return max(int(whole) + (1 if rest else 0), 1)


def timeout_ms(config: TransitionConfig, candle_ms: int) -> int:
    """The time-out as it is timed: whole candles, so that it ends at a close."""
    return timeout_candles(config, candle_ms) * candle_ms


def request(
    state: PairState, target: str | None, now_ms: int, timeout: int, *, can_return: bool = True
) -> Step:
    """The router wants a route, or None for nothing; `timeout` in ms.

    A pair of nobody is taken at once, without a transition and its cost. While a transition is under way the request
    that came last wins. If it asks for the route that is letting go, that one goes on with what it still holds. When
    it cannot (`can_return`), as its position is being closed, it is started anew once nothing is left.
    """
    begun = state.transition
    if begun is not None and target == begun.old and can_return and not begun.is_forced:
        return _ended(evolve(begun, new=target), Outcome.RETURNED)
    if begun is not None:
        return PairState(transition=evolve(begun, new=target)), ()
    if state.owner == target:
        return state, ()
    if state.owner is None:
        return _given_to(target)
    begun = Transition(state.owner, target, now_ms, now_ms + timeout)
    return PairState(transition=begun), (Release(begun.old), SetDeadline(begun.deadline_ms))


def handed_over(state: PairState) -> Step:
    """The position of the old strategy belongs to the new one now; too late once a close is forced."""
    begun = state.transition
    if begun is None or begun.is_forced or begun.new is None:
        return state, ()
    return _ended(begun, Outcome.HANDED_OVER)


def let_go(state: PairState) -> Step:
    """The old strategy has no position and no orders any more."""
    begun = state.transition
    if begun is None:
        return state, ()
    return _ended(begun, Outcome.FORCED if begun.is_forced else Outcome.WOUND_DOWN)


def timed_out(state: PairState, now_ms: int) -> Step:
    """The deadline has passed: what is still held is closed."""
    begun = state.transition
    if begun is None or begun.is_forced or now_ms < begun.deadline_ms:
        return state, ()
    return PairState(transition=evolve(begun, is_forced=True)), (ForceClose(begun.old),)


def halted(state: PairState) -> Step:
    """An emergency halt: the lock is released, and the pair begins anew when the halt is over."""
    begun = state.transition
    if begun is not None:
        cancel = () if begun.is_forced else (CancelDeadline(),)
        return PairState(), (*cancel, Stop(begun.old), Ended(begun, Outcome.ABORTED))
    if state.owner is not None:
        return PairState(), (Stop(state.owner),)
    return state, ()


def _ended(begun: Transition, outcome: Outcome) -> Step:
    state, start = _given_to(begun.new, takes_over=outcome is Outcome.HANDED_OVER)
    cancel = () if begun.is_forced else (CancelDeadline(),)
    return state, (*cancel, Ended(begun, outcome), *start)


def _given_to(target: str | None, *, takes_over: bool = False) -> Step:
    if target is None:
        return PairState(), ()
    return PairState(owner=target), (Start(target, takes_over),)
