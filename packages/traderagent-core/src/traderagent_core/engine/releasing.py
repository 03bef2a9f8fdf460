"""How a strategy lets go of its pair: it is asked what to do, withdraws what adds, and keeps what closes.

The one that comes after it is asked whether it takes over what is held.
"""

from decimal import Decimal
from typing import TYPE_CHECKING

from traderagent_core.account.ledger import Ledger
from traderagent_core.account.state import Want, WantStatus
from traderagent_core.contract.strategy import Release
from traderagent_core.engine.context import RESERVED_SLOTS
from traderagent_core.model.order import Side

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

ZERO = Decimal(0)


def asked_to_release(engine: "Engine", member: "Member", reason: str) -> Release:
    """What a strategy says to letting go; one that fails keeps its position, with its stop.

    One that has hung is not asked.
    """
    if member.is_hung:
        return Release.KEEP
    state = member.strategy.state
    try:
        function = member.strategy.on_release
        release: Release = engine.call(member.name, "on_release", function, member.context, reason)
    except Exception as error:
        member.strategy.state = state
        engine.caller.failed(member, "on_release", error)
        release = Release.KEEP
    member.context.actions = []
    return release


def asked_to_take_over(engine: "Engine", member: "Member", position: Ledger) -> bool:
    """What a strategy says to a position that another one would hand over; one that fails does not take it."""
    if not member.is_able or member.exit_reason:
        return False
    state = member.strategy.state
    try:
        function = member.strategy.takes_over
        is_wanted = engine.call(member.name, "takes_over", function, member.context, position) is True
    except Exception as error:
        engine.caller.failed(member, "takes_over", error)
        is_wanted = False
    member.strategy.state = state
    member.context.actions = []
    return is_wanted


def let_go(engine: "Engine", member: "Member", reason: str) -> None:
    """Withdraw every want that could add to the position; what closes it stays, and so does its stop."""
    plans = list(engine.account.plans_of(member.name))
    wants = [want for plan in plans for want in plan.wants.values() if want.slot.name not in RESERVED_SLOTS]
    closing = _closing(member, wants, engine.view.price(member.symbol))
    for want in wants:
        if want.id not in closing:
            engine.desk.withdraw(want, reason)
    for plan in plans:
        engine.planner.close_if_done(plan)


def let_go_of_what_adds(engine: "Engine", member: "Member", reason: str) -> None:
    """A fill that was told late may turn the position over: what was to close it would add to it now."""
    held = member.ledger.quantity
    if not held:
        return
    adding = Side.BUY if held > ZERO else Side.SELL
    for plan in list(engine.account.plans_of(member.name)):
        for want in list(plan.wants.values()):
            if want.side is adding and want.status is WantStatus.OPEN and not want.leg.is_exit:
                engine.desk.withdraw(want, reason)


def _closing(member: "Member", wants: list[Want], price: Decimal) -> set[int]:
    """Wants that reduce what is held, those nearest to the price first, and together no more than all of it.

    Exits are never more than is held: the engine keeps them so.
    """
    held = member.ledger.quantity
    if not held:
        return set()
    side, left = (Side.SELL if held > ZERO else Side.BUY), abs(held)
    kept = {want.id for want in wants if want.side is side and want.leg.is_exit}
    others = [want for want in wants if want.side is side and want.id not in kept]
    for want in sorted(others, key=lambda want: abs((want.price or price) - price)):
        quantity = want.quantity - want.filled
        if quantity <= left:
            kept.add(want.id)
            left -= quantity
    return kept
