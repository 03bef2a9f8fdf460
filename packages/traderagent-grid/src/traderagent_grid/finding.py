"""A finding: something that speaks against a grid, with its numbers and how to mend it."""

from decimal import Decimal

from attrs import frozen
from traderagent_core import Problem


@frozen
class Finding:
    """A problem with a stable code, by which it is recorded while a grid runs."""

    code: str
    message: str
    remedy: str
    is_fatal: bool = True

    def problem(self) -> Problem:
        """As the core shows it."""
        return Problem(self.message, self.remedy, self.is_fatal)


@frozen
class Means:
    """What a grid may use: buying power in quote (budget × leverage) and what losses have taken of it."""

    power: Decimal
    lost: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal:
        """Buying power that is still there."""
        return self.power - self.lost
