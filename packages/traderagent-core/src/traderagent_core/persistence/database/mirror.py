"""The mirror: the journal and its rows, in the database as soon as that answers.

Trading does not wait for it. What could not be written stays in the local journal and is written later.
"""

import asyncio
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from attrs import define

from traderagent_core.errors import StoreError
from traderagent_core.persistence.database.store import Row, Store
from traderagent_core.persistence.journal.entry import Entry
from traderagent_core.persistence.journal.reading import Cursor
from traderagent_core.persistence.projection.fold import Projection

BATCH = 500
"""Entries of one transaction; between two the loop gets its turn."""


@define(eq=False)
class Batch:
    """Entries that have been folded and are not known to be written."""

    entries: list[tuple[int, Entry]]
    rows: dict[str, list[Row]]


@define(eq=False)
class Reader:
    """Reads a journal and folds what it reads."""

    cursor: Cursor
    projection: Projection

    async def batch(self, up_to: int) -> Batch | None:
        """The next entries, at most up to a sequence; the loop gets its turn before they are read."""
        await asyncio.sleep(0)
        entries = []
        for entry in islice(self.cursor.read(up_to), BATCH):
            self.projection.take(entry)
            entries.append((self.projection.epoch, entry))
        return Batch(entries, self.projection.drain()) if entries else None


@define(eq=False)
class Mirror:
    """Brings a database up to what is durable in a journal. The driver says when: `catch_up`, over and over.

    `durable` tells the journal's last durable entry: what may still be lost in a power cut is not mirrored.
    """

    store: Store
    account: str
    folder: Path
    durable: Callable[[], int]
    _reader: Reader | None = None
    _position: int = 0
    _pending: Batch | None = None

    @property
    def lag(self) -> int:
        """Durable entries that are not known to be in the database."""
        return self.durable() - self._position

    async def catch_up(self) -> int:
        """Write everything that is durable and not written; returns how many entries that were.

        Raises StoreError when the database does not take it; the next call goes on from there.
        """
        if self._reader is None:
            await self.store.prepare()
            self._reader = await self._begin()
        done = 0
        while batch := self._pending or await self._reader.batch(self.durable()):
            self._pending = batch
            await self.store.mirror(self.account, batch.entries, batch.rows)
            self._position = batch.entries[-1][1].sequence
            self._pending = None
            done += len(batch.entries)
        return done

    async def _begin(self) -> Reader:
        """Fold what is written already. Raises StoreError when that is not of this journal."""
        reader = Reader(Cursor(self.folder), Projection(self.account))
        position = await self.store.position(self.account)
        if position > self.durable():
            raise StoreError(
                f"the database {self.store.database.name} is ahead of the journal of account {self.account}: it has"
                f" entry {position}, the journal ends with {self.durable()}; restore the journal that belongs to it"
            )
        last: Batch | None = None
        while batch := await reader.batch(position):
            last = batch
        if last is not None:
            await self.store.mirror(self.account, last.entries, {})
        self._position = position
        return reader
