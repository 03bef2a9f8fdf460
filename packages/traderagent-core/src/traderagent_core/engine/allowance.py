"""What may not be added any more is held back, orders at the venue too.

All of it where a risk mode or a daily loss lets nothing be added; where a position limit has become lower, the orders
farthest from the price.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from traderagent_core.account import reasons
from traderagent_core.account.state import Retry, Want, WantStatus
from traderagent_core.model.order import Side

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

ZERO = Decimal(0)


def hold_all_back(engine: "Engine", members: "Iterable[Member]") -> None:
    """Block all wants that add, of bots that may not add anything now; they go out again when that is over."""
    for member in members:
        refusal = engine.judge.standing_refusal(member)
        if refusal is None:
            continue
        for want in _adding(engine, member):
            _hold(engine, want, refusal, Retry.WHEN_ALLOWED)


def hold_back(engine: "Engine", member: "Member") -> None:
    """Block wants that add beyond the bot's largest position; they are tried again after fills."""
    limit = member.setup.limits.max_position_size
    if limit is None:
        return
    price, ledger = engine.view.price(member.symbol), member.ledger
    held = ledger.quantity * price
    worst = {Side.BUY: held + ledger.open_buys, Side.SELL: ledger.open_sells - held}
    for want in sorted(_adding(engine, member), key=lambda want: -abs((want.price or price) - price)):
        order = want.order
        if worst[want.side] <= limit or order is None:
            continue
        worst[want.side] -= (order.price or price) * (order.quantity - order.filled)
        _hold(engine, want, reasons.MAX_POSITION, Retry.ON_FILL)


def _hold(engine: "Engine", want: Want, reason: str, retry: Retry) -> None:
    engine.desk.block(want, reason, retry)
    if want.order is not None:
        engine.desk.cancel(want.order)


def _adding(engine: "Engine", member: "Member") -> list[Want]:
    return [
        want
        for plan in engine.account.plans_of(member.name)
        for want in plan.wants.values()
        if want.status is WantStatus.OPEN
        and not want.leg.is_exit
        and not engine.planner.reduces(member, want)
    ]
