"""The records of a run, as many as there may be: older ones packed, to be read whole or kind by kind."""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain

from traderagent_core.account.state import Record
from traderagent_core.simulator import record_columns
from traderagent_core.simulator.packed import Packed

MOST, BLOCK = 200_000, 8_192
"""So many records, of some 300 bytes, stay as they are; of more, all but the latest are packed, into a tenth."""
SHOWN = {"plan_granted": 4} | dict.fromkeys(
    ("plan_closing", "want_granted", "want_resized", "want_ended", "order_accepted", "cancel_sent"), 2
)
"""How much is kept of records that nobody asks more of once they were heard."""


class RecordLog(Packed[Record]):
    """The records of a run. With `hear`, which is given each block before, less is packed.

    Of a granted plan then only kind, time, bot and symbol are kept: plans and their legs are most of what records
    hold, take longest to pack, and whoever hears keeps what is asked for later. Of wants, of orders that were
    accepted and of cancels that were sent only kind and time are.
    """

    def __init__(
        self,
        hear: Callable[[list[Record]], object] | None = None,
        *,
        most: int = MOST,
        block: int = BLOCK,
    ) -> None:
        super().__init__(most, block)
        self._hear = hear

    def of(self, kinds: Collection[str]) -> Iterator[Record]:
        """The records of some kinds; others are not unpacked."""
        return chain(
            chain.from_iterable(
                record_columns.unpacked(block, kinds) if isinstance(block, bytes) else only(block, kinds)
                for block in self._blocks
            ),
            only(self.latest, kinds),
        )

    def places(self, kinds: Collection[str]) -> Iterator[int]:
        """Where in all of them the records of some kinds are."""
        begins = 0
        for block in (*self._blocks, self.latest):
            found = record_columns.places(block, kinds) if isinstance(block, bytes) else _places(block, kinds)
            yield from (begins + place for place in found)
            begins += self._size

    def _leave(self, block: list[Record]) -> None:
        if self._hear is not None:
            self._hear(block)

    def _dump(self, block: list[Record]) -> bytes:
        return record_columns.packed(block, record_columns.WHOLE if self._hear is None else SHOWN)

    def _load(self, packed: bytes) -> Iterable[Record]:
        return record_columns.unpacked(packed)


def only(records: Iterable[Record], kinds: Collection[str]) -> Iterator[Record]:
    """The records of some kinds."""
    if isinstance(records, RecordLog):
        return records.of(kinds)
    return (record for record in records if record[0] in kinds)


def numbered(records: Iterable[Record], kinds: Collection[str]) -> Iterator[tuple[int, Record]]:
    """The records of some kinds, each with its place among all."""
    if isinstance(records, RecordLog):
        return zip(records.places(kinds), records.of(kinds), strict=True)
    return ((place, record) for place, record in enumerate(records) if record[0] in kinds)


def _places(records: Iterable[Record], kinds: Collection[str]) -> Iterator[int]:
    return (place for place, record in enumerate(records) if record[0] in kinds)
