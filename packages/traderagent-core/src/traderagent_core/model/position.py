"""A net position with its cost, by the average-price method; exact however its fills are split."""

from contextlib import AbstractContextManager
from decimal import ROUND_HALF_EVEN, Context, Decimal, getcontext, setcontext

from attrs import define

ZERO = Decimal(0)

MONEY_DIGITS = 40
MONEY = Context(prec=MONEY_DIGITS, rounding=ROUND_HALF_EVEN)
"""Context of all money arithmetic: sums and products of 20-digit numbers stay exact."""


class _InMoney:
    """What `money_context` gives; entered once for each step and each price, so a generator would show."""

    __slots__ = ("_outside",)

    def __enter__(self) -> None:
        self._outside = getcontext()
        setcontext(MONEY)

    def __exit__(self, *_: object) -> None:
        setcontext(self._outside)


def money_context() -> AbstractContextManager[None]:
    """Compute in MONEY inside; the caller's own context comes back afterwards."""
    return _InMoney()


_AVERAGE = Context(prec=16, rounding=ROUND_HALF_EVEN)


@define(eq=False)
class Position:
    """Signed quantity in base units and what it cost in quote; negative is short.

    At any time `realized_pnl - cost` equals the money that the fills brought in, to the last digit. The average
    price is rounded to 16 digits once, when the position is first reduced, so that a fill split into parts at one
    price leaves the same numbers as the whole. `closed` counts how often it has become flat.
    """

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    average: Decimal | None = None
    closed: int = 0

    @property
    def average_price(self) -> Decimal:
        """Average entry price; zero when flat."""
        if self.average is None:
            if not self.quantity:
                return ZERO
            self.average = _AVERAGE.divide(self.cost, self.quantity)
        return self.average

    def apply(self, signed: Decimal, price: Decimal) -> None:
        """Take in a fill; `signed` is its quantity, negative for a sale."""
        quantity = self.quantity
        if not quantity or (quantity > ZERO) is (signed > ZERO):
            self.quantity = quantity + signed
            self.cost += signed * price
            self.average = None
            return
        rest = quantity + signed
        if rest and (rest > ZERO) is not (quantity > ZERO):
            self._reduce(-quantity, price)
            self.apply(rest, price)
        else:
            self._reduce(signed, price)

    def _reduce(self, signed: Decimal, price: Decimal) -> None:
        average = self.average_price
        self.quantity += signed
        self.cost += signed * average
        self.realized_pnl -= signed * (price - average)
        if not self.quantity:
            self.realized_pnl -= self.cost
            self.cost = ZERO
            self.average = None
            self.closed += 1
