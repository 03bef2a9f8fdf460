"""The bus: each watcher has a queue of its own; one that is too slow loses its oldest facts and delays nobody."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Protocol

from attrs import define, field

from traderagent_core.model.fact import Fact

MOST_WAITING = 1_000


class Hearer(Protocol):
    """Somebody who is told every fact."""

    def put(self, fact: Fact) -> None:
        """Take a fact; never blocks and never raises."""
        ...


@define(eq=False)
class Watcher:
    """One who watches. `dropped` counts facts that came while the queue was full."""

    dropped: int = 0
    _waiting: deque[Fact] = field(factory=deque)
    _has_news: asyncio.Event = field(factory=asyncio.Event)

    def put(self, fact: Fact) -> None:
        """Have a fact wait; never blocks."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(fact)
        self._has_news.set()

    async def facts(self) -> AsyncIterator[Fact]:
        """Facts in their order, until nobody asks any more."""
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            while self._waiting:
                yield self._waiting.popleft()


@define(eq=False)
class Bus:
    """Hands facts to all who watch."""

    _watchers: list[Hearer] = field(factory=list)

    @property
    def is_watched(self) -> bool:
        """Whether anybody watches."""
        return bool(self._watchers)

    def watch(self) -> Watcher:
        """Begin to watch; only what happens from now on is told."""
        watcher = Watcher()
        self.join(watcher)
        return watcher

    def join(self, watcher: Hearer) -> None:
        """As `watch`, for who brings a queue of his own."""
        self._watchers.append(watcher)

    def leave(self, watcher: Hearer) -> None:
        """Watch no more."""
        self._watchers.remove(watcher)

    def publish(self, fact: Fact) -> None:
        """Hand a fact to all who watch."""
        for watcher in self._watchers:
            watcher.put(fact)
