"""Simulated exchanges that behave as badly as real ones may: they split, refuse, repeat and delay.

All are seeded. `ObservedExchange` is the well-behaved one that writes down what it is asked.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
from attrs import evolve, frozen

from traderagent_core.model import event as ev
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import OrderRequest, Side
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.market import VenueOrder

ZERO = Decimal(0)
MOST_ORDERS_AT_ONCE = 4000
"""Orders sent at one instant before a run is stopped as a storm; the largest plan has 1,500 legs."""


class OrderStormError(AssertionError):
    """Orders come without end at one instant: something answers every refusal with a new order at once."""


@frozen
class Asked:
    """An order as it arrived, with the net position at that time."""

    time_ms: int
    request: OrderRequest
    position: Decimal
    last_price: Decimal

    @property
    def is_adding(self) -> bool:
        """Whether a complete fill would make the net position larger, or turn it over."""
        request = self.request
        if request.reduce_only or request.closes_position:
            return False
        signed = request.quantity if request.side is Side.BUY else -request.quantity
        return (
            abs(self.position + signed) > abs(self.position) or self.position * (self.position + signed) < 0
        )


class ObservedExchange(SimulatedExchange):
    """Writes down every order it is asked for, and stops a storm."""

    def __init__(self, instruments: Iterable[Instrument], *, balance: Decimal, seed: int = 1) -> None:
        super().__init__(instruments, balance=balance)
        self.asked: list[Asked] = []
        self.random = np.random.Generator(np.random.PCG64(seed))
        self._at_once = 0

    def submit(self, request: OrderRequest, now_ms: int) -> None:
        """Take an order and remember it."""
        market = self.markets[request.symbol]
        is_same_instant = bool(self.asked) and self.asked[-1].time_ms == now_ms
        self._at_once = self._at_once + 1 if is_same_instant else 1
        self.asked.append(Asked(now_ms, request, market.position.quantity, market.last_price()))
        if self._at_once > MOST_ORDERS_AT_ONCE:
            raise OrderStormError(
                f"{self._at_once} orders at one instant, the last of them {request.client_order_id}"
            )
        self.take(request, now_ms)

    def take(self, request: OrderRequest, now_ms: int) -> None:
        """What this exchange does with an order."""
        super().submit(request, now_ms)


class SplittingExchange(ObservedExchange):
    """Splits every fill that can be split into two to five executions of the same time and price."""

    def _parts(self, order: VenueOrder, quantity: Decimal) -> Sequence[Decimal]:
        lot = self.markets[order.request.symbol].instrument.lot_size
        lots = int(quantity / lot)
        if lots < 2:
            return super()._parts(order, quantity)
        count = min(int(self.random.integers(2, 6)), lots)
        inner = self.random.choice(min(lots, 1_000_000) - 1, size=count - 1, replace=False) + 1
        cuts = [0, *sorted(int(cut) for cut in inner), lots]
        parts = [lot * (end - start) for start, end in pairwise(cuts)]
        parts[-1] += quantity - lot * lots
        return parts


REFUSALS = (
    "insufficient_quote",
    "insufficient_base",
    "insufficient_margin",
    "rate_limited",
    "risk_limit_exceeded",
    "some_code_nobody_has_seen",
)
"""Codes with which a venue may refuse an order whatever it looks like."""


class RejectingExchange(ObservedExchange):
    """Refuses a share of the orders that would make the position larger, for every reason in turn.

    Orders that reduce the position are refused now and then for too many requests, but never for good.
    """

    def __init__(
        self, instruments: Iterable[Instrument], *, balance: Decimal, seed: int = 1, share: float = 0.3
    ) -> None:
        super().__init__(instruments, balance=balance, seed=seed)
        self._share = share
        self._refused = 0

    def take(self, request: OrderRequest, now_ms: int) -> None:
        """Refuse, or take as usual."""
        code = self._code(self.asked[-1])
        if code is None or request.client_order_id in self._known_ids:
            super().take(request, now_ms)
        else:
            self.events.append(ev.OrderRejected(now_ms, request.client_order_id, code))

    def _code(self, asked: Asked) -> str | None:
        if not asked.is_adding:
            return "rate_limited" if self.random.random() < min(self._share, 0.3) else None
        if self.random.random() >= self._share:
            return None
        self._refused += 1
        if asked.request.post_only and self._refused % 2:
            return "post_only_would_cross"
        return REFUSALS[self._refused % len(REFUSALS)]


class RefusingExchange(ObservedExchange):
    """Refuses the first so many orders with a part in their id, such as "-tp-" for the slot `tp`, by one code."""

    def __init__(
        self, instruments: Iterable[Instrument], *, balance: Decimal, part: str, times: int = 1, code: str
    ) -> None:
        super().__init__(instruments, balance=balance)
        self.left = times
        self._part = part
        self._code = code

    def take(self, request: OrderRequest, now_ms: int) -> None:
        """Refuse, or take as usual."""
        if self.left and self._part in request.client_order_id:
            self.left -= 1
            self.events.append(ev.OrderRejected(now_ms, request.client_order_id, self._code))
        else:
            super().take(request, now_ms)


class RepeatingExchange(ObservedExchange):
    """Tells every fill, cancellation and refusal twice and once more much later, and acceptances too late."""

    def __init__(self, instruments: Iterable[Instrument], *, balance: Decimal, seed: int = 1) -> None:
        super().__init__(instruments, balance=balance, seed=seed)
        self.events = _LateAndTwice()


_FINAL_FACTS = (ev.OrderFilled, ev.OrderCanceled, ev.OrderRejected)


class _LateAndTwice(deque[ev.Event]):
    """A queue in which final facts stand twice and acceptances wait for the next event, restamped to its time."""

    def __init__(self) -> None:
        super().__init__()
        self._late: list[ev.OrderAccepted] = []
        self._told: deque[ev.Event] = deque(maxlen=8)

    def append(self, event: ev.Event) -> None:
        if type(event) is ev.OrderAccepted:
            self._late.append(event)
            return
        super().append(event)
        if type(event) in _FINAL_FACTS:
            super().append(event)
            self._repeat_old(event.time_ms)
            self._told.append(event)
        late, self._late = self._late, []
        for accepted in late:
            super().append(evolve(accepted, time_ms=event.time_ms))

    def _repeat_old(self, time_ms: int) -> None:
        """A reconnect may bring back what was told long ago."""
        if len(self._told) == self._told.maxlen:
            old: Any = self._told[0]
            super().append(evolve(old, time_ms=time_ms))
