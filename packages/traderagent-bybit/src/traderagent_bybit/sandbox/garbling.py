"""Messages that arrive spoilt: pages instead of answers, halves, fields that are missing, mistyped or absurd.

What is spoilt makes no sense. It never becomes another message that does: nobody could tell a lie from the truth.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
HUGE = 300_000
DEEP = 100_000
_JUNK: tuple[Any, ...] = (None, 2**200, 0.1, float("nan"), float("inf"), "x" * 5_000, [[]], {"a": 1}, [None])
_NO_NUMBERS = ("NaN", "-Infinity", "1e999", "abc", "\u0000", "\N{ARABIC-INDIC DIGIT THREE}", "0x10", "1,5")
_WHOLE = (
    "",
    " ",
    "null",
    "[]",
    "{}",
    "0",
    "NaN",
    '"text"',
    HTML,
    "{" * 50,
    "[" * DEEP + "]" * DEEP,
    "9" * HUGE,
    "\ufeff{}",
    '{"retCode":"0","retMsg":"OK","result":{"list":[]}}',
    '{"retCode":0,"retMsg":"OK","result":null}',
    '{"retCode":0,"retMsg":"OK","result":{"list":[null]}}',
    '{"topic":"order","data":[null]}',
    '{"topic":5,"data":{}}',
    '{"topic":"execution"}',
)
_Slot = tuple[Any, Any]


def garbled(text: str, random: Random) -> str:
    """A message after one thing that may happen to it on its way, or to the server that wrote it."""
    way = random.choice(_WAYS)
    return way(text, random)


def _other(_: str, random: Random) -> str:
    return random.choice(_WHOLE)


def _cut_off(text: str, random: Random) -> str:
    return text[: random.randint(0, len(text))]


def _doubled(text: str, _: Random) -> str:
    return text + text


def _changed(change: Callable[[Any, Any, Random], None]) -> Callable[[str, Random], str]:
    """One field of the message, wherever it stands."""

    def way(text: str, random: Random) -> str:
        message = json.loads(text)
        slots = list(_slots(message))
        if slots:
            change(*random.choice(slots), random)
        return json.dumps(message)

    return way


def _slots(value: Any) -> list[_Slot]:
    """Every place in a message that holds a value, with what it is in."""
    keys: Any = (
        value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    found: list[_Slot] = []
    for key in keys:
        found += [(value, key), *_slots(value[key])]
    return found


def _replace(holder: Any, key: Any, random: Random) -> None:
    is_number = isinstance(holder[key], str) and _is_number(holder[key])
    holder[key] = random.choice(_NO_NUMBERS if is_number and random.random() < 0.5 else _JUNK)


def _remove(holder: Any, key: Any, _: Random) -> None:
    """A key; a list that is shorter would make sense."""
    if isinstance(holder, dict):
        del holder[key]
    else:
        holder[key] = None


def _add(holder: Any, key: Any, random: Random) -> None:
    if isinstance(holder, dict):
        holder["somethingNew"] = random.choice(_JUNK)
    else:
        holder.append(random.choice((holder[key], None, [])))


def _retype(holder: Any, key: Any, _: Random) -> None:
    """Numbers that are text become floats, all else a list of itself."""
    value = holder[key]
    holder[key] = float(value) if isinstance(value, str) and _is_number(value) and "." in value else [value]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_WAYS: tuple[Callable[[str, Random], str], ...] = (
    _other,
    _cut_off,
    _doubled,
    *[_changed(_replace)] * 5,
    *[_changed(_remove)] * 2,
    _changed(_add),
    *[_changed(_retype)] * 2,
)
