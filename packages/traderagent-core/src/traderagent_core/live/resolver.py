"""Finds out by reads what became of orders: after lost answers, refused cancellations, and restarts."""

import asyncio
from collections.abc import Callable

from attrs import define, field

from traderagent_core.contract.exchange_adapter import ExchangeAdapter
from traderagent_core.contract.venue_facts import OrderReport
from traderagent_core.errors import ExchangeError
from traderagent_core.model.event import OrderFilled
from traderagent_core.model.order import OrderRequest, OrderStatus

FIRST_LOOKS_MS = (1_000, 2_000, 4_000, 8_000)
LATER_LOOKS_MS = 10_000
GRACE_MS = 15_000
"""An order that no read finds so long after its request has become too old to be taken was never taken."""

LEAST_ABSENCES = 3


@define(eq=False)
class Case:
    """One order that somebody has to look for, since a monotonic time; `request` is there to be sent again."""

    symbol: str
    client_order_id: str
    request: OrderRequest | None
    since_ms: int
    looks: int = 0
    absences: int = 0
    is_at_work: bool = False


@define(eq=False)
class Resolver:
    """Looks up order by order until the venue has said what became of it.

    `found` takes reports and the executions that belong to them, or executions alone while no read shows their order;
    `absent` takes an order that the venue has never taken, with its request if there is one. Failed reads are no
    evidence and only cost time. `is_refused` says whether the venue has answered that it does not take an order.
    """

    adapter: ExchangeAdapter
    found: Callable[[OrderReport | None, list[OrderFilled]], None]
    absent: Callable[[str, OrderRequest | None], None]
    is_refused: Callable[[str], bool]
    cases: dict[str, Case] = field(factory=dict)
    _news: asyncio.Event = field(factory=asyncio.Event)

    def ask(self, request: OrderRequest) -> None:
        """Find out about an order whose sending has an unknown end; asked again, the search goes on."""
        if request.client_order_id in self.cases:
            return
        now_ms = self.adapter.clock.monotonic_ms()
        self.cases[request.client_order_id] = Case(request.symbol, request.client_order_id, request, now_ms)
        self._news.set()

    def sent_again(self, client_order_id: str) -> None:
        """An order leaves once more: what no read has found until now may be found from now on."""
        case = self.cases.get(client_order_id)
        if case is not None:
            case.since_ms, case.absences = self.adapter.clock.monotonic_ms(), 0

    def look_up(self, symbol: str, client_order_id: str) -> None:
        """Find out about an order that the venue has, or has had."""
        if client_order_id not in self.cases:
            self.cases[client_order_id] = Case(
                symbol, client_order_id, None, self.adapter.clock.monotonic_ms()
            )
            self._news.set()

    async def work(self) -> None:
        """Look up until cancelled; each case by itself."""
        async with asyncio.TaskGroup() as lookers:
            while True:
                await self._news.wait()
                self._news.clear()
                for case in [case for case in self.cases.values() if not case.is_at_work]:
                    case.is_at_work = True
                    lookers.create_task(self._follow(case))

    async def _follow(self, case: Case) -> None:
        clock = self.adapter.clock
        while not self._is_needless(case) and not await self._look(case):
            delay = FIRST_LOOKS_MS[case.looks] if case.looks < len(FIRST_LOOKS_MS) else LATER_LOOKS_MS
            case.looks += 1
            await clock.sleep_until(clock.now_ms() + delay)
        if self.cases.get(case.client_order_id) is case:
            del self.cases[case.client_order_id]

    def _is_needless(self, case: Case) -> bool:
        """An order that nobody knows the end of may have been taken before what was sent again was refused."""
        return case.request is None and self.is_refused(case.client_order_id)

    async def _look(self, case: Case) -> bool:
        """One look; whether the case is closed."""
        try:
            report = await self.adapter.order(case.symbol, case.client_order_id)
            fills = await self._fills(case.client_order_id) if report is None or report.filled else []
        except ExchangeError:
            return False
        if report is None:
            return self._is_proved_absent(case) if not fills else self._is_hidden(case, fills)
        if report.status is OrderStatus.UNKNOWN:
            return False
        self.found(report, fills)
        return True

    def _is_hidden(self, case: Case, fills: list[OrderFilled]) -> bool:
        """An order that has traded was taken, whatever lists do not show it."""
        case.absences = 0
        self.found(None, fills)
        return False

    async def _fills(self, client_order_id: str) -> list[OrderFilled]:
        since_ms = max(self.adapter.clock.now_ms() - self.adapter.capabilities.execution_history_ms, 0)
        known = await self.adapter.executions(since_ms)
        return [fill for fill in known if fill.client_order_id == client_order_id]

    def _is_proved_absent(self, case: Case) -> bool:
        case.absences += 1
        lifetime_ms = self.adapter.capabilities.request_lifetime_ms
        is_late = self.adapter.clock.monotonic_ms() >= case.since_ms + lifetime_ms + GRACE_MS
        if case.absences < LEAST_ABSENCES or not is_late:
            return False
        self.absent(case.client_order_id, case.request)
        return True
