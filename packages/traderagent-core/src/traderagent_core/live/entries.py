"""Whether entries may leave: what the driver has found against it, said to the engine once and taken back once."""

from collections.abc import Callable

from attrs import define

from traderagent_core.contract.clock import Clock
from traderagent_core.engine.barring import EVERYWHERE
from traderagent_core.engine.engine import Engine
from traderagent_core.model import event as ev

DATABASE = "database"
"""The database that mirrors the journal does not answer."""

EXCHANGE = "exchange"
"""The exchange does not answer reads, as in maintenance."""

CLOCK = "clock"
"""The clock of this machine is wrong."""

DISK = "disk"
"""The disk is full: what is left is for protective work."""

CANDLE = "candle"
"""A candle that a decision would need has not come."""


@define(eq=False)
class Entries:
    """Each reason has one owner, who says `bar` or `allow` as often as he looks; only a change steps the engine.

    To be called in the driver's turn only.
    """

    engine: Engine
    clock: Clock
    step: Callable[[ev.Event], None]
    tell: Callable[..., None]

    def bar(self, reason: str, detail: str, symbol: str = EVERYWHERE) -> None:
        """Nothing may add exposure until this reason is taken back; exits and stops go on."""
        if not self.is_barred(reason, symbol):
            self.tell("entries_barred", reason=reason, detail=detail, symbol=symbol)
            self.step(ev.EntriesBarred(self.clock.now_ms(), symbol, reason, detail))

    def allow(self, reason: str, symbol: str = EVERYWHERE) -> None:
        """This reason does not stand against entries."""
        if self.is_barred(reason, symbol):
            self.tell("entries_allowed", reason=reason, symbol=symbol)
            self.step(ev.EntriesAllowed(self.clock.now_ms(), symbol, reason))

    def is_barred(self, reason: str, symbol: str = EVERYWHERE) -> bool:
        """Whether this reason stands against entries."""
        return (symbol, reason) in self.engine.barring.bars

    @property
    def are_barred(self) -> bool:
        """Whether anything stands against entries anywhere."""
        return bool(self.engine.barring.bars)
