"""Funding: what a linear position pays or receives at a settlement."""

from decimal import Decimal


def funding_payment(quantity: Decimal, mark_price: Decimal, rate: Decimal) -> Decimal:
    """Money received by the holder: longs pay a positive rate, shorts receive it."""
    return -quantity * mark_price * rate
