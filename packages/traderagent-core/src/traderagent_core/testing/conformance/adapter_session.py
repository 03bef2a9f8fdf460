"""One connection to the exchange under examination: sends orders, collects facts, waits for them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any, TypeVar

from attrs import Factory, define

from traderagent_core.contract.exchange_adapter import ExchangeAdapter
from traderagent_core.contract.outcome import Outcome, OutcomeKind
from traderagent_core.contract.venue_facts import LinkUp, OrderReport
from traderagent_core.model import event as ev
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import OrderRequest, OrderType, Side
from traderagent_core.testing.comparing import refuse
from traderagent_core.testing.exchange_rig import ExchangeRig

NOTIONAL = Decimal(200)
PAUSE_SECONDS = 0.01
BUY, SELL = Side.BUY, Side.SELL
Found = TypeVar("Found")


@define(eq=False)
class Session:
    """A connected adapter whose events are being collected."""

    rig: ExchangeRig
    adapter: ExchangeAdapter
    instrument: Instrument
    patience_seconds: float
    facts: list[Any] = Factory(list)
    _has_news: asyncio.Event = Factory(asyncio.Event)
    _listener: "asyncio.Task[None] | None" = None
    _ids: int = 0

    async def open(self) -> None:
        """Connect, and hear the first LinkUp."""
        await self.adapter.connect()
        self._listener = asyncio.create_task(self._listen(self.adapter.events()))
        await self.until(
            lambda: any(isinstance(fact, LinkUp) for fact in self.facts),
            expected="events() begins with LinkUp",
            mend="tell LinkUp as soon as the stream is connected and subscribed",
        )

    async def close(self) -> None:
        """Let go of everything."""
        await self.adapter.close()
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.wait([self._listener])

    async def _listen(self, events: AsyncIterator[Any]) -> None:
        async for fact in events:
            self.facts.append(fact)
            self._has_news.set()

    # -- orders ---------------------------------------------------------------------------------------------

    def price(self, share: str) -> Decimal:
        """The price at which the exchange stands, times a share, on the tick."""
        return self.instrument.limit_price(BUY, self.rig.price * Decimal(share))

    def quantity(self, share: str = "1") -> Decimal:
        """An ordinary quantity, times a share."""
        return self.instrument.round_quantity(NOTIONAL / self.rig.price * Decimal(share))

    def request(
        self,
        side: Side = BUY,
        price: Decimal | None = None,
        quantity: Decimal | None = None,
        kind: OrderType | None = None,
        **more: Any,
    ) -> OrderRequest:
        """An order with an id of its own: a limit order, or a market order when there is no price."""
        self._ids += 1
        kind = kind or (OrderType.MARKET if price is None else OrderType.LIMIT)
        amount = self.quantity() if quantity is None else quantity
        return OrderRequest(f"kit-{self._ids}", self.instrument.symbol, side, kind, amount, price, **more)

    async def send(self, request: OrderRequest) -> Outcome:
        """Send an order that has to be accepted, and hear that it was."""
        outcome = await self.adapter.submit(request)
        require_kind(outcome, OutcomeKind.ACCEPTED, f"{told(request)} is accepted")
        await self.hear(ev.OrderAccepted, request.client_order_id)
        return outcome

    async def rest(self, share: str = "0.9", **more: Any) -> OrderRequest:
        """A limit order to buy below the price, accepted."""
        request = self.request(BUY, self.price(share), **more)
        await self.send(request)
        return request

    async def buy(self, quantity: Decimal | None = None) -> OrderRequest:
        """A market order to buy, traded whole."""
        request = self.request(BUY, quantity=quantity)
        await self.send(request)
        await self.hear_filled(request)
        return request

    # -- what was heard -------------------------------------------------------------------------------------

    def of(self, kind: type[Found], client_order_id: str) -> list[Found]:
        """The facts of a kind about one order."""
        return [
            fact
            for fact in self.facts
            if isinstance(fact, kind) and getattr(fact, "client_order_id", None) == client_order_id
        ]

    def filled(self, client_order_id: str) -> Decimal:
        """How much of an order has been heard to trade, each trade once."""
        fills = {fill.trade_id: fill.quantity for fill in self.of(ev.OrderFilled, client_order_id)}
        return sum(fills.values(), Decimal(0))

    async def hear(self, kind: type[Found], client_order_id: str) -> Found:
        """The first fact of a kind about an order, when it has come."""
        await self.until(
            lambda: bool(self.of(kind, client_order_id)),
            expected=f"{kind.__name__} of {client_order_id} in the stream of events",
            mend="publish what the venue's private stream tells, under the client order id",
        )
        return self.of(kind, client_order_id)[0]

    async def hear_filled(self, request: OrderRequest) -> None:
        """Wait until an order is heard to have traded whole."""
        await self.until(
            lambda: self.filled(request.client_order_id) >= request.quantity,
            expected=f"OrderFilled until {told(request)} is complete",
            mend="publish each execution of the venue as one OrderFilled with its own trade_id",
        )

    async def until(self, holds: Callable[[], bool], *, expected: str, mend: str) -> None:
        """Wait until something holds of the facts heard; fails the case when patience is over."""
        try:
            async with asyncio.timeout(self.patience_seconds):
                while not holds():
                    self._has_news.clear()
                    await self._has_news.wait()
        except TimeoutError:
            heard = ", ".join(map(repr, self.facts[-5:])) or "nothing"
            refuse(expected=expected, found=f"the last events: {heard}", mend=mend)

    async def report(
        self, client_order_id: str, holds: Callable[[OrderReport], bool] = lambda _: True, *, expected: str
    ) -> OrderReport:
        """What a read says of an order, as soon as it says what is expected."""
        report: OrderReport | None = None

        async def read() -> bool:
            nonlocal report
            report = await self.adapter.order(self.instrument.symbol, client_order_id)
            return report is not None and holds(report)

        await self.until_read(
            read,
            expected=expected,
            found=lambda: repr(report),
            mend="let order() ask the venue for live and for ended orders by client order id",
        )
        assert report is not None
        return report

    async def until_read(
        self, read: Callable[[], Awaitable[bool]], *, expected: str, found: Callable[[], str], mend: str
    ) -> None:
        """Read again until the answer is what is expected; fails the case when patience is over."""
        deadline = asyncio.get_running_loop().time() + self.patience_seconds
        while not await read():
            if asyncio.get_running_loop().time() > deadline:
                refuse(expected=expected, found=found(), mend=mend)
            await asyncio.sleep(PAUSE_SECONDS)


def require_kind(outcome: Outcome, kind: OutcomeKind, expected: str, mend: str = "") -> None:
    """Refuse an outcome of another kind."""
    if outcome.kind is not kind:
        refuse(
            expected=f"{expected}: {kind.value}",
            found=repr(outcome),
            mend=mend or "give the code its meaning in the adapter's OutcomeTable",
        )


def told(request: OrderRequest) -> str:
    """An order in a few words."""
    at = "" if request.price is None else f" at {request.price}"
    marks = [name for name in ("post_only", "reduce_only") if getattr(request, name)]
    extra = f" ({', '.join(marks)})" if marks else ""
    kind = request.type.value.lower()
    return f"the {kind} order {request.client_order_id} to {request.side.value} {request.quantity}{at}{extra}"
