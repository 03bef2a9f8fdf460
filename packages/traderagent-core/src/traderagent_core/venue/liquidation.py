"""Liquidation of linear positions under isolated margin with one maintenance tier.

Formulas: bankruptcy = entry × (1 ∓ 1 / leverage); liquidation = entry × (1 ∓ 1 / leverage ± maintenance ratio);
upper signs for long. The position is closed at the bankruptcy price, so that its margin is lost and no more.
"""

from decimal import Decimal

ONE = Decimal(1)


def liquidation_price(entry: Decimal, leverage: Decimal, maintenance: Decimal, *, is_long: bool) -> Decimal:
    """Price at which the position is taken over; at or below zero when a long cannot be liquidated."""
    margin = ONE / leverage - maintenance
    return entry * (ONE - margin if is_long else ONE + margin)


def bankruptcy_price(entry: Decimal, leverage: Decimal, *, is_long: bool) -> Decimal:
    """Price at which the margin is used up."""
    return entry * (ONE - ONE / leverage if is_long else ONE + ONE / leverage)
