"""Fields of Bybit's rows: what is there is taken only if it can be meant so; nothing is guessed."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from traderagent_core import ExchangeUnavailableError, Side

ZERO = Decimal(0)
LARGEST_EXPONENT = 30
LONGEST_TEXT = 2_000
LONGEST_SHOWN = 80
FIRST_MS, LAST_MS = 1_400_000_000_000, 4_102_444_800_000
"""2014 to 2099: a time outside is none."""

SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
STRANGE = (KeyError, IndexError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What comes of taking an answer for what it is not."""

Row = Mapping[str, Any]
Taken = ParamSpec("Taken")
Given = TypeVar("Given")


class NonsenseError(ValueError):
    """A message that cannot be meant so."""


def shown(value: object) -> str:
    """A value for a message, cut short."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def rows_of(value: object) -> list[Row]:
    """A list of objects."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise NonsenseError(f"expected rows, not {shown(value)}")
    return value


def text(row: Row, key: str) -> str:
    """A text, which may be empty."""
    value = row[key]
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise NonsenseError(f"{key} is {shown(value)}; expected a text of ordinary length")
    return value


def name(row: Row, key: str) -> str:
    """A text that is not empty."""
    if not (value := text(row, key)):
        raise NonsenseError(f"{key} is empty")
    return value


def amount(row: Row, key: str) -> Decimal:
    """A number, written as text or as a whole number; never by way of a float."""
    return _number(row[key], key)


def amount_or_zero(row: Row, key: str) -> Decimal:
    """The same where an empty text means zero."""
    value = row[key]
    return ZERO if value == "" else _number(value, key)


def positive(row: Row, key: str) -> Decimal:
    """A number above zero."""
    if (value := amount(row, key)) <= ZERO:
        raise NonsenseError(f"{key} is {value}; expected a number above 0")
    return value


def quantity(row: Row, key: str) -> Decimal:
    """A number that is not negative."""
    if (value := amount(row, key)) < ZERO:
        raise NonsenseError(f"{key} is {value}; expected 0 or more")
    return value


def flag(row: Row, key: str) -> bool:
    """True or false."""
    value = row[key]
    if not isinstance(value, bool):
        raise NonsenseError(f"{key} is {shown(value)}; expected true or false")
    return value


def side(row: Row, key: str = "side") -> Side:
    """Buy or Sell."""
    value = row[key]
    if value not in SIDES:
        raise NonsenseError(f"{key} is {shown(value)}; expected Buy or Sell")
    return SIDES[value]


def time_ms(row: Row | Sequence[Any], key: Any) -> int:
    """A time of our days, in ms."""
    value = row[key]
    found = int(value) if isinstance(value, int | str) and not isinstance(value, bool) else 0
    if not FIRST_MS < found < LAST_MS:
        raise NonsenseError(f"{key} is {shown(value)}; expected a time in ms")
    return found


def _number(value: object, key: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise NonsenseError(f"{key} is {shown(value)}; expected a number as text")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise NonsenseError(f"{key} is {shown(value)}; expected a number") from None
    if not number.is_finite() or abs(number.adjusted()) > LARGEST_EXPONENT:
        raise NonsenseError(f"{key} is {shown(value)}; expected a number of ordinary size")
    return number


def sensible(
    read: Callable[Taken, Coroutine[Any, Any, Given]],
) -> Callable[Taken, Coroutine[Any, Any, Given]]:
    """A read whose answer makes no sense has failed: it says nothing about what is there."""

    @wraps(read)
    async def call(*args: Taken.args, **named: Taken.kwargs) -> Given:
        try:
            return await read(*args, **named)
        except STRANGE as error:
            what = f"{type(error).__name__}: {error}"
            raise ExchangeUnavailableError(f"{read.__name__}: the answer makes no sense ({what})") from error

    return call
