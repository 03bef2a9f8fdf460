"""Spoilt messages of an exchange's stream: a break, after which the stream goes on."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from traderagent_core.contract.exchange_adapter import ExchangeAdapter
from traderagent_core.contract.venue_facts import LinkDown, LinkUp
from traderagent_core.model.event import OrderAccepted
from traderagent_core.model.order import OrderRequest, OrderType, Side
from traderagent_core.testing.fuzz.answers import flaws
from traderagent_core.testing.fuzz.examining import Tally

PATIENCE_SECONDS = 20.0
STEP_SECONDS = 0.002
LAST = "fuzz-last"


async def fuzz_stream(
    adapter: ExchangeAdapter,
    mend: Callable[[], None],
    symbol: str,
    price: Decimal,
    quantity: Decimal,
    count: int,
) -> Tally:
    """Place and cancel so many orders while what the stream tells of them is being spoilt, then `mend` and one more.

    The price is one at which nothing trades. Refused are messages that became breaks.
    """
    listener = _Listener(adapter)
    for number in range(count):
        await listener.wait_until(listener.is_up)
        await adapter.submit(_order(f"fuzz-{number}", symbol, price, quantity))
        await adapter.cancel(symbol, f"fuzz-{number}")
        await asyncio.sleep(STEP_SECONDS)
    mend()
    await asyncio.sleep(10 * STEP_SECONDS)  # What was told before arrives.
    await listener.wait_until(listener.is_up)
    await adapter.submit(_order(LAST, symbol, price, quantity))
    await listener.wait_until(listener.has_last)
    listener.task.cancel()
    return listener.tally()


def _order(name: str, symbol: str, price: Decimal, quantity: Decimal) -> OrderRequest:
    return OrderRequest(name, symbol, Side.BUY, OrderType.LIMIT, quantity, price)


class _Listener:
    """Hears the stream of an adapter, and what is wrong with it."""

    def __init__(self, adapter: ExchangeAdapter) -> None:
        self.facts: list[Any] = []
        self.wrong: list[str] = []
        self.task = asyncio.create_task(self._listen(adapter))

    async def _listen(self, adapter: ExchangeAdapter) -> None:
        async for fact in adapter.events():
            self.facts.append(fact)
            self.wrong += [f"a fact with {flaw}" for flaw in flaws(fact)]

    def is_up(self) -> bool:
        links = [fact for fact in self.facts if isinstance(fact, LinkUp | LinkDown)]
        return bool(links) and isinstance(links[-1], LinkUp)

    def has_last(self) -> bool:
        return any(isinstance(fact, OrderAccepted) and fact.client_order_id == LAST for fact in self.facts)

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        for _ in range(int(PATIENCE_SECONDS / STEP_SECONDS)):
            if condition():
                return
            await asyncio.sleep(STEP_SECONDS)
        self.wrong.append(f"waited in vain: {condition.__name__}")

    def tally(self) -> Tally:
        """Facts, breaks, and what is wrong."""
        tally = Tally(wrong=self.wrong)
        for fact in self.facts:
            tally.count("stream", "refused" if isinstance(fact, LinkDown) else "accepted")
        return tally
