"""Number and text types that plugins use in their configuration models."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from traderagent_core.config.fields import (
    NonNegativeDecimal,
    PositiveDecimal,
    RatioDecimal,
    Symbol,
    Timeframe,
    number_hint,
)

ORDINARY = st.decimals(
    min_value=Decimal("1e-12"), max_value=Decimal("1e15"), allow_nan=False, allow_infinity=False
)


@given(ORDINARY)
def test_texts_and_decimals_are_taken_to_the_last_digit(number: Decimal) -> None:
    adapter: TypeAdapter[Decimal] = TypeAdapter(PositiveDecimal)
    assert str(adapter.validate_python(str(number))) == str(number)
    assert str(adapter.validate_python(number)) == str(number)


@given(st.floats(min_value=1e-12, max_value=1e15))
def test_floats_are_taken_by_their_shortest_text(number: float) -> None:
    assert TypeAdapter(PositiveDecimal).validate_python(number) == Decimal(repr(number))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (PositiveDecimal, ["0.1", 1, "1e-9"], [0, "-1"]),
        (NonNegativeDecimal, [0, "0.0", 5], ["-0.1", -1]),
        (RatioDecimal, [0, 1, "0.5"], ["1.0001", -1, 12]),
    ],
)
def test_limits(kind: Any, good: list[Any], bad: list[Any]) -> None:
    adapter = TypeAdapter(kind)
    for value in good:
        assert adapter.validate_python(value) == Decimal(str(value))
    for value in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


@pytest.mark.parametrize(
    "value", [True, None, [], {}, "", "x", "nan", "inf", "1e500", "1e-500", "0x10", b"1"]
)
def test_what_is_no_ordinary_number_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError, match="expected a number"):
        TypeAdapter(PositiveDecimal).validate_python(value)


@pytest.mark.parametrize(
    ("written", "hint"),
    [("12%", "0.12"), ("0.5 %", "0.005"), ("1,000", "1000"), ("1,5", "1.5"), ("-1,234,567.8", "-1234567.8")],
)
def test_numbers_written_otherwise_get_a_hint(written: str, hint: str) -> None:
    assert number_hint(written).endswith(f": {hint}")


@pytest.mark.parametrize("value", ["five", "%", "1,2,3", "", None])
def test_no_hint_is_invented(value: Any) -> None:
    assert number_hint(value) == ""


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("BTCUSDT", "write BTC/USDT"),
        ("btc/usdt", "write BTC/USDT"),
        ("BTC-USDT", "write BTC/USDT"),
        ("BTC/USDT:USDT", "write BTC/USDT and `market: linear`"),
        ("btc/usdt:Long", "write BTC/USDT:long"),
        ("BTC/USDT:both", "write BTC/USDT and `market: linear`"),
        ("USDT", "write the base currency"),
        ("BTC/USDT/X", "write the base currency"),
        ("", "write the base currency"),
        (5, "write the base currency"),
    ],
)
def test_symbols_in_other_forms_get_a_hint(written: Any, hint: str) -> None:
    with pytest.raises(ValidationError, match=hint):
        TypeAdapter(Symbol).validate_python(written)


@pytest.mark.parametrize("good", ["BTC/USDT", "BTC/USDT:long", "BTC/USDT:short"])
def test_symbols_may_name_a_position_of_hedge_mode(good: str) -> None:
    assert TypeAdapter(Symbol).validate_python(good) == good


@pytest.mark.parametrize("good", ["1m", "15m", "1h", "1d", "1w"])
def test_timeframes(good: str) -> None:
    assert TypeAdapter(Timeframe).validate_python(good) == good


@pytest.mark.parametrize("bad", ["1", "h1", "0m", "1M", "1 h", "", 60])
def test_other_timeframes_are_refused(bad: Any) -> None:
    with pytest.raises(ValidationError, match="such as 15m"):
        TypeAdapter(Timeframe).validate_python(bad)
