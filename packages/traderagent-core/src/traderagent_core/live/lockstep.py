"""Virtual time: the next thing happens when everything that the last one has brought about is done."""

import asyncio
from decimal import Decimal
from typing import Protocol

from traderagent_core.live.driver import Driver, Due
from traderagent_core.live.running import Keeper
from traderagent_core.model.command import Unwatch, Watch
from traderagent_core.simulator.cursor import VENUE_PHASE

QUIET_TURNS = 8
"""Turns in which nobody does anything, after which nobody will: more than a fact needs on its way."""


class VirtualClock(Protocol):
    """A clock that is moved by hand, with those who sleep by it."""

    def next_ms(self) -> int | None:
        """When the first sleeper is to be woken."""
        ...

    def move_to(self, time_ms: int) -> None:
        """Move without waking anybody."""
        ...

    def wake_next(self) -> None:
        """Wake the first sleeper."""
        ...


class HandMovedExchange(Protocol):
    """An exchange at which things happen when it is told."""

    def next_moment(self) -> tuple[int, int] | None:
        """Time and phase of the next thing."""
        ...

    async def happen(self) -> None:
        """Let it happen."""
        ...

    def is_quiet(self) -> bool:
        """Whether nothing is on its way to the driver, or from it."""
        ...

    def tell_rest(self) -> bool:
        """Let out what has to be told last; whether there was anything."""
        ...

    def quote(self, symbol: str) -> Decimal:
        """The present price."""
        ...

    def levels(self, command: Watch | Unwatch) -> None:
        """Tell the price when it comes to where somebody waits for it."""
        ...


def keep_lockstep(exchange: HandMovedExchange, clock: VirtualClock, end_ms: int) -> Keeper:
    """A keeper that moves exchange, clock and timers from moment to moment until `end_ms`, ms UTC.

    At equal moments the exchange comes first, then what was on its way to it, then what the driver waits for.
    """

    async def keep(driver: Driver) -> None:
        while True:
            await settled(driver, exchange)
            sleeper, happening, due = clock.next_ms(), exchange.next_moment(), driver.next_due()
            waking = None if sleeper is None else (sleeper, VENUE_PHASE)
            first = min((each for each in (happening, waking, due) if each is not None), default=None)
            if first is None or first[0] > end_ms:
                return
            clock.move_to(first[0])
            if first == happening:
                await exchange.happen()
            elif first == waking:
                clock.wake_next()
            else:
                driver.tell(Due())

    return keep


async def settled(driver: Driver, exchange: HandMovedExchange) -> None:
    """Return when nothing goes on any more but waiting."""
    quiet = 0
    while quiet < QUIET_TURNS or exchange.tell_rest():
        quiet = quiet if quiet < QUIET_TURNS else 0
        before = (driver.taken, driver.outbox.sent)
        await asyncio.sleep(0)
        is_still = driver.is_idle and before == (driver.taken, driver.outbox.sent) and exchange.is_quiet()
        quiet = quiet + 1 if is_still else 0
