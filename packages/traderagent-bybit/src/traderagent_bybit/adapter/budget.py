"""Rate limits on our side: room for so many calls a second, a share of which only protective orders may use.

The venue counts in a rolling second by its own clock. A call is counted here until a second after its answer, which
is never sooner than there, so that no burst and no delay on the way can exceed the limit.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from traderagent_core.contract.clock import Clock

ENTRY_SHARE = 0.7
"""Orders that add risk leave the rest to stops and exits."""

PER_SECOND = {"write": 10, "read": 50, "slow": 5, "public": 50}
PER_ADDRESS = 110
"""Calls a second over everything: the venue allows 600 in five seconds."""

SECOND = 1.0


class Room:
    """Room for `size` calls; those that are not protective may take up `share` of it."""

    def __init__(self, size: int, share: int) -> None:
        self._free = size
        self._free_for_entries = share
        self._share = share
        self._protective: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._entries: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def take(self, weight: int, *, is_protective: bool) -> AsyncIterator[None]:
        """Wait for room, protective calls before others; it is given back a second after what is done inside."""
        cost = 0 if is_protective else min(weight, self._share)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._protective if is_protective else self._entries).append((weight, place))
        self._serve()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._give(weight, cost)
            raise
        try:
            yield
        finally:
            asyncio.get_running_loop().call_later(SECOND, self._give, weight, cost)

    def _give(self, weight: int, cost: int) -> None:
        self._free += weight
        self._free_for_entries += cost
        self._serve()

    def _serve(self) -> None:
        for waiting, is_protective in ((self._protective, True), (self._entries, False)):
            while waiting:
                weight, place = waiting[0]
                cost = 0 if is_protective else min(weight, self._share)
                if place.cancelled():
                    waiting.popleft()
                    continue
                if weight > self._free or cost > self._free_for_entries:
                    break
                waiting.popleft()
                self._free -= weight
                self._free_for_entries -= cost
                place.set_result(None)


class Budget:
    """Waits before a call until there is room for it. The venue's own headers have the last word.

    `factor` is what an account may do over a usual one.
    """

    def __init__(self, clock: Clock, factor: float = 1.0) -> None:
        self._clock = clock
        self._factor = factor
        self._rooms: dict[str, Room] = {}
        per_address = int(PER_ADDRESS * max(factor, 1.0))
        self._address = Room(per_address, int(per_address * ENTRY_SHARE))
        self._not_before_ms: dict[str, int] = {}

    @asynccontextmanager
    async def room(
        self, path: str, kind: str, *, is_protective: bool = False, weight: int = 1
    ) -> AsyncIterator[None]:
        """Inside, a call to a path may leave; `kind` tells its rate."""
        rate = max(int(PER_SECOND[kind] * self._factor), 1)
        if path not in self._rooms:
            share = max(int(rate * ENTRY_SHARE), 1) if kind == "write" else rate
            self._rooms[path] = Room(rate, share)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._rooms[path].take(weight, is_protective=is_protective))
            await stack.enter_async_context(self._address.take(1, is_protective=is_protective))
            while (not_before_ms := self._not_before_ms.get(path, 0)) > self._clock.now_ms():
                await self._clock.sleep_until(not_before_ms)
            yield

    def learn(self, path: str, code: str, headers: Mapping[str, str], offset_ms: int) -> None:
        """A call was one too many after all: wait for the reset that the answer tells (venue time)."""
        reset = headers.get("X-Bapi-Limit-Reset-Timestamp", "")
        if code == "10006" and reset.isdecimal():
            self._not_before_ms[path] = int(reset) - offset_ms
