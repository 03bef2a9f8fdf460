"""Which market of a run meets something first; looked for anew only where a book has changed."""

from collections.abc import Iterable

from traderagent_core.simulator.cursor import Cursor

NEVER = (1 << 62, 0)


class Hits:
    """The next hit of every market: (time in ms UTC, phase), or NEVER."""

    def __init__(self, cursors: Iterable[Cursor]) -> None:
        self._cursors = list(cursors)
        self._sole = self._cursors[0] if len(self._cursors) == 1 else None
        self._place = {cursor: place for place, cursor in enumerate(self._cursors)}
        self._stale = set(self._cursors)
        self._hits = [NEVER] * len(self._cursors)
        self._first: tuple[tuple[int, int], Cursor] = (NEVER, self._cursors[0])

    def look_again(self, cursor: Cursor) -> None:
        """The book or the place of a market may have changed."""
        self._stale.add(cursor)

    def first(self) -> tuple[tuple[int, int], Cursor]:
        """When something is met first, and where; on a tie the first in the order of instruments."""
        if self._sole is not None:
            return self._sole.peek() or NEVER, self._sole
        if self._stale:
            for cursor in self._stale:
                self._hits[self._place[cursor]] = cursor.peek() or NEVER
            self._stale.clear()
            hit = min(self._hits)
            self._first = (hit, self._cursors[self._hits.index(hit)])
        return self._first
