"""I7: what must be true of orders that the process holds to be over."""

from traderagent_core.account.state import Order
from traderagent_core.contract.venue_facts import OrderReport
from traderagent_core.engine.engine import Engine
from traderagent_core.live.driver import Driver
from traderagent_core.live.reports import ALIVE, NEVER_ACCEPTED
from traderagent_core.live.resolver import Resolver
from traderagent_core.model.order import OrderRequest, OrderStatus
from traderagent_core.testing.faults.outside import Outside
from traderagent_core.testing.faults.world import Violation

COUNTED_MS = 10_000
"""How long the executions of an order that is over may still be on their way."""


class Endings:
    """Looks at each order once it is over: the exchange has said so, and has the same fills."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._engine: Engine | None = None
        self._seen: set[str] = set()
        self._uncounted: dict[str, int] = {}
        self._absent: list[str] = []

    def _witness(self, resolver: Resolver) -> None:
        """Hear from now on which orders are held to have never been taken, and whether they were."""
        real = resolver.absent

        def absent(order_id: str, request: OrderRequest | None) -> None:
            if self._outside.backend.log.report(order_id) is not None:
                self._absent.append(order_id)
            real(order_id, request)

        resolver.absent = absent

    def look(self, driver: Driver, now_ms: int) -> None:
        """All orders that have ended since the last look, and those whose fills are still coming."""
        engine = driver.engine
        if engine is not self._engine:
            self._engine = engine
            self._seen, self._uncounted = set(), {}
            self._witness(driver.resolver)
        if self._absent:
            raise Violation(f"I7: {self._absent[0]} is held to be absent, and the exchange has it")
        closed = engine.account.closed_orders
        for order_id in reversed(closed):
            if order_id in self._seen:
                break
            self._seen.add(order_id)
            self._ended(closed[order_id])
            self._uncounted[order_id] = now_ms
        for order_id, since_ms in list(self._uncounted.items()):
            if self._is_counted(closed.get(order_id)):
                del self._uncounted[order_id]
            elif now_ms - since_ms > COUNTED_MS:
                raise Violation(f"I7: {order_id} is over, and its fills are not the exchange's")

    def _ended(self, order: Order) -> None:
        name, report = order.client_order_id, self._report(order)
        match order.status:
            case OrderStatus.NEVER_ACCEPTED:
                return  # A stop that was given up while it travelled; what brings it to life takes it back.
            case OrderStatus.REJECTED:
                if name not in self._outside.refused:
                    raise Violation(f"I7: {name} counts as refused, and the exchange has not said so")
            case OrderStatus.CANCELED if order.reason == NEVER_ACCEPTED:
                if report is not None:
                    raise Violation(f"I7: {name} counts as never taken, and the exchange has it")
            case _:
                self._over(order, report)

    def _over(self, order: Order, report: OrderReport | None) -> None:
        name = order.client_order_id
        if report is None:
            raise Violation(f"I7: {name} counts as {order.status.value}, and the exchange has never had it")
        if report.status in ALIVE:
            raise Violation(f"I7: {name} counts as {order.status.value}, and lives at the exchange")
        if order.final_filled is not None and order.filled < order.final_filled:
            raise Violation(f"I7: {name} is over with {order.final_filled}, of which we have {order.filled}")
        if order.final_filled is not None and order.final_filled != report.filled:
            raise Violation(
                f"I7: {name} counts as over with {order.final_filled}, the exchange says {report.filled}"
            )

    def _is_counted(self, order: Order | None) -> bool:
        report = None if order is None else self._report(order)
        return order is None or report is None or order.filled == report.filled

    def _report(self, order: Order) -> OrderReport | None:
        return self._outside.backend.log.report(order.client_order_id)
