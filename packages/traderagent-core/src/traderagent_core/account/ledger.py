"""A ledger: what one strategy holds of an instrument and what it has made, to the last digit."""

from decimal import Decimal

from attrs import Factory, define

from traderagent_core.model.position import Position

ZERO = Decimal(0)


@define(eq=False)
class Ledger:
    """Position, fees, funding and completed cycles of one strategy; the house ledger has no strategy.

    `cycle_profit` is the gross price gain of completed cycles; it is part of what the position has realised.
    `open_buys` and `open_sells` are the notionals of own live orders. `bought_quantity` and `bought_notional` count
    all purchases so far; what was sold follows from them, the position and the flow.
    """

    bot: str
    symbol: str
    position: Position = Factory(Position)
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    cycles: int = 0
    cycle_profit: Decimal = ZERO
    open_buys: Decimal = ZERO
    open_sells: Decimal = ZERO
    bought_quantity: Decimal = ZERO
    bought_notional: Decimal = ZERO

    @property
    def quantity(self) -> Decimal:
        """Signed quantity held, base units."""
        return self.position.quantity

    @property
    def average_price(self) -> Decimal:
        """Average entry price; zero when flat."""
        return self.position.average_price

    @property
    def realized_pnl(self) -> Decimal:
        """Realised price gain, before fees and funding."""
        return self.position.realized_pnl

    @property
    def flow(self) -> Decimal:
        """Money that fills, fees and funding brought in; flow + quantity × price is the profit so far."""
        position = self.position
        return position.realized_pnl - position.cost - self.fees + self.funding

    def trade(self, signed: Decimal, price: Decimal) -> None:
        """Book a trade; `signed` is its quantity, negative for a sale."""
        if signed > ZERO:
            self.bought_quantity += signed
            self.bought_notional += signed * price
        self.position.apply(signed, price)

    def hand_over(self, heir: "Ledger", quantity: Decimal, price: Decimal) -> None:
        """Sell so much to another ledger, without a fee; it does not count as a position that was closed."""
        closed = self.position.closed
        self.trade(-quantity, price)
        self.position.closed = closed
        heir.trade(quantity, price)

    def profit(self, price: Decimal) -> Decimal:
        """Change of equity since the start at a price, after fees and funding."""
        return self.flow + self.position.quantity * price
