"""The base of configuration models, and their number and text types, in the core and in plugins.

Numbers may be written plainly or in quotes and are kept to the last digit: 0.1 is Decimal("0.1").
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from traderagent_core.errors import DataError
from traderagent_core.model.position_side import SIDES
from traderagent_core.model.timeframe import timeframe_ms

RULE_ERROR = "traderagent_rule"
LARGEST_EXPONENT = 40

_THOUSANDS = re.compile(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")
_SYMBOL = re.compile(r"^[A-Z0-9]{1,20}/[A-Z0-9]{1,20}(:long|:short)?$")
_QUOTES = ("USDT", "USDC", "USD", "EUR", "BTC", "ETH")


class Section(BaseModel):
    """Keys that nobody knows are refused; values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def rule_error(rule: str, hint: str = "", *, other: str = "") -> PydanticCustomError:
    """A broken rule for a validator to raise: what is expected, and how to mend it.

    `other` is the key beside it that the rule is about too; it is pointed at where the field itself is not written.
    """
    template = "{rule}; {hint}" if hint else "{rule}"
    return PydanticCustomError(RULE_ERROR, template, {"rule": rule, "hint": hint, "other": other})


def number_hint(value: object) -> str:
    """How to write a number that was written in some other way; empty when there is nothing to say."""
    text = str(value).strip()
    if text.endswith("%"):
        share = _decimal(text[:-1].strip())
        return f"ratios are written as fractions: {share / 100:f}" if share is not None else ""
    if _THOUSANDS.match(text):
        return f"write it without commas: {text.replace(',', '')}"
    if re.match(r"^[+-]?\d+,\d+$", text):
        return f"use a point: {text.replace(',', '.')}"
    return ""


def exact_number(value: Any) -> Decimal:
    """A Decimal of an int, a Decimal or a text, to the last digit; floats are taken by their shortest text."""
    if isinstance(value, bool) or not isinstance(value, int | str | float | Decimal):
        raise rule_error("expected a number")
    number = _decimal(value.strip() if isinstance(value, str) else str(value))
    if number is None:
        raise rule_error("expected a number", number_hint(value))
    if not number.is_finite() or abs(number.adjusted()) > LARGEST_EXPONENT:
        raise rule_error("expected a number of ordinary size")
    return number


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


_SEVERAL = re.compile(r"\s*[,+&|/]\s*|\s+and\s+")


def one_strategy(hint: str) -> BeforeValidator:
    """Refuses a list of strategies, written as a list or in a text, with this hint."""

    def check(value: Any) -> Any:
        if isinstance(value, list) or (isinstance(value, str) and _SEVERAL.search(value)):
            raise rule_error("expected one strategy, as two never trade a pair together", hint)
        return value

    return BeforeValidator(check)


def trading_symbol(value: Any) -> str:
    """BASE/QUOTE in capitals; in hedge mode with the position that is meant, as BTC/USDT:long."""
    if isinstance(value, str) and _SYMBOL.match(value):
        return value
    raise rule_error("expected a symbol such as BTC/USDT", _symbol_hint(value))


def _symbol_hint(value: Any) -> str:
    text = str(value).strip().upper().replace("-", "/").replace("_", "/")
    pair, colon, rest = text.partition(":")
    for quote in _QUOTES:
        if "/" not in pair and pair.endswith(quote) and pair != quote:
            pair = f"{pair[: -len(quote)]}/{quote}"
    if not _SYMBOL.match(pair):
        return "write the base currency, a slash and the quote currency, in capitals"
    if rest.lower() in SIDES:
        return f"write {pair}:{rest.lower()}"
    return f"write {pair}" + (" and `market: linear`" if colon else "")


def known_timeframe(value: Any) -> str:
    """A timeframe as text, such as 15m, 1h or 1d."""
    if isinstance(value, str):
        try:
            timeframe_ms(value)
        except DataError:
            pass
        else:
            return value
    raise rule_error("expected a timeframe such as 15m, 1h or 1d", "a number and one of m, h, d, w")


# The limits stand before the reader, so that they reach JSON Schema as limits of the number.
EXACT = BeforeValidator(exact_number)

AnyDecimal = Annotated[Decimal, EXACT]
PositiveDecimal = Annotated[Decimal, Field(gt=0), EXACT]
NonNegativeDecimal = Annotated[Decimal, Field(ge=0), EXACT]
RatioDecimal = Annotated[Decimal, Field(ge=0, le=1), EXACT]
Symbol = Annotated[str, Field(pattern=_SYMBOL.pattern), BeforeValidator(trading_symbol)]
Timeframe = Annotated[str, Field(pattern=r"^[1-9]\d{0,3}[mhdw]$"), BeforeValidator(known_timeframe)]
