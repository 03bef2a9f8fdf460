"""How a run feels: links, the time that answers take, and what went wrong of late."""

from collections import deque
from statistics import median
from typing import Any

from attrs import define, field

KEPT_ERRORS = 20
KEPT_LATENCIES = 200


@define(eq=False)
class Vitals:
    """Measured by the driver, shown by `status`; nothing is decided by it."""

    links: dict[str, tuple[bool, int, str]] = field(factory=dict)
    errors: int = 0
    slow_calls: int = 0
    slowest: tuple[str, str, int] | None = None
    _latencies: deque[int] = field(factory=lambda: deque(maxlen=KEPT_LATENCIES))
    _last_errors: deque[tuple[int, str, str]] = field(factory=lambda: deque(maxlen=KEPT_ERRORS))

    def link(self, stream: str, *, is_up: bool, time_ms: int, cause: str = "") -> None:
        """A stream was connected, or lost."""
        self.links[stream] = (is_up, time_ms, cause)
        if not is_up:
            self.failed(time_ms, "link_lost", f"{stream}: {cause}")

    def answered(self, duration_ms: int) -> None:
        """A command was answered by the exchange."""
        self._latencies.append(duration_ms)

    def failed(self, time_ms: int, what: str, cause: str) -> None:
        """Something went wrong that the run goes on after."""
        self.errors += 1
        self._last_errors.append((time_ms, what, cause))

    def was_slow(self, bot: str, callback: str, took_ms: int) -> None:
        """A call of a plugin took longer than it should."""
        self.slow_calls += 1
        if self.slowest is None or took_ms > self.slowest[2]:
            self.slowest = bot, callback, took_ms

    def describe(self) -> dict[str, Any]:
        """As JSON-able values; durations and times are ms."""
        times = sorted(self._latencies)
        return {
            "links": {
                stream: {"is_up": is_up, "since_ms": since_ms, "cause": cause}
                for stream, (is_up, since_ms, cause) in self.links.items()
            },
            "latency_ms": {"median": round(median(times)), "longest": times[-1], "answers": len(times)}
            if times
            else None,
            "slow_calls": {
                "count": self.slow_calls,
                "slowest": self.slowest
                and dict(zip(("bot", "callback", "took_ms"), self.slowest, strict=True)),
            },
            "errors": {
                "count": self.errors,
                "last": [
                    {"time_ms": time_ms, "what": what, "cause": cause}
                    for time_ms, what, cause in self._last_errors
                ],
            },
        }
