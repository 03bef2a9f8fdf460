"""Events: facts and wake-ups, the only things that step the engine. All times are int ms UTC."""

from decimal import Decimal

from attrs import define

from traderagent_core.model.order import Liquidity, Side


@define(eq=False)
class OrderAccepted:
    """The venue has the order."""

    time_ms: int
    client_order_id: str
    venue_order_id: str


@define(eq=False)
class OrderRejected:
    """The venue refused the order for good; `code` is the venue's own word."""

    time_ms: int
    client_order_id: str
    code: str


@define(eq=False)
class OrderCanceled:
    """The order has left the book; `filled` is the venue's total, so that no fill is missed."""

    time_ms: int
    client_order_id: str
    filled: Decimal
    code: str = "canceled"


@define(eq=False)
class CancelRejected:
    """The venue would not cancel: the order is not open (any more), which is no evidence of a fill."""

    time_ms: int
    client_order_id: str
    code: str


@define(eq=False)
class OrderAmended:
    """The order rests with these values now."""

    time_ms: int
    client_order_id: str
    price: Decimal | None
    quantity: Decimal


@define(eq=False)
class AmendRejected:
    """The venue would not amend; the order is as it was, or gone."""

    time_ms: int
    client_order_id: str
    code: str


@define(eq=False)
class OrderFilled:
    """One execution. `trade_id` is the venue's: it changes the ledger exactly once. The fee is in quote."""

    time_ms: int
    client_order_id: str
    trade_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    liquidity: Liquidity
    is_ambiguous: bool = False


@define(eq=False)
class FundingPaid:
    """Funding of the whole net position at a settlement; positive `amount` was received, in quote."""

    time_ms: int
    symbol: str
    amount: Decimal


@define(eq=False)
class CandlesClosed:
    """A boundary: candles that somebody declared an interest in have closed. A wake-up."""

    time_ms: int


@define(eq=False)
class TimerFired:
    """A timer that was asked for is due."""

    time_ms: int
    owner: str
    name: str


@define(eq=False)
class WatchCrossed:
    """The price is at or beyond a watched level for the first time."""

    time_ms: int
    owner: str
    name: str
    price: float


@define(eq=False)
class OperatorCommand:
    """An operator's word about one bot: start, pause, resume, stop, halt, acknowledge, reset; or about all.

    `reload` is always about all: the engine has been built anew from another configuration.
    """

    time_ms: int
    bot: str
    action: str
    reason: str = ""


@define(eq=False)
class EntriesBarred:
    """Until further notice nothing may add exposure to a symbol, or to any where it is empty; exits and stops go on.

    `reason` is a word, such as `database`, under which it is allowed again; `detail` is for people.
    """

    time_ms: int
    symbol: str
    reason: str
    detail: str = ""


@define(eq=False)
class EntriesAllowed:
    """What was barred for a reason may go on; other reasons may still stand against it."""

    time_ms: int
    symbol: str
    reason: str


Event = (
    OrderAccepted
    | OrderRejected
    | OrderCanceled
    | CancelRejected
    | OrderAmended
    | AmendRejected
    | OrderFilled
    | FundingPaid
    | CandlesClosed
    | TimerFired
    | WatchCrossed
    | OperatorCommand
    | EntriesBarred
    | EntriesAllowed
)
