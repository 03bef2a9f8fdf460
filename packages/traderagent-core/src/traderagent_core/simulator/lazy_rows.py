"""Rows that are only made when somebody looks at them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar, overload

Row = TypeVar("Row")


class LazyRows(Sequence[Row]):
    """A sequence whose rows are built on the first look at one of them; their number may be known before.

    Whoever goes through all of them before that has them built one after another, and none is kept. The last ones,
    `rows[-n:]`, may be had without the others where `last` gives them.
    """

    def __init__(
        self,
        count: int | None,
        build: Callable[[], Iterable[Row]],
        last: Callable[[int], list[Row]] | None = None,
    ) -> None:
        self._count = count
        self._build = build
        self._last = last
        self._rows: list[Row] | None = None

    def _all(self) -> list[Row]:
        if self._rows is None:
            self._rows = list(self._build())
        return self._rows

    def __len__(self) -> int:
        return len(self._all()) if self._count is None else self._count

    def __iter__(self) -> Iterator[Row]:
        return iter(self._build() if self._rows is None else self._rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if self._rows is None and self._last is not None and isinstance(index, slice):
            start, stop, step = index.start, index.stop, index.step
            if start is not None and start < 0 and stop is None and step is None:
                return self._last(-start)
        return self._all()[index]
