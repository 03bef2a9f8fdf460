"""The projection: a fold over the journal that keeps rows of every table in line with it."""

from decimal import getcontext
from typing import Any

from attrs import define, field

from traderagent_core.account.account import Account
from traderagent_core.model.position import MONEY, money_context
from traderagent_core.persistence.journal.entry import Entry, EntryKind
from traderagent_core.persistence.payloads import records_of, setup_bots
from traderagent_core.persistence.projection.bots import Bots
from traderagent_core.persistence.projection.deals import Deals
from traderagent_core.persistence.projection.grids import Grids
from traderagent_core.persistence.projection.orders import Orders
from traderagent_core.persistence.projection.positions import Positions
from traderagent_core.persistence.projection.rows import Changes, Row
from traderagent_core.persistence.projection.signals import Signals
from traderagent_core.persistence.projection.step import take_step


@define(eq=False)
class Projection:
    """Give it every entry of a journal from the first on, once and in order; `drain` tells which rows changed.

    Writing what `drain` gave, however the entries were divided into drains, leaves the same tables.
    """

    account: str
    sequence: int = 0
    epoch: int = 0
    now_ms: int = 0
    book: Account = field(factory=Account)
    changes: Changes = field(init=False)
    bots: Bots = field(init=False)
    deals: Deals = field(init=False)
    _parts: tuple[Any, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.changes = Changes(self.account)
        self.bots = Bots(self.changes)
        signals = Signals(self.changes, self.bots.strategy)
        self.deals = Deals(self.changes, self.book, signals)
        self._parts = (
            self.bots,
            Orders(self.changes),
            Positions(self.changes),
            signals,
            Grids(self.changes),
            self.deals,
        )

    def take(self, entry: Entry) -> None:
        """Take in the next entry. Raises ValueError for one that is not the next."""
        if entry.sequence != self.sequence + 1:
            raise ValueError(f"entry {self.sequence + 1} is next, not {entry.sequence}")
        if getcontext() is MONEY:
            self._take(entry)
        else:
            with money_context():
                self._take(entry)
        self.sequence = entry.sequence

    def drain(self) -> dict[str, list[Row]]:
        """The rows that have changed since the last call, by table."""
        return self.changes.drain()

    def _take(self, entry: Entry) -> None:
        match entry.kind:
            case EntryKind.RECORDS:
                self._fold(entry)
            case EntryKind.SETUP:
                self.bots.set_up(setup_bots(entry.value), self.now_ms)
            case EntryKind.OPENED:
                opened = entry.value
                self.epoch, self.now_ms = opened["epoch"], opened["owner"]["since_ms"]
            case EntryKind.SNAPSHOT:
                view = entry.value["view"]
                self.bots.snapshot(entry.sequence, view, self.deals.open, self.now_ms)
            case EntryKind.EVENT | EntryKind.INTENT:
                pass

    def _fold(self, entry: Entry) -> None:
        for position, record in enumerate(records_of(entry.value)):
            step = take_step(self.book, record)
            self.now_ms = step.time_ms
            self.bots.meet(step)
            for part in self._parts:
                part.see(step)
            self.bots.log(step, entry.sequence, position)
