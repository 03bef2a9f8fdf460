"""Compares two runs record by record: what they decided and what traded, not what a venue calls it; and says why."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import zip_longest

from attrs import frozen

from traderagent_core.account.state import Record
from traderagent_core.model.candle import Candle, Candles
from traderagent_core.persistence.journal.entry import to_text
from traderagent_core.persistence.payloads import records_payload

VENUES_OWN = {"order_accepted": (3,), "filled": (3, 8), "order_ended": (5,), "foreign_filled": (4,)}
"""Places in records that hold a venue's own words: order and trade ids, codes, whether a fill is certain."""

FILL_FIELDS = {"fee": 6, "price": 4, "quantity": 5, "time": 1}
NUMBER = re.compile(r"\d\.\d+|\b0E-\d+")
Names = tuple[str, str]
"""What the two runs are called, as in `simulated` and `live`."""


@frozen
class Parting:
    """Where two runs part: the number of the record, counted from 0, and what each has there; None at its end."""

    number: int
    left: Record | None
    right: Record | None


def comparable(record: Record | None) -> str:
    """A record without the venue's own words; equal amounts are equal texts, however many zeros they end with."""
    if record is None:
        return ""
    own = VENUES_OWN.get(record[0], ())
    kept = tuple(value for place, value in enumerate(record) if place not in own)
    return NUMBER.sub(_without_zeros, to_text(records_payload([kept])))


def _without_zeros(found: re.Match[str]) -> str:
    return "0" if "E" in found[0] else found[0].rstrip("0").rstrip(".")


def first_parting(left: Iterable[Record], right: Iterable[Record]) -> Parting | None:
    """The first record that differs; None when none does."""
    for number, (one, other) in enumerate(zip_longest(left, right)):
        if comparable(one) != comparable(other):
            return Parting(number, one, other)
    return None


# -- causes -------------------------------------------------------------------------------------------------


def cause_of(left: Record | None, right: Record | None, names: Names) -> str:
    """What differs between two records of one thing: of a fill, of an order's way, of a payment; else empty."""
    if left is None or right is None or left[0] != right[0] or left[2] != right[2]:
        return ""
    kind, order_id = left[0], left[2]
    if kind == "filled":
        for name, place in FILL_FIELDS.items():
            if left[place] != right[place]:
                if name == "time":
                    return _latency(f"fill of order {order_id}", left, right, names)
                return f"{name} of fill of order {order_id}: {_told(left[place], right[place], names)}"
    if kind.startswith("order_") and left[1] != right[1]:
        return _latency(f"order {order_id}", left, right, names)
    if kind == "funding_booked" and left[4] != right[4]:
        return f"funding of {left[3]} at {_time(left[1])}: {_told(left[4], right[4], names)}"
    if left[1] != right[1] and comparable((kind, 0, *left[2:])) == comparable((kind, 0, *right[2:])):
        return _latency(str(left[3]) if kind == "noted" else kind, left, right, names)
    return ""


def _latency(what: str, left: Record, right: Record, names: Names) -> str:
    apart = abs(right[1] - left[1])
    times = _told(_time(left[1]), _time(right[1]), names)
    return f"latency of {what}: {left[0].replace('_', ' ')} {times}, {apart} ms apart"


def _told(left: object, right: object, names: Names) -> str:
    return f"{left} {names[0]}, {right} {names[1]}"


def _time(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}.{time_ms % 1000:03d}"


# -- candles ------------------------------------------------------------------------------------------------


def candle_cause(
    tape: Iterable[tuple[str, Candle]], data: Mapping[str, Candles], names: Names = ("tape", "data")
) -> str:
    """The first candle of a tape that is not in the data as it is told; empty when all are."""
    for symbol, candle in tape:
        series = data.get(symbol)
        if series is None:
            return f"candle of {symbol} at {_time(candle.open_time)}: there are no data of {symbol}"
        row = int(series.open_time.searchsorted(candle.open_time))
        if row >= len(series) or int(series.open_time[row]) != candle.open_time:
            return f"candle of {symbol} at {_time(candle.open_time)} is not in the data"
        for field in ("open", "high", "low", "close", "volume"):
            one, other = getattr(candle, field), getattr(series.candle(row), field)
            if one != other:
                where = f"candle of {symbol} at {_time(candle.open_time)} differs"
                return f"{where}: {field} {one!r} on the {names[0]}, {other!r} in the {names[1]}"
    return ""


def shown(parting: Parting, names: Names) -> str:
    """For people: the cause, where one is known, and the two records."""
    cause = cause_of(parting.left, parting.right, names)
    records = (
        f"record {parting.number}: {_record(parting.left)} {names[0]}, {_record(parting.right)} {names[1]}"
    )
    return f"{records}. Cause: {cause}" if cause else records


def _record(record: Record | None) -> str:
    return "nothing" if record is None else f"{record!r:.200}"
