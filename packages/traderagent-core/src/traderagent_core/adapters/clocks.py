"""Clocks: the system's, one that replays the past at any speed, and one that is moved by hand."""

import asyncio
import time
from heapq import heappop, heappush
from itertools import count

LONGEST_SLEEP_MS = 30_000
"""A clock that jumps is noticed after this time at the latest."""

ROUNDS = 25
"""How often all tasks get their turn before a manual clock goes on; a fact passes a few queues on its way."""


class SystemClock:
    """The machine's clock. When it is set back, nobody sleeps longer than was to be slept at first."""

    def now_ms(self) -> int:
        """The present time, ms UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """What has passed, whatever the time was set to meanwhile."""
        return time.monotonic_ns() // 1_000_000

    async def sleep_until(self, time_ms: int) -> None:
        """Return once the time has come."""
        left_ms = time_ms - self.now_ms()
        if left_ms <= 0:
            await asyncio.sleep(0)
            return
        end_ms = self.monotonic_ms() + left_ms
        while left_ms > 0:
            await asyncio.sleep(min(left_ms, LONGEST_SLEEP_MS) / 1000)
            left_ms = min(time_ms - self.now_ms(), end_ms - self.monotonic_ms())


class ReplayClock:
    """Begins at a time in the past and runs `speed` times as fast as the machine's."""

    def __init__(self, start_ms: int, speed: float = 1.0) -> None:
        self._start_ms = start_ms
        self._speed = speed
        self._since = time.monotonic()

    def now_ms(self) -> int:
        """The present time of the replay, ms UTC."""
        return self._start_ms + int((time.monotonic() - self._since) * 1000 * self._speed)

    def monotonic_ms(self) -> int:
        """The time of the replay: nobody sets it."""
        return self.now_ms()

    async def sleep_until(self, time_ms: int) -> None:
        """Return once the time of the replay has come."""
        await asyncio.sleep(0)
        while (left := time_ms - self.now_ms()) > 0:
            await asyncio.sleep(left / 1000 / self._speed)


class ManualClock:
    """Stands still until it is moved; then those who sleep wake in the order of their times."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def now_ms(self) -> int:
        """The present time, ms UTC."""
        return self._now_ms

    def monotonic_ms(self) -> int:
        """The present time: nobody sets it back."""
        return self._now_ms

    async def sleep_until(self, time_ms: int) -> None:
        """Return once the clock was moved there."""
        if time_ms <= self._now_ms:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (time_ms, next(self._numbers), woken))
        await woken

    def next_ms(self) -> int | None:
        """When the first sleeper is to be woken; None when nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def move_to(self, time_ms: int) -> None:
        """Move the clock without waking anybody; never back."""
        self._now_ms = max(self._now_ms, time_ms)

    def wake_next(self) -> None:
        """Wake the first sleeper, at its time."""
        if self.next_ms() is not None:
            time_ms, _, woken = heappop(self._sleepers)
            self.move_to(time_ms)
            woken.set_result(None)

    async def advance_to(self, time_ms: int) -> None:
        """Move the clock, waking each sleeper at its time and letting all tasks run before the next one."""
        await _all_had_their_turn()
        while self._sleepers and self._sleepers[0][0] <= time_ms:
            self._now_ms, _, woken = heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
                await _all_had_their_turn()
        self._now_ms = max(self._now_ms, time_ms)
        await _all_had_their_turn()


async def _all_had_their_turn() -> None:
    for _ in range(ROUNDS):
        await asyncio.sleep(0)
