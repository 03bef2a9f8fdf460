"""Deals: the one that is on, and what is remembered of those that are over. All numbers come from confirmed fills."""

from decimal import Decimal

from attrs import evolve, frozen
from traderagent_core.ports import PositionView

from traderagent_dca.config import DcaConfig
from traderagent_dca.shape import EXACT, ONE, ZERO

STOP_LOSS = "stop_loss"
TRAILING = "trailing_take_profit"
BREAK_EVEN = "break_even"


@frozen
class Mark:
    """The ledger's running totals at one time; what a deal did is the difference of two."""

    quantity: Decimal = ZERO
    bought_quantity: Decimal = ZERO
    bought_notional: Decimal = ZERO
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO


@frozen
class OpenDeal:
    """A deal that has been asked for. What of it is filled is the ledger's word: see `progress`.

    `quantities` are those of its orders, the base order first, as they were granted.
    """

    number: int
    asked_ms: int
    price: Decimal
    quantities: tuple[Decimal, ...]
    mark: Mark


@frozen
class Deal:
    """What the fills of a deal add up to; money in quote.

    `steps` counts orders that have added to it, the base order included; `invested` is what they cost without fees
    and `average` the price that this makes. `realized` is before fees and funding.
    """

    number: int
    opened_ms: int
    closed_ms: int
    steps: int
    quantity: Decimal
    invested: Decimal
    average: Decimal
    realized: Decimal
    fees: Decimal
    funding: Decimal
    reason: str

    @property
    def profit(self) -> Decimal:
        """What the deal has left after fees and funding."""
        return self.realized - self.fees + self.funding


def mark_of(position: PositionView) -> Mark:
    """The ledger's totals now."""
    return Mark(
        position.quantity,
        position.bought_quantity,
        position.bought_notional,
        position.realized_pnl,
        position.fees,
        position.funding,
    )


def mark_before(position: PositionView) -> Mark:
    """The ledger's totals before it took over all that it holds."""
    quantity = max(position.quantity, ZERO)  # What came in as a sale is told by the position itself.
    mark = mark_of(position)
    return evolve(
        mark,
        quantity=ZERO,
        bought_quantity=mark.bought_quantity - quantity,
        bought_notional=mark.bought_notional - quantity * position.average_price,
    )


def progress(deal: OpenDeal, position: PositionView, now_ms: int, *, is_long: bool, reason: str = "") -> Deal:
    """What a deal amounts to by the fills so far; `reason` says why it is over, when it is."""
    mark = deal.mark
    quantity, invested = _entered(position, mark, is_long=is_long)
    return Deal(
        number=deal.number,
        opened_ms=deal.asked_ms,
        closed_ms=now_ms,
        steps=_steps(deal, quantity),
        quantity=quantity,
        invested=invested,
        average=EXACT.divide(invested, quantity) if quantity else ZERO,
        realized=position.realized_pnl - mark.realized,
        fees=position.fees - mark.fees,
        funding=position.funding - mark.funding,
        reason=reason,
    )


def _entered(position: PositionView, mark: Mark, *, is_long: bool) -> tuple[Decimal, Decimal]:
    """Quantity and notional that were added to a deal: what was bought, or by the ledger's identity what was sold."""
    quantity = position.bought_quantity - mark.bought_quantity
    notional = position.bought_notional - mark.bought_notional
    if is_long:
        return quantity, notional
    cost = position.quantity * position.average_price
    sold = quantity - (position.quantity - mark.quantity)
    return sold, notional + position.realized_pnl - mark.realized - cost


def _steps(deal: OpenDeal, quantity: Decimal) -> int:
    """Number of orders that it takes to hold this much; a part of an order counts."""
    steps, total = 0, ZERO
    for size in deal.quantities:
        if total >= quantity:
            break
        total += size
        steps += 1
    return steps


def cause(config: DcaConfig, deal: Deal, price: Decimal) -> str:
    """Which of the stop's rules closed a deal that its stop has closed, told by the price at which it happened."""
    gain = EXACT.divide(price, deal.average) - ONE
    gain = gain if config.is_long else -gain
    if gain <= ZERO:
        return STOP_LOSS
    if config.trailing_deviation is None:
        return STOP_LOSS if config.break_even_percentage is None else BREAK_EVEN
    sign = ONE if config.is_long else -ONE
    kept = (ONE + sign * config.take_profit_percentage) * (ONE - sign * config.trailing_deviation) - ONE
    return BREAK_EVEN if config.break_even_percentage is not None and gain < sign * kept / 2 else TRAILING
