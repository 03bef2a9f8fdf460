"""A position limit that has become lower binds what is open: the orders farthest from the price are held back."""

from decimal import Decimal
from typing import TYPE_CHECKING

from traderagent_core.account import reasons
from traderagent_core.account.state import Retry, Want, WantStatus
from traderagent_core.model.order import Side

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

ZERO = Decimal(0)


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
        engine.desk.block(want, reasons.MAX_POSITION, Retry.ON_FILL)
        engine.desk.cancel(order)


def _adding(engine: "Engine", member: "Member") -> list[Want]:
    return [
        want
        for plan in engine.account.plans_of(member.name)
        for want in plan.wants.values()
        if want.status is WantStatus.OPEN
        and not want.leg.is_exit
        and not engine.planner.reduces(member, want)
    ]
