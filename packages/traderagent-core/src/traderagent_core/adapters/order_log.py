"""What a simulated venue remembers of orders and fills, so that it can be read as an exchange is read."""

from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from itertools import takewhile
from typing import Any, Generic, TypeVar

from attrs import evolve

from traderagent_core.contract.venue_facts import OrderReport
from traderagent_core.model import event as ev
from traderagent_core.model.order import OrderRequest, OrderStatus, OrderType
from traderagent_core.model.remembered import forget_oldest

MOST_REMEMBERED = 10_000
MOST_FILLS = 100_000
Fact = TypeVar("Fact", ev.OrderFilled, ev.FundingPaid)


class Facts(Generic[Fact]):
    """The newest facts in the order of hearing. That is nearly the order of their times, as markets move singly."""

    def __init__(self) -> None:
        self._facts: deque[tuple[int, Fact]] = deque(maxlen=MOST_FILLS)

    def append(self, fact: Fact) -> None:
        """Remember another one, with the latest time until then."""
        latest_ms = self._facts[-1][0] if self._facts else fact.time_ms
        self._facts.append((max(latest_ms, fact.time_ms), fact))

    def since(self, time_ms: int) -> list[Fact]:
        """All from a time on; what lies before the last fact that was heard in time is not looked at."""
        heard = takewhile(lambda row: row[0] >= time_ms, reversed(self._facts))
        return [fact for _, fact in heard if fact.time_ms >= time_ms][::-1]

    def __iter__(self) -> Iterator[Fact]:
        return (fact for _, fact in self._facts)

    def __len__(self) -> int:
        return len(self._facts)


class OrderLog:
    """Reports of live and ended orders by client order id, fills and funding; the oldest are forgotten."""

    def __init__(self) -> None:
        self.open: dict[str, OrderReport] = {}
        self.ended: dict[str, OrderReport] = {}
        self._expected: dict[str, OrderRequest] = {}
        self.fills: Facts[ev.OrderFilled] = Facts()
        self.funding: Facts[ev.FundingPaid] = Facts()

    def report(self, client_order_id: str) -> OrderReport | None:
        """One order, or None when there is none."""
        return self.open.get(client_order_id) or self.ended.get(client_order_id)

    def expect(self, request: OrderRequest) -> None:
        """An order is on its way, perhaps with a stop that the venue will place when it is filled."""
        self._expected[request.client_order_id] = request
        stop = request.attached_stop
        if stop is not None:
            side, quantity = request.side.opposite, request.quantity
            self._expected[stop.client_order_id] = OrderRequest(
                stop.client_order_id,
                request.symbol,
                side,
                OrderType.STOP,
                quantity,
                stop.price,
                reduce_only=True,
                closes_position=True,
            )
        forget_oldest(self._expected, MOST_REMEMBERED)

    def note(self, event: ev.Event) -> None:
        """Something has happened at the venue."""
        match event:
            case ev.OrderAccepted():
                self._accept(event)
            case ev.OrderRejected():
                self._refuse(event)
            case ev.OrderFilled():
                self.fills.append(event)
                self._fill(event)
            case ev.OrderCanceled():
                self._end(event.client_order_id, status=OrderStatus.CANCELED, code=event.code)
            case ev.OrderAmended() if event.client_order_id in self.open:
                report = self.open[event.client_order_id]
                amended = evolve(report, price=event.price, quantity=event.quantity)
                self.open[event.client_order_id] = amended
            case ev.FundingPaid():
                self.funding.append(event)

    def _accept(self, event: ev.OrderAccepted) -> None:
        request = self._expected.pop(event.client_order_id, None)
        if request is not None:
            self.open[request.client_order_id] = _report(request, event.venue_order_id, OrderStatus.OPEN)

    def _refuse(self, event: ev.OrderRejected) -> None:
        request = self._expected.pop(event.client_order_id, None)
        if request is not None:
            refused = _report(request, "", OrderStatus.REJECTED)
            self.ended[request.client_order_id] = evolve(refused, code=event.code)
            forget_oldest(self.ended, MOST_REMEMBERED)

    def finish(self, client_order_id: str) -> None:
        """The venue has the order no more, and has not canceled it: whatever was filled is all of it."""
        report = self.open.get(client_order_id)
        if report is not None:
            self._end(client_order_id, status=OrderStatus.FILLED, code="", quantity=report.filled)

    def _fill(self, fill: ev.OrderFilled) -> None:
        report = self.open.get(fill.client_order_id)
        if report is not None:
            filled = report.filled + fill.quantity
            partial = evolve(report, filled=filled, status=OrderStatus.PARTIALLY_FILLED)
            self.open[fill.client_order_id] = partial

    def _end(self, client_order_id: str, **last: Any) -> None:
        report = self.open.pop(client_order_id, None)
        if report is None:
            return
        self.ended[client_order_id] = evolve(report, **last)
        forget_oldest(self.ended, MOST_REMEMBERED)


def _report(request: OrderRequest, venue_order_id: str, status: OrderStatus) -> OrderReport:
    return OrderReport(
        request.client_order_id,
        venue_order_id,
        request.symbol,
        request.side,
        request.type,
        request.quantity,
        Decimal(0),
        request.price,
        status,
        request.reduce_only,
        request.closes_position,
    )
