"""The time by which an adapter and its driver live: the system's, that of a replay, or one moved by hand."""

from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits for it. Times are ms UTC."""

    def now_ms(self) -> int:
        """The present time."""
        ...

    def monotonic_ms(self) -> int:
        """What has passed since some moment, however the clock was set meanwhile: for durations that must be over."""
        ...

    async def sleep_until(self, time_ms: int) -> None:
        """Return once the time has come; at once, but not before others had their turn, if it is over."""
        ...
