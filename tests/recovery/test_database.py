"""The database mirrors a run; while it is down entries stop, all else goes on, and it is caught up afterwards."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from traderagent_core.account.state import WantStatus
from traderagent_core.errors import StoreError
from traderagent_core.live import mirroring as module
from traderagent_core.live.entries import DATABASE
from traderagent_core.live.mirroring import Mirroring
from traderagent_core.persistence.database.connect import Database
from traderagent_core.persistence.database.store import Store
from traderagent_core.persistence.journal.reading import read_entries


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses as short as the test needs them, and patience with a busy machine."""
    for name in ("INTERVAL_SECONDS", "LONGEST_PAUSE_SECONDS"):
        monkeypatch.setattr(module, name, 0.05)
    monkeypatch.setattr(module, "LAST_SECONDS", 60.0)


def is_barred(floor: Any) -> bool:
    return ("", DATABASE) in floor.driver.engine.barring.bars


def is_blocked_by_database(floor: Any) -> bool:
    wants = floor.driver.engine.account.wants.values()
    return any(
        want.status is WantStatus.BLOCKED and want.reason == "entries_barred:database" for want in wants
    )


async def check_mirrored(url: str, folder: Path) -> None:
    """The database has every entry of the journal, and its rows tell what the records tell."""
    entries = list(read_entries(folder, 0))
    async with Database.open(url) as database:
        store = Store(database)
        rows = await store.rows("journal")
        assert [(row["sequence"], row["checksum"]) for row in rows] == [
            (entry.sequence, entry.checksum) for entry in entries
        ]
        trades, orders, bots = [await store.rows(name) for name in ("trades", "orders", "bots")]
    assert len(trades) > 2
    assert len(orders) > 10
    assert [row["name"] for row in bots] == ["bot"]


def test_a_run_is_mirrored_to_sqlite_and_goes_on_there(floor: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/traderagent.db"

    async def scenario() -> None:
        async with floor() as here:
            for _ in range(2):
                mirroring = Mirroring(url, "bybit-kit", here.folder)
                async with here.trading(mirroring.keep):
                    await here.walk(97, 101, 97, 101)
                assert await mirroring.finish() == 0
                await check_mirrored(url, here.folder)

    asyncio.run(scenario())


async def hold_back(here: Any) -> None:
    """With the database down: what rests fills, what reduces is placed, what would add waits."""
    await here.until("entries are barred", lambda: is_barred(here))
    await here.walk(97, 95)
    assert here.position > 0
    stops = [order for order in here.live_at_venue().values() if order.reduce_only]
    assert stops, "the position has its stop"
    await here.walk(99)
    await here.until("an entry waits", lambda: is_blocked_by_database(here))


def test_entries_wait_for_a_postgresql_that_was_killed(floor: Any, postgres: str, wire: Any) -> None:
    async def scenario() -> None:
        await wire.mend()
        url = f"postgresql://postgres@127.0.0.1:{wire.port}/{postgres}"
        async with floor() as here:
            mirroring = Mirroring(url, "bybit-kit", here.folder)
            async with here.trading(mirroring.keep):
                await here.until("orders rest", here.live_at_venue)
                await here.until("it is mirrored", lambda: mirroring._mirror and not mirroring._mirror.lag)
                await wire.cut()
                await hold_back(here)
                await wire.mend()
                await here.until("entries are allowed", lambda: not is_barred(here))
                assert not is_blocked_by_database(here)
                await here.walk(97, 101, 97, 101)
            assert await mirroring.finish() == 0
            await check_mirrored(url, here.folder)
        await wire.cut()

    asyncio.run(scenario())


def test_entries_wait_for_a_postgresql_that_is_blocked(
    floor: Any, postgres: str, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLOW_SECONDS", 0.2)

    async def scenario() -> None:
        await wire.mend()
        url = f"postgresql://postgres@127.0.0.1:{wire.port}/{postgres}"
        async with floor() as here:
            mirroring = Mirroring(url, "bybit-kit", here.folder)
            async with here.trading(mirroring.keep):
                await here.until("orders rest", here.live_at_venue)
                wire.is_blocked = True
                await hold_back(here)
                wire.is_blocked = False
                await here.until("entries are allowed", lambda: not is_barred(here))
                await here.walk(97, 101, 97, 101)
            assert await mirroring.finish() == 0
            await check_mirrored(url, here.folder)
        await wire.cut()

    asyncio.run(scenario())


def test_a_database_that_is_down_from_the_start_holds_back_the_start_of_bots_only(
    floor: Any, postgres: str, wire: Any
) -> None:
    async def scenario() -> None:
        await wire.mend()
        url = f"postgresql://postgres@127.0.0.1:{wire.port}/{postgres}"
        async with floor() as here:
            async with here.trading():
                await here.walk(97)
            await wire.cut()
            mirroring = Mirroring(url, "bybit-kit", here.folder)
            async with here.trading(mirroring.keep):
                await hold_back(here)
                await wire.mend()
                await here.until("entries are allowed", lambda: not is_barred(here))
            assert await mirroring.finish() == 0
            await check_mirrored(url, here.folder)
        await wire.cut()

    asyncio.run(scenario())


def test_what_cannot_be_a_database_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="expected sqlite:///FILE or postgresql://"):
        Mirroring("mysql://root@127.0.0.1/x", "a", tmp_path)
