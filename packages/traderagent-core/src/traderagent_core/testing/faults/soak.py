"""A long run without faults: simulated days of the real session, and the memory that it takes by day."""

import asyncio
import ctypes
import gc
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen

from traderagent_core.adapters.order_log import Facts
from traderagent_core.model.timeframe import DAY_MS
from traderagent_core.persistence.journal.segments import find_segments
from traderagent_core.testing.faults.kinds import Mix
from traderagent_core.testing.faults.loop import VirtualLoop
from traderagent_core.testing.faults.market import HISTORY_MINUTES
from traderagent_core.testing.faults.outside import Outside
from traderagent_core.testing.faults.process import Process
from traderagent_core.testing.faults.setting import BALANCE, scripted_many
from traderagent_core.testing.faults.wire import Outages
from traderagent_core.testing.faults.world import START_MS, Violation, World

SAVE_MS = 600_000
FLUSH_MS = 2
READ_MS = 3_600_000
"""How far back the session reads at most."""

STATM = Path("/proc/self/statm")


@frozen
class Day:
    """Where the process stood after a simulated day: facts taken and steps so far, resident bytes, CPU time."""

    number: int
    events: int
    steps: int
    memory_bytes: int
    cpu_seconds: float


@frozen
class Soak:
    """What to run: so many days with about so many events in all, most of them prices."""

    days: int
    events: int
    symbols: int
    seed: int = 1
    day_ms: int = DAY_MS


def soak(what: Soak, tell: Callable[[Day], None]) -> None:
    """Run, and tell each day when it is over. Raises Violation when the session ends by itself."""
    folder = Path(tempfile.mkdtemp(prefix="traderagent-soak-"))
    try:
        _Running(what, tell).run(folder)
    finally:
        shutil.rmtree(folder)


class _Running:
    def __init__(self, what: Soak, tell: Callable[[Day], None]) -> None:
        self.what, self.tell = what, tell
        self.world = World(what.seed, Mix({}))
        self.setting = scripted_many(what.symbols)
        self.outside = Outside(self.world, self.setting.instruments, BALANCE)
        for walk in self.outside.walks.values():
            walk.tick_ms = max(what.days * what.day_ms * what.symbols // what.events, 1)
        self.begun = time.process_time()

    def run(self, folder: Path) -> None:
        loop = VirtualLoop(self.world, lambda: FLUSH_MS)
        try:
            loop.run_until_complete(self._live(folder / "run"))
        finally:
            loop.close()

    async def _live(self, folder: Path) -> None:
        self.outside.begin()
        self.process = Process(self.world, self.outside, Outages(), self.setting, folder)
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for day in range(1, self.what.days + 1):
            self.world.at(START_MS + day * self.what.day_ms, partial(self._day, day))
        self.world.after(SAVE_MS, self._save)
        life = asyncio.ensure_future(self.process.live())
        await asyncio.wait({life, self.over}, return_when=asyncio.FIRST_COMPLETED)
        if life.done():
            life.result()
            raise Violation("liveness: the process ended by itself")
        self.process.end()
        await life

    def _day(self, day: int) -> None:
        driver = self.process.driver
        assert driver is not None
        self._forget()
        gc.collect()
        spent = time.process_time() - self.begun
        self.tell(Day(day, driver.taken, driver.stepper.steps, _resident_bytes(), spent))
        if day == self.what.days:
            self.over.set_result(None)

    def _save(self) -> None:
        """Files keep what was appended; old parts of the journal are as though moved elsewhere."""
        self.process.disk.save()
        for segment in find_segments(self.process.folder)[:-1]:
            segment.path.unlink()
        self.world.after(SAVE_MS, self._save)

    def _forget(self) -> None:
        """What the world outside remembers for checks is no part of what is measured."""
        self.outside.accepted_ms.clear()
        self.outside.refused.clear()
        log = self.outside.backend.log
        log.fills, log.funding = self._recent(log.fills), self._recent(log.funding)
        self.process.durable.clear()
        for walk in self.outside.walks.values():
            del walk.candles[:-HISTORY_MINUTES]

    def _recent(self, facts: Facts[Any]) -> Facts[Any]:
        """What may still be read."""
        kept: Facts[Any] = Facts()
        for fact in facts.since(self.world.now_ms - READ_MS):
            kept.append(fact)
        return kept


def _resident_bytes() -> int:
    """Memory of this process that is in use; what has been freed is given back to the system first."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # Of glibc.
    if trim is not None:
        trim(0)
    return int(STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
