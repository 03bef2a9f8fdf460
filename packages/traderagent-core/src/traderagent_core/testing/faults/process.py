"""One life of the process under test: the real session, from its start to its end or its death."""

import asyncio
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

from traderagent_core.live.driver import Driver
from traderagent_core.live.health import keep_health
from traderagent_core.live.running import Keeper, keep_reconciled, keep_time
from traderagent_core.live.session import Session, keep_room, keep_snapshots, trade
from traderagent_core.testing.faults.adapter import FaultyAdapter
from traderagent_core.testing.faults.clock import ProcessClock
from traderagent_core.testing.faults.crash import Crash, Leave
from traderagent_core.testing.faults.disk import FaultDisk, Pending, ProcessDiedError
from traderagent_core.testing.faults.link import Link
from traderagent_core.testing.faults.market import BASE
from traderagent_core.testing.faults.outside import Outside
from traderagent_core.testing.faults.setting import Setting
from traderagent_core.testing.faults.wire import Outages, Wire
from traderagent_core.testing.faults.world import World

RUN_ID = "fz"
ACCOUNT = "faults"
HOLDER = ("faults", 1)
"""Real ones would be in the journal, whose length would tell one run of a seed from another."""

SNAPSHOT_ENTRIES = (40, 200, 1_000, 1_000)
"""After how many entries a life saves a snapshot: early, now and then, or hardly ever, as in most runs so short."""


class Process:
    """Runs in `folder`, which `former` has left, if there was one. It dies at the step of `crash`, if there is one.

    `keeper` runs beside the driver for whoever has something to say to it. `found` is the digest of what it finds:
    the files, what of them is durable, and the account. `recovered_at` is the step up to which it was busy with that,
    0 until then.
    """

    def __init__(
        self,
        world: World,
        outside: Outside,
        outages: Outages,
        setting: Setting,
        folder: Path,
        *,
        former: "Process | None" = None,
        crash: Crash | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self.world = world
        self.folder = folder
        self.steps = 0
        pending = {} if former is None else former.pending
        self.found = _digest(folder, pending, outside)
        self.recovered_at = 0
        self.had_pending = False
        self.is_dead = False
        self.is_running = False
        self.begun_ms = world.now_ms
        self.driver: Driver | None = None
        self.died: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.clock = ProcessClock(world)
        self.pending: dict[str, Pending] = {}
        self.durable: set[str] = set() if former is None else former.durable
        self.disk = FaultDisk(world, folder, self._step, self.durable, pending)
        self.link = Link(world, self.clock)
        self.wire = Wire(world, outages, self._step, lambda: self.link.is_down)
        self.adapter = FaultyAdapter(world, outside, self.clock, self.wire, self.link)
        self._setting = setting
        self._crash = crash
        self._keeper = keeper
        self._over = asyncio.Event()

    async def live(self) -> None:
        """Trade until told to end, or until death."""
        session = Session(
            self._setting.config,
            self.adapter,
            self.folder,
            ACCOUNT,
            BASE,
            self._tell,
            {},
            run_id=RUN_ID,
            history_ms=self._setting.history_ms,
            disk=self.disk,
            holder=HOLDER,
        )
        snapshots = partial(
            keep_snapshots, least_entries=self.world.dice("snapshots").choice(SNAPSHOT_ENTRIES)
        )
        keepers: list[Keeper] = [keep_time, keep_reconciled, keep_health, snapshots, keep_room, self._keep]
        await trade(session, *keepers, *([] if self._keeper is None else [self._keeper]))

    def end(self) -> None:
        """Have it stop as by a signal."""
        self._over.set()

    @property
    def is_ending(self) -> bool:
        """Whether it was told to stop."""
        return self._over.is_set()

    @property
    def is_recovered(self) -> bool:
        """Whether it is back to work, and is no longer busy with what it has found."""
        driver = self.driver
        return (
            self.is_running
            and driver is not None
            and driver.is_idle
            and not driver.outbox.in_flight
            and not driver.resolver.cases
        )

    def die(self, cause: str, leave: Leave | None = None) -> None:
        """The process ends here; nothing that it does from now on has any effect."""
        if not self.is_dead:
            self.world.tell(
                f"process dies at step {self.steps}: {cause}".replace(f"{self.folder.parent}/", "")
            )
            self.is_dead = True
            self.had_pending = self.disk.has_pending
            self.pending = self.disk.die(self.heir, leave)
            self.link.close()
            self.died.set_result(None)

    @property
    def heir(self) -> Path:
        """The folder that the next process finds."""
        return self.folder.with_name(f"{self.folder.name}+")

    def _step(self, what: str) -> None:
        if not self.is_dead:
            self.steps += 1
            if self._crash is not None and self.steps == self._crash.step:
                self.die(what, self._crash.leave)
        if self.is_dead:
            raise ProcessDiedError

    async def _keep(self, driver: Driver) -> None:
        self.driver = driver
        await self._over.wait()

    def _tell(self, what: str, **values: Any) -> None:
        if what == "running":
            self.is_running = True
        if not self.is_dead:
            told = " ".join(f"{name}={value}" for name, value in values.items())
            self.world.tell(f"log {what} {told}".replace(f"{self.folder.parent}/", ""))


def _digest(folder: Path, pending: dict[str, Pending], outside: Outside) -> str:
    digest = blake2b(digest_size=16)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        digest.update(f"{path.name} {pending.get(path.name)}".encode())
        digest.update(path.read_bytes())
    log = outside.backend.log
    held = [outside.position(symbol) for symbol in outside.instruments]
    digest.update(repr((held, len(log.fills), sorted(log.open.items()))).encode())
    return digest.hexdigest()
