"""What the venue's word on an order means for ours: facts that the engine has not heard, commands that never left."""

from collections.abc import Iterator
from decimal import Decimal

from traderagent_core.account.state import Order, WantStatus
from traderagent_core.contract.venue_facts import OrderReport
from traderagent_core.engine.desk import OVER
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.order import Amendment, OrderStatus, OrderType

ENDED = (OrderStatus.CANCELED, OrderStatus.EXPIRED)
ALIVE = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)
NEVER_ACCEPTED = "never_accepted"


def facts_of(order: Order, report: OrderReport, now_ms: int) -> Iterator[ev.Event]:
    """Events that bring a live order of ours in line with a report. Fills are told by executions, never by totals.

    One that traded whole with another quantity than we know of is over with what it has traded, and so is one whose
    quantity we have heard of after its last fill.
    """
    order_id = order.client_order_id
    if report.status is OrderStatus.UNKNOWN:
        return
    if report.status is OrderStatus.REJECTED and not report.filled:
        yield ev.OrderRejected(now_ms, order_id, report.code)
        return
    if order.status is OrderStatus.SUBMITTED:
        yield ev.OrderAccepted(now_ms, order_id, report.venue_order_id)
    is_unlike = order.closes_position or report.quantity != order.quantity
    is_over = report.status is OrderStatus.FILLED and (is_unlike or order.filled >= order.quantity)
    if report.status in ENDED or is_over:
        yield ev.OrderCanceled(now_ms, order_id, report.filled, report.code or report.status.value.lower())
    elif report.status in ALIVE and not _has(report, order, order.price, order.quantity):
        quantity = order.quantity if order.closes_position else report.quantity
        yield ev.OrderAmended(now_ms, order_id, report.price, quantity)


def never_left(order: Order, report: OrderReport) -> cmd.Cancel | cmd.Amend | None:
    """The cancellation or amendment that was decided, but that a live order knows nothing of.

    A crash has come between deciding and sending, the reply was lost with the request, or a cancellation was refused
    because it overtook its order. Asking twice does no harm.
    """
    if report.status not in ALIVE:
        return None
    want = order.want
    if order.is_canceling or want.status in OVER:
        return cmd.Cancel(order.client_order_id, order.symbol)
    if want.status is not WantStatus.OPEN or want.order is not order or order.type is OrderType.MARKET:
        return None
    quantity = want.quantity - want.filled + order.filled
    if _has(report, order, want.price, quantity):
        return None
    return cmd.Amend(Amendment(order.client_order_id, want.price, quantity), order.symbol)


def _has(report: OrderReport, order: Order, price: Decimal | None, quantity: Decimal) -> bool:
    """Whether the venue has these numbers; an order for the whole position has no quantity of its own."""
    return report.price == price and (order.closes_position or report.quantity == quantity)


def never_accepted(order_id: str, now_ms: int) -> ev.Event:
    """The proof that an order which is not wanted any more was never taken."""
    return ev.OrderCanceled(now_ms, order_id, Decimal(0), NEVER_ACCEPTED)
