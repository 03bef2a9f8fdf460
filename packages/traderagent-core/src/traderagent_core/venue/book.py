"""Everything of one market that waits for a price, sorted by how soon a moving price reaches it."""

from bisect import bisect_left, insort
from typing import Any

Entry = tuple[float, int, int, Any]
"""(sort key, rank, sequence, item): the key is the level, negated for entries that wait below the price."""

ORDER_RANK = 0
WATCH_RANK = 1


class Book:
    """Two sorted lists: what fires when the price rises to a level, and what fires when it falls to one.

    Levels are doubles parsed from the decimal text of a price, as candle prices are, so that equal prices compare
    equal. At one level orders fire before watches, and older ones before younger.
    """

    __slots__ = ("_sequence", "above", "below")

    def __init__(self) -> None:
        self.above: list[Entry] = []
        self.below: list[Entry] = []
        self._sequence = 0

    def add(self, level: float, rank: int, item: Any, *, is_above: bool) -> Entry:
        """Put an item in and return its entry, by which it can be removed."""
        self._sequence = sequence = self._sequence + 1
        entries, key = (self.above, level) if is_above else (self.below, -level)
        entry = (key, rank, sequence, item)
        insort(entries, entry)
        return entry

    def remove(self, entry: Entry, *, is_above: bool) -> None:
        """Take an entry out; it must be in."""
        entries = self.above if is_above else self.below
        del entries[bisect_left(entries, entry)]
