"""Whether each topic that is told from again and again still is, on a socket that seems to be up."""

import time
from collections.abc import Sequence

LONGEST_PATIENCE_SECONDS = 600.0
"""How long a topic may be silent in a market in which nothing happens at all."""


class StaleError(ValueError):
    """A topic that should be told from again and again is silent, while the socket seems to be up."""


class Pulse:
    """When each topic that has to be told of was heard last. A reconnection that changes nothing makes it patient."""

    def __init__(self, topics: Sequence[str], seconds: float) -> None:
        self._topics = tuple(topics)
        self._patience = seconds
        self._heard: dict[str, float] = {}
        self._beats: dict[str, int] = {}

    def begin(self) -> None:
        """The socket is up."""
        self._heard = dict.fromkeys(self._topics, time.monotonic())
        self._beats = dict.fromkeys(self._topics, 0)

    def hear(self, topic: str) -> None:
        """Something was told."""
        if topic in self._heard:
            self._heard[topic] = time.monotonic()
            self._beats[topic] += 1

    def left(self) -> float | None:
        """Seconds until the first topic is stale; None when none has to be told of. Raises StaleError when it is."""
        if not self._heard:
            return None
        topic = min(self._heard, key=self._heard.__getitem__)
        left = self._heard[topic] + self._patience - time.monotonic()
        if left > 0:
            return left
        if self._beats[topic] < 2:  # What every subscription begins with, and nothing since.
            self._patience = min(2 * self._patience, LONGEST_PATIENCE_SECONDS)
        raise StaleError(f"{topic} has been silent for too long")
