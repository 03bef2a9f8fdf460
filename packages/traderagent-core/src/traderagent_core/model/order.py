"""Orders: the words of an order's life, and the request that travels to a venue."""

from decimal import Decimal
from enum import Enum

from attrs import define, frozen


class Side(Enum):
    """Side of an order."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return SELL if self is BUY else BUY


BUY, SELL = Side.BUY, Side.SELL
"""Members as names of a module: looking one up in its enum takes ten times as long."""


class OrderType(Enum):
    """How an order trades: at once, at a price or better, or at once after a trigger price."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"


class OrderStatus(Enum):
    """Where an order stands; the last five are final."""

    SUBMITTED = "SUBMITTED"
    OPEN = "OPEN"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    UNKNOWN = "UNKNOWN"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    NEVER_ACCEPTED = "NEVER_ACCEPTED"

    @property
    def is_final(self) -> bool:
        """No further change is possible."""
        return self in _FINAL


_FINAL = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELED,
        OrderStatus.REJECTED,
        OrderStatus.EXPIRED,
        OrderStatus.NEVER_ACCEPTED,
    }
)


class Liquidity(Enum):
    """Whether a fill took liquidity or made it."""

    MAKER = "MAKER"
    TAKER = "TAKER"


class Purpose(Enum):
    """Why a quantity is to be traded."""

    ENTRY = "ENTRY"
    SAFETY = "SAFETY"
    GRID_COUNTER = "GRID_COUNTER"
    EXIT = "EXIT"
    STOP_LOSS = "STOP_LOSS"
    TAKE_PROFIT = "TAKE_PROFIT"


@frozen
class AttachedStop:
    """A stop that comes to life with the first fill of the order it travels with, for the whole position."""

    client_order_id: str
    price: Decimal


@define(eq=False)
class OrderRequest:
    """What is sent to a venue. `client_order_id` is the idempotency key: sent twice, it exists once.

    `price` is the limit of a LIMIT order, the trigger of a STOP order and None for a MARKET order. With
    `closes_position` the order is for whatever the position is when it triggers. `is_forced` says that it closes a
    position whose time was over: venue models let it pay for the hurry, others do not look at it.
    """

    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None
    reduce_only: bool = False
    post_only: bool = False
    closes_position: bool = False
    attached_stop: AttachedStop | None = None
    is_forced: bool = False


@frozen
class Amendment:
    """A change of a live order in place; None leaves a value as it is."""

    client_order_id: str
    price: Decimal | None
    quantity: Decimal | None
