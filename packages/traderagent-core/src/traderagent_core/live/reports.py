"""What the venue's word on an order means for ours: the facts that the engine has not heard yet."""

from collections.abc import Iterator
from decimal import Decimal

from traderagent_core.account.state import Order
from traderagent_core.contract.venue_facts import OrderReport
from traderagent_core.model import event as ev
from traderagent_core.model.order import OrderStatus

ENDED = (OrderStatus.CANCELED, OrderStatus.EXPIRED)
ALIVE = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)
NEVER_ACCEPTED = "never_accepted"


def facts_of(order: Order, report: OrderReport, now_ms: int) -> Iterator[ev.Event]:
    """Events that bring a live order of ours in line with a report. Fills are told by executions, never by totals."""
    order_id = order.client_order_id
    if report.status is OrderStatus.UNKNOWN:
        return
    if report.status is OrderStatus.REJECTED and not report.filled:
        yield ev.OrderRejected(now_ms, order_id, report.code)
        return
    if order.status is OrderStatus.SUBMITTED:
        yield ev.OrderAccepted(now_ms, order_id, report.venue_order_id)
    if report.status in ENDED:
        yield ev.OrderCanceled(now_ms, order_id, report.filled, report.code or "canceled")
    elif report.status in ALIVE and _is_amended(order, report):
        yield ev.OrderAmended(now_ms, order_id, report.price, report.quantity)


def _is_amended(order: Order, report: OrderReport) -> bool:
    return not order.closes_position and (order.price, order.quantity) != (report.price, report.quantity)


def never_accepted(order_id: str, now_ms: int) -> ev.Event:
    """The proof that an order which is not wanted any more was never taken."""
    return ev.OrderCanceled(now_ms, order_id, Decimal(0), NEVER_ACCEPTED)
