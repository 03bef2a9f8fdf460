"""Where a bot is in its life, by what the engine knows of its strategies.

STOPPED → STARTING → RUNNING ⇄ PAUSED          RUNNING or PAUSED → EMERGENCY → (acknowledged) → STOPPING
                     RUNNING or PAUSED → STOPPING → STOPPED
"""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from traderagent_core.account.account import Account
from traderagent_core.engine.planner import STOP_PLAN

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member


class LifeCycle(StrEnum):
    """The places of a life. A bot in quarantine is PAUSED."""

    STOPPED = "STOPPED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPING = "STOPPING"
    EMERGENCY = "EMERGENCY"


class Flags(Protocol):
    """What is known of one strategy: a member of the engine, or what was kept of one."""

    name: str
    is_started: bool
    is_paused: bool
    is_halted: bool
    is_stopped: bool
    is_quarantined: bool
    exit_reason: str


def life_cycle(
    seats: Collection[Flags], account: Account, *, is_halted: bool, is_awaited: bool = False
) -> LifeCycle:
    """Where a bot is. `seats` are its strategies, more than one when they take turns.

    `is_halted` is the account's emergency; `is_awaited` says that a start was asked for and its moment has not come.
    """
    if is_halted or any(seat.is_halted for seat in seats):
        return LifeCycle.EMERGENCY
    if is_awaited:
        return LifeCycle.STARTING
    if all(seat.is_stopped for seat in seats):
        return LifeCycle.STOPPING if is_at_work(seats, account) else LifeCycle.STOPPED
    if not all(seat.is_started for seat in seats):
        return LifeCycle.STOPPED
    is_paused = any(seat.is_paused for seat in seats) or all(seat.is_quarantined for seat in seats)
    return LifeCycle.PAUSED if is_paused else LifeCycle.RUNNING


def is_at_work(seats: Iterable[Flags], account: Account) -> bool:
    """Whether anything of a bot is wanted or at the venue, but the stop of a position that it keeps."""
    names = {seat.name for seat in seats}
    if any(seat.exit_reason for seat in seats):
        return True
    return any(plan.bot in names and plan.plan.name != STOP_PLAN for plan in account.plans.values())


def bots_of(engine: "Engine") -> "dict[str, tuple[Member, ...]]":
    """The bots of an engine as the configuration names them, each with its strategies."""
    found = {bot: tuple(pair.members.values()) for bot, pair in engine.director.pairs.items()}
    routed = {member.name for members in found.values() for member in members}
    own = {name: (member,) for name, member in engine.members.items() if name not in routed}
    return own | found
