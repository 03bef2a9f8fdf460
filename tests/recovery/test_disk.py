"""A full disk: entries wait, exits and stops are written into the room that was set aside for them."""

import asyncio
import errno
from pathlib import Path
from typing import Any

import pytest
from traderagent_core.errors import DiskFullError
from traderagent_core.live import session as module
from traderagent_core.live.entries import DISK
from traderagent_core.live.session import keep_room, keep_snapshots
from traderagent_core.persistence.journal.disk import Disk
from traderagent_core.persistence.journal.reserve import FILE


class FillingDisk(Disk):
    """A disk that somebody else fills; what the reserve gives up is room for `left` more writes."""

    def __init__(self, folder: Path, left: int = 10_000) -> None:
        self.reserve = folder / FILE
        self.left = left
        self.is_full = False

    def write(self, descriptor: int, data: bytes) -> int:
        if self.is_full:
            if self.reserve.exists() or not self.left:
                raise OSError(errno.ENOSPC, "No space left on device")
            self.left -= 1
        return super().write(descriptor, data)

    def free_bytes(self, folder: Path) -> int:
        return 0 if self.is_full else super().free_bytes(folder)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks and snapshots follow each other as quickly as the test needs them."""
    for name in ("ROOM_INTERVAL_MS", "SNAPSHOT_INTERVAL_MS"):
        monkeypatch.setattr(module, name, 50)


def test_on_a_full_disk_entries_wait_and_what_protects_goes_on(floor: Any) -> None:
    async def scenario() -> None:
        async with floor() as here:
            disk = FillingDisk(here.folder)
            async with here.trading(keep_room, keep_snapshots, disk=disk):
                await here.walk(97)
                disk.is_full = True
                here.move(95)
                bars = here.driver.engine.barring.bars
                await here.until("entries are barred", lambda: ("", DISK) in bars)
                await here.agreed()
                assert any(order.trigger_price for order in here.live_at_venue().values())
                orders = len(here.live_at_venue())
                await here.walk(99)
                assert len(here.live_at_venue()) < orders, "the entry that would follow waits"
                disk.is_full = False
                await here.until("entries are allowed", lambda: not bars)
                await here.until("it is sent", lambda: len(here.live_at_venue()) == orders)
                assert disk.reserve.exists()
            async with here.trading():
                await here.walk(97, 101)

    asyncio.run(scenario())


async def fill_up(here: Any, disk: FillingDisk) -> None:
    """Trade until there is no room, not even that which was set aside."""
    async with here.trading(keep_room, disk=disk):
        await here.walk(97)
        disk.is_full = True
        for price in (95, 97, 95, 97, 95):
            here.move(price)
            await asyncio.sleep(0.1)


def test_a_run_that_has_no_room_left_at_all_ends_and_says_so(floor: Any) -> None:
    async def scenario() -> None:
        async with floor() as here:
            with pytest.raises(DiskFullError, match=r"no room for entry .* free some space"):
                await fill_up(here, FillingDisk(here.folder, left=3))
            async with here.trading():
                await here.walk(97, 101)

    asyncio.run(scenario())
