"""Slots, wants, orders and plans as the engine keeps them: mutable, linked, on the hot path."""

from decimal import Decimal
from enum import Enum
from typing import Any

from attrs import Factory, define

from traderagent_core.account.ledger import Ledger
from traderagent_core.model.order import OrderStatus, OrderType, Purpose, Side
from traderagent_core.model.plan import Leg, Plan

ZERO = Decimal(0)


class WantStatus(Enum):
    """A want is open or blocked until it is spent by fills or ended by a reason."""

    OPEN = "OPEN"
    BLOCKED = "BLOCKED"
    SPENT = "SPENT"
    ENDED = "ENDED"


class Retry(Enum):
    """When a blocked want is tried again."""

    NEVER = "never"
    ON_FILL = "next fill"
    WHEN_ALLOWED = "when risk allows"
    BACK_OFF = "back-off"


@define(eq=False)
class Slot:
    """A named place of a strategy's book; its orders are generations, of which at most one is alive."""

    bot: str
    name: str
    prefix: str
    generation: int = 0
    order: "Order | None" = None
    want: "Want | None" = None


@define(eq=False)
class ActivePlan:
    """A granted plan: `factor` has been applied to the quantities of `legs`; the modes gave `mode_factor` of it.

    `fill_prices` are the average prices of those filled legs that others are priced by.
    """

    id: int
    bot: str
    symbol: str
    plan: Plan
    factor: Decimal
    mode_factor: Decimal
    ledger: Ledger
    legs: dict[str, Leg] = Factory(dict)
    wants: dict[int, "Want"] = Factory(dict)
    live_orders: int = 0
    closing_reason: str = ""
    fill_prices: dict[str, Decimal] = Factory(dict)


@define(eq=False)
class Want:
    """A quantity to be traded once; spent by fills summed over generations of orders.

    `origin` is the want whose counter this one is, when it completes a cycle. `mode_factor` is what risk modes have
    left of it since its plan was granted, when that is less than they left of the plan.
    """

    id: int
    plan: ActivePlan
    leg: Leg
    slot: Slot
    side: Side
    quantity: Decimal
    price: Decimal | None
    status: WantStatus = WantStatus.OPEN
    filled: Decimal = ZERO
    notional: Decimal = ZERO
    fees: Decimal = ZERO
    order: "Order | None" = None
    origin: "Want | None" = None
    reason: str = ""
    retry: Retry = Retry.NEVER
    attempts: int = 0
    mode_factor: Decimal | None = None


@define(eq=False)
class Order:
    """One order at the venue, or on its way. `final_filled` is the venue's total once it said the order ended."""

    client_order_id: str
    want: Want
    side: Side
    type: OrderType
    price: Decimal | None
    quantity: Decimal
    reduce_only: bool = False
    closes_position: bool = False
    status: OrderStatus = OrderStatus.SUBMITTED
    filled: Decimal = ZERO
    final_filled: Decimal | None = None
    is_canceling: bool = False
    reason: str = ""
    venue_order_id: str = ""

    @property
    def symbol(self) -> str:
        """The instrument."""
        return self.want.plan.symbol

    @property
    def purpose(self) -> Purpose:
        """Why it was sent."""
        return self.want.leg.purpose


Record = tuple[Any, ...]
"""(kind, time_ms, …): kind is the name of the Account method that the rest are the arguments of."""
