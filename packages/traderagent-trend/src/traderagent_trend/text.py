"""Numbers as a person writes them."""

from decimal import Context, Decimal

_DIGITS = Context(prec=12)


def plain(number: Decimal) -> str:
    """A number to twelve significant digits, without exponent or trailing zeros."""
    return f"{number.normalize(_DIGITS):f}"
