import json
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core.report.text import (
    PARTS,
    dumped,
    dumps,
    dumps_compact,
    iso,
    iso_column,
    jsonable,
    plain,
)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1E+3", "1000"),
        ("1E-9", "0.000000001"),
        ("-0.00", "0.00"),
        ("-0E-12", "0.000000000000"),
        ("-1.50", "-1.50"),
        ("0", "0"),
    ],
)
def test_decimal_text_has_no_exponent(number, text):
    assert plain(Decimal(number)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
def test_decimal_text_keeps_the_value(number):
    text = plain(number)
    assert Decimal(text) == number
    assert "E" not in text


def test_times_show_milliseconds_only_where_there_are_any():
    assert iso(1_704_067_200_000) == "2024-01-01T00:00:00Z"
    assert iso(1_704_067_200_120) == "2024-01-01T00:00:00.120Z"


@given(st.lists(st.integers(0, 4_000_000_000).map(lambda s: s * 1000), min_size=1))
def test_columns_of_times_read_like_single_ones(times):
    assert iso_column(np.array(times, dtype=np.int64)) == [iso(time) for time in times]


class Colour(Enum):
    RED = "red"


def test_json_has_only_its_own_types():
    value = {
        "undefined": float("nan"),
        "endless": np.float64("inf"),
        "money": Decimal("1E+2"),
        "when": datetime(2024, 1, 1, tzinfo=UTC),
        "path": Path("a/b"),
        "word": Colour.RED,
        "numbers": (np.int64(3), 1.5, True, None),
        Colour.RED: {3, 1},
    }
    assert jsonable(value) == {
        "undefined": None,
        "endless": None,
        "money": "100",
        "when": "2024-01-01T00:00:00Z",
        "path": "a/b",
        "word": "red",
        "numbers": [3, 1.5, True, None],
        "red": [1, 3],
    }


def test_what_has_no_stable_text_is_refused():
    with pytest.raises(TypeError, match="object has no stable text"):
        jsonable({"x": object()})


def test_key_order_changes_nothing():
    assert dumps({"b": 1, "a": 2}) == dumps({"a": 2, "b": 1})
    assert dumps_compact({"b": 1, "a": 2}) == '{"a":2,"b":1}'


@pytest.mark.parametrize(
    "value",
    [
        {"b": [{"y": 1, "x": None}, {"x": "é\n", "y": 0.1}], "a": {}},
        [1, [2, {"k": []}], {"rows": [{"deep": [1]}, {"flat": True}]}],
        [],
        "text",
    ],
)
def test_indented_json_says_what_it_was_given(value) -> None:
    assert json.loads(dumps(value)) == value
    assert b"".join(dumped(value)).decode() == dumps(value)


def test_a_long_text_is_given_in_parts() -> None:
    value = {"rows": [{"a": number} for number in range(PARTS)]}
    parts = list(dumped(value))
    assert len(parts) == 3  # Two of texts and the last newline.
    assert b"".join(parts).decode() == dumps(value)


def test_rows_stand_on_a_line_each() -> None:
    assert dumps({"rows": [{"b": 1, "a": 2}, {"b": 3}]}) == (
        '{\n  "rows": [\n    {"a": 2, "b": 1},\n    {"b": 3}\n  ]\n}\n'
    )


def test_rows_have_a_line_each_whatever_their_texts_are():
    rows = [{"text": "}, {"}, {}, {"text": '"}, {"', "number": 1}, {"text": "[{}]"}]
    for value in (rows, rows[1:2], rows[1::2], rows * 300, [*rows, 7, None], []):
        lines = dumps(value).splitlines()
        assert json.loads("".join(lines)) == value
        assert [json.loads(line.rstrip(",")) for line in lines[1:-1]] == value
