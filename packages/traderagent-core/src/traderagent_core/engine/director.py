"""Chooses by regime which strategy trades on a pair, and lets one take over from another.

Of all strategies of a pair at most one, the owner, may add to a position. When the regime leads to another one, the
pair is locked: the old strategy withdraws what adds, keeps what closes, and is given a time; past it, what is left is
closed at the market. Only when nothing of it is left does the next one begin. Or it hands what it holds over to the
next one, which begins with it.
"""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import Factory, define, frozen

from traderagent_core.account import reasons
from traderagent_core.contract.strategy import Release
from traderagent_core.coordinator import transition as steps
from traderagent_core.coordinator.deadline import CancelDeadline, SetDeadline
from traderagent_core.engine.releasing import asked_to_release, let_go
from traderagent_core.engine.setup import PairSetup
from traderagent_core.engine.standing import Standing
from traderagent_core.model.command import CancelTimer
from traderagent_core.model.regime import Regime
from traderagent_core.model.regime_reading import RegimeReading

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

OWNER, LEAVING, IDLE = Standing.OWNER, Standing.LEAVING, Standing.IDLE
TRANSITION_TIMER = "~transition"
NOBODY = ""


@frozen
class Beginning:
    """What a strategy was worth without its funding when it began to let go, at the price of then (`mark`), and its
    fees until then."""

    mark: Decimal
    value: Decimal
    fees: Decimal


@define(eq=False)
class PairMemory:
    """Where a pair stands: what is saved of it. `regime` is the one that was acted on last."""

    state: steps.PairState = Factory(steps.PairState)
    regime: Regime | None = None
    beginning: Beginning | None = None


@define(eq=False)
class Pair:
    """A pair and the strategies that may trade on it.

    `holder` is the owner, or the strategy that lets go; NOBODY when there is neither.
    """

    setup: PairSetup
    members: "dict[str, Member]"
    memory: PairMemory
    holder: str = NOBODY

    def note_standings(self) -> None:
        """Let every strategy know what it may do."""
        state = self.memory.state
        self.holder = (state.owner if state.transition is None else state.transition.old) or NOBODY
        standing = LEAVING if state.is_locked else OWNER
        for name, member in self.members.items():
            member.standing = standing if name == self.holder else IDLE


