"""Which market of a run meets something first; looked for anew only where a book has changed."""

from collections.abc import Iterable

from traderagent_core.simulator.cursor import Cursor

NEVER = (1 << 62, 0)


class Hits:
    """The next hit of every market: (time in ms UTC, phase), or NEVER."""

    def __init__(self, cursors: Iterable[Cursor]) -> None:
        self._cursors = list(cursors)
        self._sole = self._cursors[0] if len(self._cursors) == 1 else None
        self._markets = [cursor.market for cursor in self._cursors]
        self._versions = [-1] * len(self._cursors)
        self._hits = [NEVER] * len(self._cursors)
        self._first: tuple[tuple[int, int], Cursor] = (NEVER, self._cursors[0])

    def first(self) -> tuple[tuple[int, int], Cursor]:
        """When something is met first, and where; on a tie the first in the order of instruments."""
        if self._sole is not None:
            return self._sole.peek() or NEVER, self._sole
        has_changed = False
        versions = self._versions
        for place, market in enumerate(self._markets):
            if market.version != versions[place]:
                has_changed = True
                versions[place] = market.version
                self._hits[place] = self._cursors[place].peek() or NEVER
        if has_changed:
            hit = min(self._hits)
            self._first = (hit, self._cursors[self._hits.index(hit)])
        return self._first
