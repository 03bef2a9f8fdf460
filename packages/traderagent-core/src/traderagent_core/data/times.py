"""Times of files as int64 ms UTC: epoch numbers in s, ms, µs or ns, and dates as text."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from traderagent_core.errors import DataError

Place = Callable[[int], str]
"""Tells `file:line` of a row."""

# Epoch numbers of 1973 to 5138 in each unit do not overlap, so the size of a number tells its unit.
_UNITS = (
    ("seconds", 1e8, 1e11),
    ("milliseconds", 1e11, 1e14),
    ("microseconds", 1e14, 1e17),
    ("nanoseconds", 1e17, 1e19),
)
_PARTS_OF_MS = {"milliseconds": 1, "microseconds": 1_000, "nanoseconds": 1_000_000}
_EXPECTED = "expected an epoch in s, ms, µs or ns, or an ISO date such as 2024-01-31T00:00:00Z"
_EPOCH_MS = np.datetime64("1970-01-01", "ms")


def iso(time_ms: int) -> str:
    """A time as text, `2024-01-31T00:00Z`; seconds only where there are any."""
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    if time_ms % 60_000 == 0:
        return moment.strftime("%Y-%m-%dT%H:%MZ")
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def parse_time_ms(text: str) -> int:
    """One time given by hand, ISO or epoch, in ms; a naive one is UTC. Raises DataError."""
    try:
        if text.strip().isdigit():
            return int(epoch_to_ms(np.array([int(text)]), lambda _row: f"time {text!r}")[0])
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise DataError(f"time {text!r} is not understood; {_EXPECTED}") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def epoch_to_ms(values: NDArray[np.int64] | NDArray[np.float64], place: Place) -> NDArray[np.int64]:
    """Epoch numbers in ms; the unit is that of the first row and every row must agree with it."""
    name, least, most = _unit_of(values[0], place)
    strange = np.flatnonzero(~((values >= least) & (values < most)))
    if len(strange):
        row = int(strange[0])
        raise DataError(
            f"{place(row)}: time {values[row]:.0f} does not fit the first row, which is in {name}; {_EXPECTED}, "
            "one unit in the whole file; write all times in one unit"
        )
    if name == "milliseconds" and values.dtype == np.int64:
        return values.astype(np.int64, copy=False)
    if name == "seconds":
        return np.rint(values * 1000).astype(np.int64)
    return _shortened(
        values.astype(np.int64),
        _PARTS_OF_MS[name],
        place,
    )


def _unit_of(value: np.int64 | np.float64, place: Place) -> tuple[str, float, float]:
    for unit in _UNITS:
        if unit[1] <= value < unit[2]:
            return unit
    raise DataError(f"{place(0)}: {value} is no time; {_EXPECTED}; mend the column of times")


def _shortened(values: NDArray[np.int64], divisor: int, place: Place) -> NDArray[np.int64]:
    whole, rest = np.divmod(values, divisor)
    broken = np.flatnonzero(rest)
    if len(broken):
        row = int(broken[0])
        raise DataError(
            f"{place(row)}: time {values[row]} is not a whole millisecond; expected the open time; mend it"
        )
    return whole


def text_to_ms(texts: Sequence[str], place: Place, notes: list[str]) -> NDArray[np.int64]:
    """Dates as text in ms UTC. Dates without a zone are read as UTC and `notes` say so."""
    import pandas as pd

    column = pd.Series(texts, dtype="str").str.strip()
    if str(column.iloc[0]).endswith(" UTC"):
        column = column.str.removesuffix(" UTC") + "Z"
    # The hourly files of CryptoDataDownload write `2020-01-31 05-PM`.
    has_half_days = str(column.iloc[0])[-3:] in ("-AM", "-PM")
    parsed = pd.to_datetime(
        column, utc=True, errors="coerce", format="%Y-%m-%d %I-%p" if has_half_days else "ISO8601"
    )
    broken = np.flatnonzero(parsed.isna().to_numpy())
    if len(broken):
        row = int(broken[0])
        raise DataError(
            f"{place(row)}: {column.iloc[row]!r} is no date; {_EXPECTED}; rewrite the column of times"
        )
    if _is_naive(str(column.iloc[0])):
        notes.append("times carry no time zone; read as UTC")
    values = parsed.dt.tz_localize(None).to_numpy().astype("datetime64[ms]")
    return (values - _EPOCH_MS).astype(np.int64)


def _is_naive(text: str) -> bool:
    clock = text[10:]
    return not (text.endswith(("Z", "z")) or "+" in clock or "-" in clock)
