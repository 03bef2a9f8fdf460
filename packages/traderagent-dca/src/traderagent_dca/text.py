"""Numbers as text for messages and previews."""

from decimal import Context, Decimal

_SHORT = Context(prec=12)


def plain(number: Decimal) -> str:
    """A number to the last digit, without exponent or trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def short(number: Decimal) -> str:
    """A number to twelve significant digits."""
    return plain(number.normalize(_SHORT))
