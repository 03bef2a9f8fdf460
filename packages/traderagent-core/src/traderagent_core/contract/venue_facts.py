"""What an adapter tells of a venue: orders, positions, balances, prices, and whether it is heard at all."""

from decimal import Decimal
from typing import NamedTuple

from attrs import define, frozen

from traderagent_core.model import event as ev
from traderagent_core.model.candle import Candle
from traderagent_core.model.order import OrderStatus, OrderType, Side


@frozen
class OrderReport:
    """One order as the venue has it at the time of a read. Quantities in base units, prices in quote currency.

    `client_order_id` is what the order was sent with; an order placed by hand has none (""), one of another program
    has one that is not ours. `filled` is the venue's total, also in a canceled order. `price` is the limit, the
    trigger of a STOP order, or None. A status that the adapter does not know is UNKNOWN. `closes_position` marks
    a stop for whatever the position is. `code` is the venue's own word on why an order ended.
    """

    client_order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    filled: Decimal
    price: Decimal | None
    status: OrderStatus
    reduce_only: bool = False
    closes_position: bool = False
    code: str = ""


@frozen
class PositionReport:
    """One linear position as the venue has it. `quantity` is signed, negative is short; a flat one may be left out.

    `liquidation_price` is None where the venue tells none.
    """

    symbol: str
    quantity: Decimal
    entry_price: Decimal
    leverage: Decimal = Decimal(1)
    liquidation_price: Decimal | None = None


@frozen
class Balance:
    """What the account holds of one currency: wallet balance without unrealized PnL, and what is free of it."""

    total: Decimal
    available: Decimal


class FundingRate(NamedTuple):
    """One settlement of a linear contract: time in ms UTC, and the ratio of the notional that longs paid."""

    time_ms: int
    rate: Decimal


@define(eq=False)
class LinkUp:
    """The stream is connected and subscribed: from here on nothing is missed, until the next LinkDown."""

    time_ms: int


@define(eq=False)
class LinkDown:
    """The stream was lost: whatever happens until the next LinkUp has to be read."""

    time_ms: int
    cause: str


@define(eq=False)
class Price:
    """The price of a trade, as `last` in quote currency."""

    time_ms: int
    symbol: str
    last: Decimal


@define(eq=False)
class CandleClosed:
    """A candle that will not change any more."""

    symbol: str
    timeframe: str
    candle: Candle


OrderFact = (
    ev.OrderAccepted
    | ev.OrderRejected
    | ev.OrderCanceled
    | ev.OrderAmended
    | ev.OrderFilled
    | ev.FundingPaid
    | LinkUp
    | LinkDown
)
PriceFact = Price | LinkUp | LinkDown
CandleFact = CandleClosed | LinkUp | LinkDown
