"""Streams of facts from one source to any number of listeners, in bounded memory."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from traderagent_core.contract.clock import Clock
from traderagent_core.contract.venue_facts import LinkDown, LinkUp

Fact = TypeVar("Fact")

CAPACITY = 100_000
BEHIND = "the listener fell behind, and what it had not taken yet was dropped"


class Subscription(Generic[Fact]):
    """What one listener still has to hear; an asynchronous iterator that ends when its source is closed."""

    def __init__(
        self,
        source: "Broadcast[Fact]",
        first: Iterable[Fact | LinkUp | LinkDown],
        wants: "Callable[[Fact | LinkUp | LinkDown], bool] | None",
    ) -> None:
        self._source = source
        self._wants = wants
        self._waiting: deque[Fact | LinkUp | LinkDown] = deque(first)
        self._has_news = asyncio.Event()

    def __aiter__(self) -> "Subscription[Fact]":
        return self

    async def __anext__(self) -> Fact | LinkUp | LinkDown:
        while not self._waiting:
            if self._source.is_closed:
                raise StopAsyncIteration
            self._has_news.clear()
            await self._has_news.wait()
        return self._waiting.popleft()

    async def aclose(self) -> None:
        """Hear no more."""
        self._source.forget(self)

    def tell(self, fact: Fact | LinkUp | LinkDown) -> None:
        """Put a fact at the end; a listener that is far behind is told of a break instead of all it has missed."""
        if self._wants is not None and not self._wants(fact):
            return
        if len(self._waiting) >= self._source.capacity:
            now_ms = self._source.clock.now_ms()
            self._waiting.clear()
            self._waiting += (LinkDown(now_ms, BEHIND), LinkUp(now_ms))
        self._waiting.append(fact)
        self.wake()

    def wake(self) -> None:
        """Look again."""
        self._has_news.set()


class Broadcast(Generic[Fact]):
    """A source: `publish` reaches everybody who has subscribed before."""

    def __init__(self, clock: Clock, capacity: int = CAPACITY) -> None:
        self.clock = clock
        self.capacity = capacity
        self.is_closed = False
        self._listeners: list[Subscription[Fact]] = []

    def subscribe(
        self,
        first: Iterable[Fact | LinkUp | LinkDown] = (),
        wants: "Callable[[Fact | LinkUp | LinkDown], bool] | None" = None,
    ) -> Subscription[Fact]:
        """Listen from now on, to what `wants` lets through; `first` is heard before anything else."""
        listener = Subscription(self, first, wants)
        self._listeners.append(listener)
        return listener

    def publish(self, fact: Fact | LinkUp | LinkDown) -> None:
        """Tell all listeners."""
        for listener in self._listeners:
            listener.tell(fact)

    def forget(self, listener: Subscription[Fact]) -> None:
        """Tell this one nothing more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def close(self) -> None:
        """End: listeners hear what is left, then their iteration is over."""
        self.is_closed = True
        for listener in self._listeners:
            listener.wake()
