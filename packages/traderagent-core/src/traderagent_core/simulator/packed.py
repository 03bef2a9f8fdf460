"""Sequences that grow long: the latest items as they are, older ones packed, to be read as often as somebody asks."""

import pickle
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from copyreg import dispatch_table
from functools import partial
from io import BytesIO
from itertools import chain
from operator import attrgetter
from typing import Any, Generic, TypeVar, overload

import attrs

from traderagent_core.contract.entry_filter import Verdict
from traderagent_core.model.plan import At, AverageTimes, BreakEven, Stop, Trail
from traderagent_core.simulator.lazy_rows import LazyRows

Item = TypeVar("Item")
UNPACKABLE = (pickle.PicklingError, TypeError, AttributeError, ValueError, LookupError, OverflowError)
"""Raised by what cannot be packed."""


class Packed(Sequence[Item], Generic[Item]):
    """Items in the order in which they were appended. Once `latest` has more than `most`, it wants to be packed.

    Short sequences never are; of a long one all but the latest items are, as it is likely to go on. What is read of a
    block is made anew each time: equal to what was appended, and not the same object.
    """

    def __init__(self, most: int, block: int) -> None:
        self.latest: list[Item] = []
        self.most = most
        self._size = block
        self._blocks: list[bytes | list[Item]] = []

    def append(self, item: Item) -> None:
        """Add an item, and pack older ones when there are many."""
        self.latest.append(item)
        if len(self.latest) > self.most:
            self.pack()

    def pack(self) -> None:
        """Pack all but the latest block; items that cannot be packed stay as they are."""
        self.most = 2 * self._size
        while len(self.latest) > self.most:
            block = self.latest[: self._size]
            self._leave(block)
            del self.latest[: self._size]
            try:
                self._blocks.append(self._dump(block))
            except UNPACKABLE:
                self._blocks.append(block)

    def _leave(self, block: list[Item]) -> None:
        """What is to be done with a block before it is packed."""

    def _dump(self, block: list[Item]) -> bytes:
        return dumped(block)

    def _load(self, packed: bytes) -> Iterable[Item]:
        return loaded(packed)

    def __iter__(self) -> Iterator[Item]:
        blocks = (self._load(block) if isinstance(block, bytes) else block for block in self._blocks)
        return chain.from_iterable(chain(blocks, (self.latest,)))

    def on_demand(self) -> Iterator[Callable[[], Item]]:
        """For each item what gives it: a block is unpacked when the first of its items is asked for."""
        for block in (*self._blocks, self.latest):
            items: Sequence[Item] = block if isinstance(block, list) else self._later(block)
            give: Callable[[int], Item] = items.__getitem__
            yield from [partial(give, place) for place in range(len(items))]

    def _later(self, packed: bytes) -> Sequence[Item]:
        return LazyRows(self._size, lambda: self._load(packed))

    def __len__(self) -> int:
        return len(self._blocks) * self._size + len(self.latest)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        return (list(self) if self._blocks else self.latest)[index]


def _rebuilt(kind: type) -> Callable[[Any], tuple[type, tuple[Any, ...]]]:
    """How an object of attrs is packed: as a call with what it was made from."""
    names = [each.name for each in attrs.fields(kind) if each.init]
    values = attrgetter(*names)
    return (lambda made: (kind, values(made))) if len(names) > 1 else (lambda made: (kind, (values(made),)))


TABLE = {**dispatch_table} | {
    kind: _rebuilt(kind) for kind in (At, AverageTimes, BreakEven, Stop, Trail, Verdict)
}
"""Several times as quick as what attrs has for pickling frozen objects with slots."""


def dumped(block: Any) -> bytes:
    """Items of any kind, compressed."""
    into = BytesIO()
    pickler = pickle.Pickler(into, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = TABLE
    pickler.dump(block)
    return zlib.compress(into.getbuffer(), 1)


def loaded(packed: bytes) -> list[Any]:
    """What was dumped."""
    found: list[Any] = pickle.loads(zlib.decompress(packed))
    return found
