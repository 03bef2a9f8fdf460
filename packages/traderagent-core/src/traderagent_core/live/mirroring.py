"""Keeps a database in line with the journal of a run; while it does not answer, entries stop and all else goes on."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define

from traderagent_core.errors import StoreError
from traderagent_core.live.driver import Driver
from traderagent_core.live.entries import DATABASE
from traderagent_core.persistence.journal.journal import Journal

if TYPE_CHECKING:
    from traderagent_core.persistence.database.connect import Database
    from traderagent_core.persistence.database.mirror import Mirror

INTERVAL_SECONDS = 1.0
SLOW_SECONDS = 10.0
"""A database that has not taken what it was given after so long counts as down, though it may still answer."""

LONGEST_PAUSE_SECONDS = 30.0
LAST_SECONDS = 5.0
"""How long the end of a run waits for the database; what is missing then is written by the next run."""

REMEDY = "entries are held back until it answers; exits and stops go on, and nothing is lost: see docs/how-to/run.md"


@define(eq=False)
class Mirroring:
    """The database of a run. Raises StoreError for a URL that cannot be one; what does not answer is waited for."""

    url: str
    account: str
    folder: Path
    _database: "Database | None" = None
    _mirror: "Mirror | None" = None
    _writing: "asyncio.Task[None] | None" = None

    def __attrs_post_init__(self) -> None:
        from traderagent_core.persistence.database.urls import parse_url

        parse_url(self.url)

    async def keep(self, driver: Driver) -> None:
        """A keeper: mirrors until it is cancelled."""
        pause = INTERVAL_SECONDS
        while True:
            try:
                await self._catch_up(driver)
                driver.tell(lambda: driver.entries.allow(DATABASE))
                pause = INTERVAL_SECONDS
            except StoreError as error:
                self._bar(driver, str(error))
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(pause)

    async def _catch_up(self, driver: Driver) -> None:
        mirror = self._mirror or self._open(driver)
        writing = self._writing = asyncio.create_task(self._write(mirror))
        writing.add_done_callback(lambda task: task.cancelled() or task.exception())
        done, _ = await asyncio.wait([writing], timeout=SLOW_SECONDS)
        if not done:
            self._bar(driver, f"the database has not taken {mirror.lag} entries after {SLOW_SECONDS:g} s")
        await asyncio.shield(writing)

    async def _write(self, mirror: "Mirror") -> None:
        """What is missing; with nothing to write, see that the database is there for what comes next."""
        if not await mirror.catch_up():
            await mirror.store.position(self.account)

    def _open(self, driver: Driver) -> "Mirror":
        from traderagent_core.persistence.database.connect import Database
        from traderagent_core.persistence.database.mirror import Mirror
        from traderagent_core.persistence.database.store import Store

        journal = driver.stepper.log
        assert isinstance(journal, Journal)
        self._database = Database.of(self.url)
        self._mirror = Mirror(
            Store(self._database), self.account, self.folder, lambda: journal.durable_sequence
        )
        return self._mirror

    def _bar(self, driver: Driver, error: str) -> None:
        driver.tell(lambda: driver.entries.bar(DATABASE, f"{error}; {REMEDY}"))

    async def finish(self) -> int:
        """Write what is left, if the database takes it soon; returns how many entries are not known to be in it."""
        mirror, database = self._mirror, self._database
        if mirror is None or database is None:
            return 0
        try:
            async with asyncio.timeout(LAST_SECONDS):
                if self._writing is not None:
                    await asyncio.wait([self._writing])  # A transaction that is under way is not torn.
                await mirror.catch_up()
        except (StoreError, TimeoutError):
            return mirror.lag
        finally:
            if self._writing is not None:
                self._writing.cancel()
                await asyncio.wait([self._writing])
            await database.close()
        return mirror.lag
