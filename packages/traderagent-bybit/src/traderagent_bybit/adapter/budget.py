"""Rate limits on our side: a budget for each kind of call, a share of which only protective orders may use."""

from collections.abc import Mapping

from aiolimiter import AsyncLimiter
from traderagent_core.contract.clock import Clock

ENTRY_SHARE = 0.7
"""Orders that add risk leave the rest to stops and exits."""

PER_SECOND = {"write": 10, "read": 50, "slow": 5, "public": 50}


class Budget:
    """Waits before a call until there is room for it. The venue's own headers have the last word."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limits: dict[str, AsyncLimiter] = {}
        self._entries: dict[str, AsyncLimiter] = {}
        self._not_before_ms: dict[str, int] = {}

    async def wait(self, path: str, kind: str, *, is_protective: bool = False, weight: int = 1) -> None:
        """Return when a call to a path may leave; `kind` tells its rate."""
        rate = PER_SECOND[kind]
        if kind == "write" and not is_protective:
            share = max(int(rate * ENTRY_SHARE), 1)
            entries = self._entries.setdefault(path, AsyncLimiter(share, 1.0))
            for _ in range(weight):
                await entries.acquire()
        limit = self._limits.setdefault(path, AsyncLimiter(rate, 1.0))
        for _ in range(weight):
            await limit.acquire()
        while (not_before_ms := self._not_before_ms.get(path, 0)) > self._clock.now_ms():
            await self._clock.sleep_until(not_before_ms)

    def learn(self, path: str, headers: Mapping[str, str], offset_ms: int) -> None:
        """Take in what an answer tells of a limit: when nothing is left, wait for its reset (venue time)."""
        left, reset = headers.get("X-Bapi-Limit-Status"), headers.get("X-Bapi-Limit-Reset-Timestamp")
        if left == "0" and reset is not None and reset.isdecimal():
            self._not_before_ms[path] = int(reset) - offset_ms
