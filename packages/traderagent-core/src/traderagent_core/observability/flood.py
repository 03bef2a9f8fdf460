"""The same message at most once a minute; how often it was held back is told with the next one."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field

INTERVAL_SECONDS = 60.0
MOST_MESSAGES = 1_000
_DIGITS = re.compile(r"\d+")


@define(eq=False)
class _Seen:
    since: float
    held_back: int = 0


@define(eq=False)
class FloodFilter:
    """For a logging handler. Messages that differ in digits only count as the same."""

    _now: Callable[[], float] = time.monotonic
    _seen: dict[tuple[str, str], _Seen] = field(factory=dict)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write a record; `record.repeated` tells how many like it were held back."""
        key, now = (record.name, _DIGITS.sub("#", _text(record.msg))), self._now()
        seen = self._seen.get(key)
        if seen is not None and now - seen.since < INTERVAL_SECONDS:
            seen.held_back += 1
            return False
        record.repeated = 0 if seen is None else seen.held_back
        self._seen.pop(key, None)
        self._seen[key] = _Seen(now)
        if len(self._seen) > MOST_MESSAGES:
            del self._seen[next(iter(self._seen))]
        return True


def _text(message: Any) -> str:
    return (
        f"{message.get('event')} {sorted(message.items(), key=str)}"
        if isinstance(message, Mapping)
        else str(message)
    )
