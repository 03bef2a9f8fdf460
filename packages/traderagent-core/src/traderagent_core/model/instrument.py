"""Instruments: one contract on one venue, with its steps, minimums and fees, and exact rounding to them."""

from decimal import Decimal
from enum import Enum

from attrs import field, frozen
from attrs.validators import ge, gt, instance_of, optional

from traderagent_core.model.order import OrderType, Side
from traderagent_core.model.position_side import side_of

ZERO = Decimal(0)
BUY, SELL = Side.BUY, Side.SELL


class Market(Enum):
    """What kind of contract: the coins themselves, or a perpetual settled in the quote currency."""

    SPOT = "spot"
    LINEAR = "linear"


def floor_to_step(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` not above `value` (value >= 0)."""
    return value // step * step


def ceil_to_step(value: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` not below `value` (value >= 0)."""
    floored = floor_to_step(value, step)
    return floored if floored == value else floored + step


@frozen
class Instrument:
    """One contract on one venue.

    Prices are in quote currency, quantities in base units, ratios are fractions (0.001 is 0.1 %). The largest
    quantities are those of one order that has a price, and of one at the market; None is no limit.
    """

    symbol: str
    market: Market = Market.SPOT
    tick_size: Decimal = field(default=Decimal("0.01"), validator=[instance_of(Decimal), gt(ZERO)])
    lot_size: Decimal = field(default=Decimal("0.00001"), validator=[instance_of(Decimal), gt(ZERO)])
    min_quantity: Decimal = field(default=ZERO, validator=[instance_of(Decimal), ge(ZERO)])
    min_notional: Decimal = field(default=ZERO, validator=[instance_of(Decimal), ge(ZERO)])
    maker_fee_ratio: Decimal = field(default=Decimal("0.001"), validator=instance_of(Decimal))
    taker_fee_ratio: Decimal = field(default=Decimal("0.001"), validator=instance_of(Decimal))
    max_leverage: Decimal = field(default=Decimal(1), validator=[instance_of(Decimal), ge(Decimal(1))])
    maintenance_margin_ratio: Decimal = field(default=Decimal("0.005"), validator=instance_of(Decimal))
    max_quantity: Decimal | None = field(default=None, validator=optional([instance_of(Decimal), gt(ZERO)]))
    max_market_quantity: Decimal | None = field(
        default=None, validator=optional([instance_of(Decimal), gt(ZERO)])
    )

    @property
    def base(self) -> str:
        """Currency that is bought and sold."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """Currency that prices and fees are in."""
        return self.symbol.partition("/")[2].partition(":")[0]

    @property
    def side(self) -> Side | None:
        """The side that adds to the position, where an account holds long and short apart; else None."""
        return side_of(self.symbol)

    def limit_price(self, side: Side, price: Decimal) -> Decimal:
        """`price` on the tick grid, never worse than asked: down to buy, up to sell, never below one tick."""
        tick = self.tick_size
        floored = price // tick * tick
        rounded = floored if side is BUY or floored == price else floored + tick
        return rounded if rounded >= tick else tick

    def stop_price(self, side: Side, price: Decimal) -> Decimal:
        """A trigger price on the tick grid, away from the market: down for a SELL stop, up for a BUY stop."""
        return self.limit_price(BUY if side is SELL else SELL, price)

    def round_quantity(self, quantity: Decimal) -> Decimal:
        """`quantity` rounded down to the lot size; zero when it is less than one lot."""
        lot = self.lot_size
        return quantity // lot * lot

    @property
    def has_largest_order(self) -> bool:
        """Whether the quantity of an order is limited."""
        return self.max_quantity is not None or self.max_market_quantity is not None

    def largest_order(self, kind: OrderType) -> Decimal | None:
        """The largest quantity of one order of this type, or None. A stop trades at the market."""
        return self.max_quantity if kind is OrderType.LIMIT else self.max_market_quantity

    def size_problem(self, quantity: Decimal, price: Decimal) -> str | None:
        """Why the venue would refuse an order of this size, or None when it would not."""
        if quantity <= ZERO:
            return f"quantity rounds to zero: the lot size of {self.symbol} is {self.lot_size}"
        if quantity < self.min_quantity:
            return f"quantity {quantity} is below the minimum {self.min_quantity} of {self.symbol}"
        if quantity * price < self.min_notional:
            return (
                f"notional {quantity * price} is below the minimum {self.min_notional} {self.quote}"
                f" of {self.symbol}"
            )
        return None
