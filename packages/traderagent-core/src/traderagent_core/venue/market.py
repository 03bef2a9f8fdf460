"""One market of the venue: its book, its orders, the position in it and the money they tie up."""

from decimal import Decimal

from attrs import Factory, define

from traderagent_core.model.instrument import Instrument
from traderagent_core.model.instrument import Market as MarketKind
from traderagent_core.model.order import OrderRequest, OrderType, Side
from traderagent_core.model.position import Position
from traderagent_core.venue.book import Book, Entry

ZERO = Decimal(0)
ONE = Decimal(1)
SELL = Side.SELL
LIMIT = OrderType.LIMIT


@define(eq=False)
class VenueOrder:
    """An order as the venue keeps it. `level` is the price as candles have theirs, 0 for an order at the market.

    `unit_reserve` is the money tied up per unit of quantity left.
    """

    request: OrderRequest
    price: Decimal | None
    level: float
    quantity: Decimal
    filled: Decimal
    placed_candle: int
    entry: Entry | None = None
    is_above: bool = False
    unit_reserve: Decimal = ZERO


@define(eq=False)
class VenueWatch:
    """A price somebody wants to be told about."""

    owner: str
    name: str
    entry: Entry | None = None
    is_above: bool = False


@define(eq=False)
class Liquidation:
    """The level at which the position is taken over."""

    entry: Entry | None = None
    is_above: bool = False


@define(eq=False)
class VenueMarket:
    """State of one instrument at the venue; `price` is the last price, nan before the first."""

    instrument: Instrument
    leverage: Decimal = ONE
    price: float = float("nan")
    candle: int = -1
    low: float = float("inf")
    high: float = float("-inf")
    is_at_close: bool = False
    has_fired_above: bool = False
    has_fired_below: bool = False
    is_linear: bool = False
    position: Position = Factory(Position)
    book: Book = Factory(Book)
    orders: dict[str, VenueOrder] = Factory(dict)
    watches: dict[tuple[str, str], VenueWatch] = Factory(dict)
    pending: list[VenueOrder] = Factory(list)
    liquidation: Liquidation = Factory(Liquidation)
    open_buys: Decimal = ZERO
    open_sells: Decimal = ZERO
    margin: Decimal = ZERO
    attached: str = ""
    version: int = 0
    told: float = float("nan")
    told_exactly: Decimal = ZERO
    """The price that was last asked for, and the decimal that it is."""

    def __attrs_post_init__(self) -> None:
        self.is_linear = self.instrument.market is MarketKind.LINEAR

    def enter(self, candle: int, high: float, low: float) -> None:
        """A candle begins, the one of this index."""
        self.candle, self.high, self.low = candle, high, low
        self.is_at_close = self.has_fired_above = self.has_fired_below = False

    def last_price(self) -> Decimal:
        """The last price as the decimal that its shortest text says."""
        price = self.price
        if price != self.told:
            self.told, self.told_exactly = price, Decimal(repr(price))
        return self.told_exactly

    def unrest(self, item: VenueOrder | VenueWatch | Liquidation) -> None:
        """Take something that waits out of the book."""
        if item.entry is not None:
            self.book.remove(item.entry, is_above=item.is_above)
            item.entry = None
            self.version += 1

    def wait(
        self, item: VenueOrder | VenueWatch | Liquidation, level: float, rank: int, *, is_above: bool
    ) -> None:
        """Let an item wait for its price."""
        item.is_above = is_above
        item.entry = self.book.add(level, rank, item, is_above=is_above)
        self.version += 1

    def is_beyond(self, side: Side, kind: OrderType, level: float) -> bool:
        """Whether an order of this price would trade or trigger at the last price."""
        if (side is SELL) is (kind is LIMIT):
            return self.price >= level
        return self.price <= level

    def is_ambiguous(self, order: VenueOrder, *, is_above: bool) -> bool:
        """Whether another path inside the present candle could have changed this fill."""
        if order.placed_candle == self.candle:
            return not self.is_at_close  # Whatever the path, it ends at the close.
        if is_above:
            other = self.book.below
            return self.has_fired_below or bool(other and -other[0][0] >= self.low)
        other = self.book.above
        return self.has_fired_above or bool(other and other[0][0] <= self.high)

    def needed_margin(self) -> Decimal:
        """Initial margin of the position and of the side of open orders that would make it largest."""
        cost = self.position.cost
        worst = max(abs(cost), cost + self.open_buys, self.open_sells - cost)
        return worst if self.leverage == ONE else worst / self.leverage
