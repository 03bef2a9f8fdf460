"""Timeframes: how long a candle lasts, as text (`1h`) and in milliseconds."""

import re
from functools import cache

from traderagent_core.errors import DataError

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

_UNITS_MS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS}
_PATTERN = re.compile(r"^([1-9]\d{0,3})([mhdw])$")


@cache
def timeframe_ms(timeframe: str) -> int:
    """Length of a timeframe in milliseconds; raises DataError when it is not one (`1m`, `4h`, `1d` …)."""
    match = _PATTERN.match(timeframe)
    if match is None:
        raise DataError(
            f"unknown timeframe {timeframe!r}; expected a number and one of m, h, d, w, such as 15m or 1h"
        )
    return int(match[1]) * _UNITS_MS[match[2]]


def timeframe_name(length_ms: int) -> str:
    """The shortest usual name of a length: 3,600,000 is `1h`. Raises DataError for a length with no name."""
    for unit in ("w", "d", "h", "m"):
        if length_ms > 0 and length_ms % _UNITS_MS[unit] == 0:
            return f"{length_ms // _UNITS_MS[unit]}{unit}"
    raise DataError(f"{length_ms} ms is not a whole number of minutes, so it is no timeframe")
