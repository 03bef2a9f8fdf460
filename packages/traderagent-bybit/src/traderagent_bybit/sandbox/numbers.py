"""Numbers as Bybit writes them: strings in plain notation, empty where there is none."""

from decimal import Decimal, InvalidOperation

ZERO = Decimal(0)
LARGEST_EXPONENT = 20


def plain(value: Decimal) -> str:
    """A decimal without exponent and without trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain_or_empty(value: Decimal | None) -> str:
    """As `plain`; empty for None and for zero."""
    return plain(value) if value else ""


def fixed(value: float | Decimal, step: Decimal) -> str:
    """A price with the decimals of its tick."""
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    places = max(0, -int(step.normalize().as_tuple().exponent))
    return f"{number:.{places}f}"


def money(value: Decimal) -> str:
    """An amount of a currency, to eight places."""
    return plain(round(value, 8) + ZERO)


def parse(value: object) -> Decimal | None:
    """The decimal that a text or number holds; None for what is none of ordinary size."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= LARGEST_EXPONENT else None
