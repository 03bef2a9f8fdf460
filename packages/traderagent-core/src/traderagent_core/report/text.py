"""Numbers and times as stable text: the same run always gives the same bytes."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from itertools import islice
from math import isfinite
from pathlib import PurePath
from typing import Any

import numpy as np
from attrs import frozen

from traderagent_core.model.candle import TimeColumn
from traderagent_core.model.timeframe import DAY_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PARTS = 10_000
"""So many texts are written at once."""
ROWS = 500
"""So many rows of a list are encoded at once."""
_MEETING = "}, {"
"""Between two objects of a list, and perhaps in a text."""
_OWN = frozenset({bool, int, str, type(None)})
"""Types that JSON has as they are."""
_TEXT = frozenset({str})
_NESTED = frozenset({dict, list})


@frozen
class Lines:
    """Flat objects of a list, each on a line of its own; made one after another when they are written."""

    parts: Iterable[Mapping[str, Any]]


def plain(number: Decimal) -> str:
    """A Decimal without exponent and without a signed zero; digits are kept as they are."""
    text = str(number)
    if "E" in text:
        text = format(number, "f")
    return text[1:] if text[0] == "-" and not number else text


def iso(time_ms: int) -> str:
    """ISO 8601 in UTC with `Z`; milliseconds only where there are any."""
    day, rest = divmod(time_ms, DAY_MS)
    return f"{_date(day)}T{_clock(rest)}Z"


@lru_cache(maxsize=4096)
def _date(day: int) -> str:
    """The date of a day, counted from 1970: a report tells many times on few days."""
    return (_EPOCH + timedelta(days=day)).date().isoformat()


@lru_cache(maxsize=4096)
def _clock(time_ms: int) -> str:
    """The time of a day."""
    time = (_EPOCH + timedelta(milliseconds=time_ms)).time()
    return time.isoformat("milliseconds" if time_ms % 1000 else "seconds")


def iso_column(time_ms: TimeColumn) -> list[str]:
    """`iso` of a whole column; all with milliseconds as soon as one needs them."""
    unit = "ms" if np.any(time_ms % 1000) else "s"
    stamps = np.ascontiguousarray(time_ms, dtype=np.int64).view("datetime64[ms]")
    return [f"{stamp}Z" for stamp in np.datetime_as_string(stamps, unit=unit).tolist()]  # type: ignore[call-overload]


def iso_texts(times_ms: Iterable[int]) -> dict[int, str]:
    """`iso` of each of some times."""
    found: dict[int, str] = {}
    times = np.fromiter(times_ms, dtype=np.int64)
    for column in (times[times % 1000 == 0], times[times % 1000 != 0]):
        found.update(zip(column.tolist(), iso_column(column), strict=True))
    return found


def jsonable(value: Any) -> Any:
    """`value` in JSON's own types: Decimal as plain text, undefined floats as None, times as ISO text.

    Raises TypeError for what has no stable text.
    """
    kind = type(value)
    if kind in _OWN:
        return value
    if kind is float:
        return value if isfinite(value) else None
    if kind is Decimal:
        return plain(value) if value.is_finite() else None
    if kind is list or kind is tuple:
        return list(value) if _OWN.issuperset(map(type, value)) else [jsonable(part) for part in value]
    if kind is dict:
        pairs = value.items() if _TEXT.issuperset(map(type, value)) else _keyed(value)
        return {key: part if type(part) in _OWN else jsonable(part) for key, part in pairs}
    if isinstance(value, int | str) and not isinstance(value, Enum):
        return value
    if isinstance(value, Mapping):
        return {key: jsonable(part) for key, part in _keyed(value)}
    if isinstance(value, list | tuple):
        return [jsonable(part) for part in value]
    if isinstance(value, set | frozenset):
        return sorted((jsonable(part) for part in value), key=str)
    return value if isinstance(value, Lines) else _scalar(value)


def dumps(value: Any) -> str:
    """Indented JSON with sorted keys and a last newline; in a list of flat objects each has one line."""
    return "".join(_indented(jsonable(value), "\n")) + "\n"


def dumped(value: Any) -> Iterator[bytes]:
    """What `dumps` gives, in parts, so that a long text need not be in memory as a whole."""
    parts = _indented(jsonable(value), "\n")
    while part := "".join(islice(parts, PARTS)):
        yield part.encode()
    yield b"\n"


def dumps_compact(value: Any) -> str:
    """JSON without spaces, sorted keys; for hashing and for embedding."""
    return json.dumps(
        jsonable(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


_encoded = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False).encode


def _indented(value: Any, line: str) -> Iterator[str]:
    """The text of a value in parts; `line` is the line break before it with the indentation it stands at."""
    if isinstance(value, Lines):
        yield from _listed(value.parts, line)
        return
    if not isinstance(value, dict | list) or not value:
        yield _encoded(value)
        return
    if isinstance(value, list) and _is_flat(value):
        yield from _listed(value, line)
        return
    inner, before = line + "  ", ""
    yield "{" if isinstance(value, dict) else "["
    if isinstance(value, dict):
        for key in sorted(value):
            yield f"{before}{inner}{_encoded(key)}: "
            yield from _indented(value[key], inner)
            before = ","
    else:
        for part in value:
            yield before + inner
            yield from _indented(part, inner)
            before = ","
    yield line + ("}" if isinstance(value, dict) else "]")


def _listed(parts: Iterable[Any], line: str) -> Iterator[str]:
    before, rest = "[", iter(parts)
    while some := list(islice(rest, ROWS)):
        for text in _each_encoded(some):
            yield f"{before}{line}  {text}"
            before = ","
    yield "[]" if before == "[" else f"{line}]"


def _each_encoded(parts: list[Any]) -> list[str]:
    """The text of each of some values: of all at once, to be cut where they meet, if that can be told."""
    if set(map(type, parts)) == {dict}:
        texts = _encoded(parts)[2:-2].split(_MEETING)
        if len(texts) == len(parts):
            return [f"{{{text}}}" for text in texts]
    return list(map(_encoded, parts))


def _is_flat(parts: list[Any]) -> bool:
    """Whether no part is a list, or an object with an object or a list in it."""
    return list not in map(type, parts) and all(
        _NESTED.isdisjoint(map(type, part.values())) for part in parts if type(part) is dict
    )


def _keyed(value: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    return ((key if isinstance(key, str) else str(_scalar(key)), part) for key, part in value.items())


def _scalar(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value) if value.is_finite() else None
    if isinstance(value, float | np.floating):
        return float(value) if isfinite(value) else None
    if isinstance(value, int | np.integer) and not isinstance(value, Enum):
        return int(value)
    if isinstance(value, Enum):
        return jsonable(value.value)
    if isinstance(value, datetime):
        return iso((value - _EPOCH) // timedelta(milliseconds=1))
    if isinstance(value, PurePath):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} has no stable text; give a number, text, time, list or mapping")