class Director:
    """Decides who owns each pair; `moving` are those on which a transition is under way."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self.pairs: dict[str, Pair] = {}
        self.moving: dict[str, Pair] = {}
        self._pair_of: dict[str, Pair] = {}
        self._others: dict[str, tuple[Member, ...]] = {}
        for setup in engine.setup.pairs:
            members = {name: engine.members[name] for name in setup.members}
            pair = self.pairs[setup.bot] = Pair(setup, members, PairMemory())
            pair.note_standings()
            self._pair_of.update(dict.fromkeys(members, pair))
            for name in members:
                self._others[name] = tuple(each for each in members.values() if each.name != name)
        self._doers: dict[type, Callable[[Pair, Any], None]] = {
            steps.Start: self._start,
            steps.Release: self._release,
            steps.ForceClose: self._force_close,
            steps.Stop: self._stop,
            steps.Ended: self._ended,
            SetDeadline: self._set_deadline,
            CancelDeadline: self._cancel_deadline,
        }

    def members_of(self, bot: str) -> "Collection[Member]":
        """The strategies of a bot; raises KeyError for a bot that does not exist."""
        if bot == "*":
            return self._engine.members.values()
        pair = self.pairs.get(bot)
        return (self._engine.members[bot],) if pair is None else pair.members.values()

    def pair_of(self, member: "Member") -> Pair | None:
        """The pair on which a strategy takes turns with others; None for a bot of one strategy."""
        return self._pair_of.get(member.name)

    def others(self, member: "Member") -> "tuple[Member, ...]":
        """The other strategies of a strategy's pair."""
        return self._others.get(member.name, ())

    def restore(self, memories: Mapping[str, PairMemory]) -> None:
        """Take back what was saved of every pair."""
        self.moving.clear()
        for bot, pair in self.pairs.items():
            pair.memory = memories[bot]
            pair.note_standings()
            if pair.memory.state.is_locked:
                self.moving[bot] = pair

    # -- regimes --------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Act on regimes that have changed; in a halt they are told, and acted on once it is over."""
        regime = self._engine.view.regime
        for pair in self.pairs.values():
            reading = regime(pair.setup.symbol)
            if reading is not None and reading.regime is not pair.memory.regime:
                self._regime_changed(pair, reading)

    def _regime_changed(self, pair: Pair, reading: RegimeReading) -> None:
        if not all(member.is_started for member in pair.members.values()):
            return
        setup, old = pair.setup, pair.memory.regime
        pair.memory.regime = reading.regime
        names = ("" if old is None else old.value, reading.regime.value)
        self._engine.record("regime_changed", setup.bot, setup.symbol, *names, reading.evidence)
        if not self._engine.halting.is_on:
            self._lead(pair, reading.regime)

    def lead_anew(self) -> None:
        """Routes may be others than before, or a halt is over: have every pair go where its regime leads now."""
        for pair in self.pairs.values():
            if pair.memory.regime is not None:
                self._lead(pair, pair.memory.regime)

    def _lead(self, pair: Pair, regime: Regime) -> None:
        setup, target = pair.setup, self._target(pair, regime)
        if target is None:
            self._engine.record("noted", setup.bot, reasons.NO_ROUTE, f"regime={regime.value}")
        can_return = not (pair.holder and pair.members[pair.holder].exit_reason)
        now_ms, timeout_ms = self._engine.now_ms, setup.timeout_ms
        self._follow(
            pair, steps.request(pair.memory.state, target, now_ms, timeout_ms, can_return=can_return)
        )

    def _target(self, pair: Pair, regime: Regime) -> str | None:
        names = pair.setup.routes[regime]
        return next((name for name in names if not pair.members[name].is_quarantined), None)

    # -- transitions ----------------------------------------------------------------------------------------

    def _follow(self, pair: Pair, step: steps.Step) -> None:
        """Take the next state of a pair and do what is to be done about it."""
        old, setup = pair.holder, pair.setup
        pair.memory.state, actions = step
        pair.note_standings()
        if pair.memory.state.is_locked:
            self.moving[setup.bot] = pair
        else:
            self.moving.pop(setup.bot, None)
        self._engine.refresh_restriction()
        if pair.holder != old:
            self._engine.record("owner_changed", setup.bot, setup.symbol, old, pair.holder)
        for action in actions:
            self._doers[type(action)](pair, action)

    def advance(self, symbol: str = "") -> None:
        """After an event: end the transitions whose old strategy has nothing left, or whose position can move.

        A fill says nothing about other symbols than its own; without one all are looked at.
        """
        is_due = self._engine.handing.is_due
        for pair in list(self.moving.values()):
            if symbol and pair.setup.symbol != symbol:
                continue
            old = pair.members[pair.holder]
            if is_due(old):
                self._hand_over(pair, *self._sides(pair))
            elif self._is_gone(old):
                self._engine.caller.run()  # The old strategy hears of its end before the new one begins.
                self._follow(pair, steps.let_go(pair.memory.state))
        if self._engine.caller.waiting:
            self._engine.caller.run()

    def _sides(self, pair: Pair) -> "tuple[Member, Member | None]":
        """Who lets go of a pair, and who comes after it."""
        transition = pair.memory.state.transition
        assert transition is not None
        return pair.members[transition.old], pair.members.get(transition.new or NOBODY)

    def _hand_over(self, pair: Pair, old: "Member", heir: "Member | None") -> None:
        quantity, price = old.ledger.quantity, old.ledger.average_price
        if not self._engine.handing.hand_over(old, heir):
            return
        beginning = pair.memory.beginning
        assert beginning is not None
        # What it was on paper at the beginning; it is not a cost to hand it over.
        moved = quantity * (beginning.mark - price)
        pair.memory.beginning = Beginning(beginning.mark, beginning.value - moved, beginning.fees)
        self._engine.caller.run()  # The old strategy hears of its end before the new one begins.
        self._follow(pair, steps.handed_over(pair.memory.state))

    def _is_gone(self, member: "Member") -> bool:
        """Whether a strategy has nothing left; when it is flat, its last orders are withdrawn."""
        engine = self._engine
        if member.exit_reason or not engine.exits.is_flat(member):
            return False
        if any(engine.account.plans_of(member.name)):
            engine.exits.begin(member, reasons.TRANSITION)
        return not member.exit_reason

    def timed_out(self, member: "Member") -> None:
        """The time to let go may be over."""
        pair = self._pair_of[member.name]
        self._follow(pair, steps.timed_out(pair.memory.state, self._engine.now_ms))

    # -- halt -----------------------------------------------------------------------------------------------

    def halt(self) -> None:
        """An emergency: release every lock; all pairs belong to nobody."""
        for pair in self.pairs.values():
            self._follow(pair, steps.halted(pair.memory.state))

    def begin_anew(self) -> None:
        """A halt is over: pairs start cold, at their present regime; other bots start as they did at first."""
        for member in self._engine.members.values():
            if member.name not in self._pair_of and member.is_started:
                self._engine.caller.later(member, "on_start")
        self.lead_anew()

    # -- what is to be done ---------------------------------------------------------------------------------

    def _start(self, pair: Pair, action: steps.Start) -> None:
        callback = "on_take_over" if action.takes_over else "on_start"
        self._engine.caller.later(pair.members[action.key], callback)

    def _release(self, pair: Pair, action: steps.Release) -> None:
        engine, setup, member = self._engine, pair.setup, pair.members[action.key]
        ledger, mark = member.ledger, engine.view.price(setup.symbol)
        pair.memory.beginning = Beginning(mark, ledger.profit(mark) - ledger.funding, ledger.fees)
        transition = pair.memory.state.transition
        assert transition is not None
        names = (transition.old, transition.new or NOBODY)
        engine.record(
            "transition_began", setup.bot, setup.symbol, *names, transition.deadline_ms, mark, ledger.quantity
        )
        release = asked_to_release(engine, member, reasons.TRANSITION)
        is_offered = setup.hands_over and release is Release.HAND_OVER
        if is_offered and engine.handing.is_agreed(*self._sides(pair)):
            engine.handing.begin(member)
        elif release is Release.WIND_DOWN:
            engine.exits.begin(member, reasons.TRANSITION)
        else:
            let_go(engine, member, reasons.TRANSITION)

    def _force_close(self, pair: Pair, action: steps.ForceClose) -> None:
        self._engine.exits.begin(pair.members[action.key], reasons.TRANSITION_TIMEOUT)

    def _stop(self, pair: Pair, action: steps.Stop) -> None:
        let_go(self._engine, pair.members[action.key], reasons.HALTED)

    def _ended(self, pair: Pair, action: steps.Ended) -> None:
        """Write down what a transition has cost: its fees, and what the price was worse than at its beginning."""
        setup, transition, beginning = pair.setup, action.transition, pair.memory.beginning
        assert beginning is not None
        ledger = pair.members[transition.old].ledger
        fees = ledger.fees - beginning.fees
        difference = beginning.value - (ledger.profit(beginning.mark) - ledger.funding) - fees
        names = (transition.old, transition.new or NOBODY)
        self._engine.record(
            "transition_ended", setup.bot, setup.symbol, *names, action.outcome.value, fees, difference
        )
        pair.memory.beginning = None

    def _set_deadline(self, pair: Pair, action: SetDeadline) -> None:
        self._engine.set_timer(pair.holder, TRANSITION_TIMER, action.time_ms)

    def _cancel_deadline(self, pair: Pair, action: CancelDeadline) -> None:  # noqa: ARG002
        for name in pair.members:
            self._engine.commands.append(CancelTimer(name, TRANSITION_TIMER))
