"""What an operator may say about a bot: start, pause, resume, stop, halt, acknowledge."""

from typing import TYPE_CHECKING

from traderagent_core.account.state import Retry
from traderagent_core.contract.strategy import Release
from traderagent_core.errors import OrderError
from traderagent_core.model import event as ev
from traderagent_core.model.command import SetLeverage
from traderagent_core.model.instrument import Market

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member


class Operator:
    """Carries out an operator's word."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._actions = {
            "start": self._start,
            "pause": self._pause,
            "resume": self._resume,
            "stop": self._stop,
            "halt": self._halt,
            "acknowledge": self._acknowledge,
        }

    def said(self, event: ev.OperatorCommand) -> None:
        """Carry out a word about one bot; raises OrderError for one that does not exist."""
        engine = self._engine
        member = engine.members[event.bot]
        action = self._actions.get(event.action)
        if action is None:
            raise OrderError(
                f"unknown operator action {event.action!r}; expected one of {', '.join(self._actions)}"
            )
        engine.record("noted", member.name, f"operator_{event.action}", event.reason)
        action(member, event.reason)
        engine.refresh_restriction()

    def _start(self, member: "Member", reason: str) -> None:  # noqa: ARG002
        if member.is_started:
            return
        member.is_started = True
        self._engine.guards.arm()
        if member.instrument.market is Market.LINEAR:
            self._engine.commands.append(SetLeverage(member.symbol, member.setup.leverage))
        self._engine.caller.later(member, "on_start")

    def _pause(self, member: "Member", reason: str) -> None:  # noqa: ARG002
        member.is_paused = True

    def _resume(self, member: "Member", reason: str) -> None:  # noqa: ARG002
        member.is_paused = False
        member.is_quarantined = False
        member.failures.clear()
        self._engine.refresh_restriction()
        self._engine.caller.later(member, "on_resume")
        self._engine.planner.retry_blocked(member, Retry.WHEN_ALLOWED)

    def _stop(self, member: "Member", reason: str) -> None:
        """Ask the strategy what to do with the position; a strategy that fails keeps it, with its stop."""
        state = member.strategy.state
        try:
            release = member.strategy.on_release(member.context, reason)
        except Exception as error:
            member.strategy.state = state
            self._engine.caller.failed(member, "on_release", error)
            release = Release.KEEP
        member.context.actions = []
        if release is Release.WIND_DOWN:
            self._engine.exits.begin(member, reason or "stopped")
        else:
            self._engine.planner.withdraw_all(member, reason or "stopped")
        member.is_stopped = True

    def _halt(self, member: "Member", reason: str) -> None:
        """Withdraw everything, close the position, call the strategy no more until it is acknowledged."""
        member.is_halted = True
        self._engine.exits.begin(member, reason or "halted")

    def _acknowledge(self, member: "Member", reason: str) -> None:  # noqa: ARG002
        member.is_halted = False
