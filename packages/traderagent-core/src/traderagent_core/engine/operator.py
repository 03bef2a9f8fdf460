"""What an operator may say about a bot: start, pause, resume, stop, halt, acknowledge, reset; about all: reload.

A driver says the last word about a bot, quarantine, by itself.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from traderagent_core.account.state import Retry
from traderagent_core.contract.strategy import Release
from traderagent_core.engine.releasing import asked_to_release
from traderagent_core.engine.reseating import settle
from traderagent_core.engine.standing import Standing
from traderagent_core.errors import OrderError, PluginHungError
from traderagent_core.model import event as ev
from traderagent_core.model.command import SetLeverage
from traderagent_core.model.instrument import Market

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member


HUNG_CALL = "it did not come back, and its process was ended"

EVERYBODY = "*"
"""The name that stands for all bots of the account."""

RELOAD = "reload"
"""The word about all that the configuration of the engine is another one."""


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
            "reset": self._reset,
            "quarantine": self._quarantine,
        }
        self._for_all: dict[str, Callable[[str], None]] = {
            "halt": lambda reason: engine.halting.trigger(f"operator: {reason}"),
            "acknowledge": lambda _: engine.halting.acknowledge(),
            RELOAD: lambda _: settle(engine),
        }

    def said(self, event: ev.OperatorCommand) -> None:
        """Carry out a word about one bot, or EVERYBODY; raises OrderError for one that does not exist."""
        engine = self._engine
        action = self._actions.get(event.action)
        if event.bot == EVERYBODY and event.action in self._for_all:
            engine.record("noted", "", f"operator_{event.action}", event.reason)
            self._for_all[event.action](event.reason)
        elif action is None:
            raise OrderError(
                f"unknown operator action {event.action!r}; expected one of {', '.join(self._actions)}"
            )
        else:
            for member in engine.director.members_of(event.bot):
                engine.record("noted", member.name, f"operator_{event.action}", event.reason)
                action(member, event.reason)
        engine.refresh_restriction()
        engine.director.look()

    def _start(self, member: "Member", reason: str) -> None:  # noqa: ARG002
        if member.is_started and not member.is_stopped:
            return
        if not member.is_started:
            self._engine.guards.arm()
        member.is_started, member.is_stopped, member.is_paused = True, False, False
        if member.instrument.market is Market.LINEAR:
            self._engine.commands.append(SetLeverage(member.symbol, member.setup.leverage))
        if member.standing is Standing.OWNER:  # Others are started when they become the owner.
            self._engine.caller.later(member, "on_start")

    def _pause(self, member: "Member", reason: str) -> None:  # noqa: ARG002
        member.is_paused = True

    def _resume(self, member: "Member", reason: str) -> None:  # noqa: ARG002
        member.is_paused = False
        self._forgive(member)
        self._engine.refresh_restriction()
        self._engine.caller.later(member, "on_resume")
        self._engine.planner.retry_blocked(member, Retry.WHEN_ALLOWED)

    def _stop(self, member: "Member", reason: str) -> None:
        """Ask the strategy what to do with the position; a strategy that fails keeps it, with its stop."""
        if member.is_stopped or not member.is_started:
            member.is_stopped = True
            return
        release = asked_to_release(self._engine, member, reason)
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

    def _reset(self, member: "Member", reason: str) -> None:  # noqa: ARG002
        """After an emergency or a quarantine: stopped, with nothing held against it."""
        member.is_halted = member.is_paused = False
        member.is_stopped = True
        self._forgive(member)

    def _quarantine(self, member: "Member", reason: str) -> None:
        """A call of the plugin has hung between two events; `reason` names it."""
        self._engine.caller.failed(member, reason, PluginHungError(HUNG_CALL))

    def _forgive(self, member: "Member") -> None:
        member.is_quarantined = member.is_hung = False
        member.failures.clear()
        self._engine.guards.forgive()
