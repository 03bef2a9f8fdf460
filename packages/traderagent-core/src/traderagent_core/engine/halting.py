"""The emergency halt of the whole account: freezes, closes everything, and waits for an operator."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from traderagent_core.account import reasons
from traderagent_core.account.state import WantStatus
from traderagent_core.coordinator import halt as steps
from traderagent_core.coordinator.deadline import CancelDeadline, SetDeadline
from traderagent_core.engine.releasing import let_go
from traderagent_core.model.command import CancelTimer, Publish

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

HALT_TIMER = "~halt"


class Halting:
    """Carries out what the halt's state asks for; looked at after every event while there is a halt."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self.state = steps.HaltState()
        self._doers: dict[type, Callable[[Any], None]] = {
            steps.Freeze: self._freeze,
            steps.ClosePositions: self._close,
            steps.TellOperator: self._tell,
            steps.RefuseAcknowledgement: self._refuse,
            steps.Resume: self._resume,
            SetDeadline: self._set_deadline,
            CancelDeadline: self._cancel_deadline,
        }

    @property
    def is_on(self) -> bool:
        """Whether nothing may add to exposure."""
        return self.state.stage is not None

    def trigger(self, reason: str) -> None:
        """A drawdown is too deep, or an operator says so."""
        engine = self._engine
        self._follow(steps.triggered(self.state, reason, engine.now_ms, engine.setup.freeze_timeout_ms))

    def acknowledge(self) -> None:
        """The operator has seen it."""
        self._follow(steps.acknowledged(self.state))

    def advance(self) -> None:
        """After an event: go on as far as the account has come."""
        stage = self.state.stage
        if stage is steps.Stage.FREEZE and self._is_frozen():
            self._follow(steps.frozen_all(self.state))
        if self.state.stage is steps.Stage.CLOSE and self._is_closed():
            self._follow(steps.closed(self.state))
        elif stage is steps.Stage.AWAIT_ACK and any(self._holds(each) for each in self._members):
            self._follow(steps.exposed(self.state))

    def timed_out(self) -> None:
        """The time that the venue has to confirm cancellations may be over."""
        self._follow(steps.timed_out(self.state, self._engine.now_ms))

    def _follow(self, step: steps.Step) -> None:
        old = self.state
        self.state, actions = step
        if self.state.stage is not old.stage:
            stage = self.state.stage
            self._engine.record("halt_changed", "" if stage is None else stage.value, self.state.reason)
        for action in actions:
            self._doers[type(action)](action)

    # -- how far it is --------------------------------------------------------------------------------------

    @property
    def _members(self) -> "list[Member]":
        return list(self._engine.members.values())

    def _holds(self, member: "Member") -> bool:
        return bool(member.ledger.quantity) and not self._engine.exits.is_flat(member)

    def _is_frozen(self) -> bool:
        """Whether the venue has confirmed the end of all that was withdrawn."""
        return all(order.want.status is WantStatus.OPEN for order in self._engine.account.orders.values())

    def _is_closed(self) -> bool:
        engine = self._engine
        if engine.account.plans or engine.account.orders:
            return False
        return not any(member.exit_reason or self._holds(member) for member in self._members)

    # -- what is to be done ---------------------------------------------------------------------------------

    def _freeze(self, action: steps.Freeze) -> None:  # noqa: ARG002
        engine = self._engine
        engine.director.halt()
        for member in self._members:
            member.is_halted = True
            let_go(engine, member, reasons.HALTED)
        engine.refresh_restriction()

    def _close(self, action: steps.ClosePositions) -> None:  # noqa: ARG002
        engine = self._engine
        at_work = {plan.bot for plan in engine.account.plans.values()}
        for member in self._members:
            if member.name in at_work or self._holds(member):
                engine.exits.begin(member, reasons.HALTED)

    def _tell(self, action: steps.TellOperator) -> None:
        self._engine.commands.append(Publish("halt", action.reason))

    def _refuse(self, action: steps.RefuseAcknowledgement) -> None:
        stage = "no halt" if action.stage is None else action.stage.value
        self._engine.record("noted", "", "acknowledgement_refused", f"stage={stage}")

    def _resume(self, action: steps.Resume) -> None:  # noqa: ARG002
        engine = self._engine
        for member in self._members:
            member.is_halted = False
        engine.guards.begin_anew()
        engine.refresh_restriction()
        engine.director.begin_anew()

    def _set_deadline(self, action: SetDeadline) -> None:
        self._engine.set_timer(self._members[0].name, HALT_TIMER, action.time_ms)

    def _cancel_deadline(self, action: CancelDeadline) -> None:  # noqa: ARG002
        self._engine.commands.append(CancelTimer(self._members[0].name, HALT_TIMER))
