"""What is due at a time: timers, boundaries, settlements and orders on their way, in the order of equal times."""

from collections.abc import Callable
from heapq import heappop, heappush

Action = Callable[[int], None]


class Agenda:
    """A queue by (time, phase, order of asking); named entries can be replaced or forgotten."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, tuple[str, str] | None, Action]] = []
        self._named: dict[tuple[str, str], int] = {}
        self._sequence = 0

    def add(self, time_ms: int, phase: int, action: Action, name: tuple[str, str] | None = None) -> None:
        """Have `action(time_ms)` called; an earlier entry of the same name is forgotten."""
        self._sequence += 1
        if name is not None:
            self._named[name] = self._sequence
        heappush(self._heap, (time_ms, phase, self._sequence, name, action))

    def forget(self, name: tuple[str, str]) -> None:
        """Drop a named entry."""
        self._named.pop(name, None)

    def next(self) -> tuple[int, int] | None:
        """(time, phase) of the next entry, or None."""
        while self._heap:
            time_ms, phase, sequence, name, _ = self._heap[0]
            if name is None or self._named.get(name) == sequence:
                return time_ms, phase
            heappop(self._heap)
        return None

    def run_next(self) -> int:
        """Take the next entry and do it; `next` has said that there is one. Returns its time."""
        time_ms, _, _, name, action = heappop(self._heap)
        if name is not None:
            del self._named[name]
        action(time_ms)
        return time_ms
