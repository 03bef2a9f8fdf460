import json
from collections import deque
from decimal import Decimal
from typing import Any

import pytest
from attrs import define
from traderagent_core.engine.codec import StateError, decode, encode, to_json
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import Side

PACKAGES = {"traderagent_core", __name__.partition(".")[0]}


@define
class Nothing:
    pass


@define
class Single:
    value: Any


@define
class Pair:
    left: Any
    right: Any


VALUES = [
    None,
    True,
    -7,
    10**30,
    0.1,
    -0.0,
    5e-324,
    float("inf"),
    float("-inf"),
    'quoted "so"\\ \n\t ä 😀 \ud800 %s',
    Decimal("1E+3"),
    Decimal("-0.00"),
    Side.SELL,
    (1, (2.5, [Side.BUY])),
    frozenset({1}),
    deque([Decimal(1)]),
    {("a", 1): {"b": None}},
    [],
    {},
]


@pytest.mark.parametrize("value", [*VALUES, Nothing(), *map(Single, VALUES), Pair(Single(1), VALUES)])
def test_text_is_what_json_writes_and_brings_the_value_back(value: Any) -> None:
    text = to_json(value)
    assert text == json.dumps(encode(value), separators=(",", ":"))
    back = decode(json.loads(text), PACKAGES)
    assert repr(back) == repr(value)


def test_what_is_shared_is_told_once_and_shared_again() -> None:
    shared = Single([1])
    text = to_json(Pair(shared, (shared, Pair(shared, None))))
    assert text.count("Single") == 1
    back = decode(json.loads(text), PACKAGES)
    assert back.left is back.right[0] is back.right[1].left


def test_a_ring_of_objects_comes_back() -> None:
    ring = Pair(1, None)
    ring.right = Single(ring)
    back = decode(json.loads(to_json(ring)), PACKAGES)
    assert back.right.value is back


@pytest.mark.parametrize("value", [object(), Single(b"bytes"), [1j], {"a": Single(range(3))}])
def test_other_values_are_refused(value: Any) -> None:
    with pytest.raises(StateError, match="a state may hold"):
        to_json(value)


def test_an_object_that_an_older_version_saved_has_the_defaults_of_later_fields() -> None:
    data = encode(Instrument("BTC/USDT", tick_size=Decimal("0.5"), max_quantity=Decimal(3)))
    (saved,) = (entry["fields"] for entry in data["objects"] if entry["class"].endswith(":Instrument"))
    del saved["max_quantity"]
    assert decode(data, PACKAGES) == Instrument("BTC/USDT", tick_size=Decimal("0.5"))
