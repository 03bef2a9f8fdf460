"""One process on one account: lock, journal, recovery, the run, the last snapshot."""

import asyncio
import json
import os
import secrets
import signal
import socket
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import frozen

from traderagent_core.config.loaded import Config
from traderagent_core.contract.exchange_adapter import ExchangeAdapter
from traderagent_core.errors import ConfigError, ExchangeRefusedError
from traderagent_core.live.assembling import Conditions, conditions_for, timeframes_of
from traderagent_core.live.boundaries import GRACE_MS
from traderagent_core.live.driver import Driver, Levels, Options
from traderagent_core.live.entries import DISK
from traderagent_core.live.recovery import Recovered, first_conditions, recover, try_to_save
from traderagent_core.live.running import Keeper, run
from traderagent_core.live.stepper import Stepper
from traderagent_core.model.position import money_context
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.persistence.journal.disk import Disk
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.journal.lock import Owner
from traderagent_core.persistence.snapshots import Snapshots

SNAPSHOT_INTERVAL_MS = 30_000
ROOM_INTERVAL_MS = 1_000
FULL = "the disk of {} is full: what room was set aside is for exits and stops; free some space"
MANIFEST = "manifest.json"
HELD = "{} holds a run already, and a simulated account ends with its process; choose another folder with --run-dir"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
HISTORY_CANDLES = 1_000
"""Candles of the coarsest timeframe that are read before the first start, for indicators to warm up on."""


@frozen
class Session:
    """What a process on an account is told. See driver.Options for what is not explained here.

    `folder` holds the journal with its snapshots, and gets `manifest`; only with `goes_on` may there be a run in it
    already. `account` is the name by which the lock knows the account. `run_id`
    begins all client order ids, and is drawn at random unless it is given. `history_ms` is how far back candles are
    read. `starts_bots` is false for a process that only brings to an end what was begun.
    """

    config: Config
    adapter: ExchangeAdapter
    folder: Path
    account: str
    base: str
    tell: Callable[..., None]
    manifest: Mapping[str, Any]
    goes_on: bool = True
    run_id: str | None = None
    history_ms: int | None = None
    start_ms: int | None = None
    grace_ms: int = GRACE_MS
    quote: Callable[[str], Decimal] | None = None
    levels: Levels | None = None
    acknowledge_after_ms: int | None = None
    starts_bots: bool = True
    disk: Disk | None = None


async def trade(session: Session, *keepers: Keeper) -> Stepper:
    """Run until a keeper returns; what was reached is in the journal, and in the stepper that is given back.

    Raises AccountHeldError when another process has the account, and whatever forbids a start or ends a run.
    """
    adapter, tell = session.adapter, session.tell
    owner = Owner(session.account, socket.gethostname(), os.getpid(), adapter.clock.now_ms())
    journal = Journal.open(session.folder, owner, disk=session.disk)
    if journal.torn is not None:
        tell("journal_tail_dropped", bytes=journal.torn.size)
    snapshots = Snapshots(session.folder)
    try:
        known = first_conditions(journal)
        if known is not None and not session.goes_on:
            raise ConfigError(HELD.format(session.folder))
        _write_manifest(session)
        await adapter.connect()
        conditions = known or await _ask_conditions(session)
        recovered = recover(session.config, journal, snapshots, conditions, tell)
        tell("recovered", events=recovered.events, is_first=recovered.is_first)
        driver = _driver(session, recovered, journal)
        with money_context():
            await run(driver, _history_ms(session), *keepers)
        try_to_save(recovered.stepper, journal, snapshots, tell)
        return recovered.stepper
    finally:
        await adapter.close()
        journal.close()


def _write_manifest(session: Session) -> None:
    """For a replay; a start does not fail for want of it."""
    text = json.dumps(session.manifest, indent=2)
    try:
        (session.folder / MANIFEST).write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        session.tell("manifest_not_written", error=str(error))


def _driver(session: Session, recovered: Recovered, journal: Journal) -> Driver:
    async def flush() -> None:
        journal.sync()

    bots = tuple(bot.name for bot in session.config.bots if bot.auto_start and session.starts_bots)
    return Driver(
        session.adapter,
        recovered.stepper,
        Options(
            session.base,
            flush if session.quote is not None else journal.commit,
            bots,
            start_ms=session.start_ms,
            grace_ms=session.grace_ms,
            quote=session.quote,
            levels=session.levels,
            tell=session.tell,
            acknowledge_after_ms=session.acknowledge_after_ms,
        ),
    )


async def _ask_conditions(session: Session) -> Conditions:
    """What the exchange says of instruments and money before the first start."""
    adapter, config = session.adapter, session.config
    instruments = await adapter.instruments()
    known = {instrument.symbol: instrument for instrument in instruments}
    missing = sorted({bot.symbol for bot in config.bots} - known.keys())
    if missing:
        raise ExchangeRefusedError(f"the exchange does not trade {', '.join(missing)}; choose other symbols")
    balances = await adapter.balances()
    quotes = {known[bot.symbol].quote for bot in config.bots}
    balance = sum((balances[quote].total for quote in quotes if quote in balances), Decimal(0))
    return conditions_for(
        config,
        adapter.capabilities,
        instruments,
        balance,
        base=session.base,
        run_id=session.run_id or secrets.token_hex(3),
    )


def _history_ms(session: Session) -> int:
    if session.history_ms is not None:
        return session.history_ms
    return HISTORY_CANDLES * max(map(timeframe_ms, timeframes_of(session.config)))


# -- keepers ------------------------------------------------------------------------------------------------


def keep_snapshots(folder: Path) -> Keeper:
    """Save a snapshot every 30 s."""

    async def keep(driver: Driver) -> None:
        clock, log = driver.adapter.clock, driver.stepper.log
        assert isinstance(log, Journal)

        def save() -> None:
            if not log.is_short:
                try_to_save(driver.stepper, log, Snapshots(folder), driver.options.tell)

        while True:
            await clock.sleep_until(clock.now_ms() + SNAPSHOT_INTERVAL_MS)
            driver.tell(save)

    return keep


async def keep_room(driver: Driver) -> None:
    """While the disk is full hold entries back, and set the reserve aside again when there is room."""
    clock, log = driver.adapter.clock, driver.stepper.log
    assert isinstance(log, Journal)

    def look() -> None:
        if log.hold_room():
            driver.entries.allow(DISK)
        else:
            driver.entries.bar(DISK, FULL.format(log.folder))

    while True:
        driver.tell(look)
        await clock.sleep_until(clock.now_ms() + ROOM_INTERVAL_MS)


async def until_told(driver: Driver) -> None:
    """Return at SIGINT or SIGTERM."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, told.set)
    try:
        await told.wait()
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
    driver.options.tell("stop_asked")


def until(end_ms: int) -> Keeper:
    """Return at a time, ms UTC."""

    async def keep(driver: Driver) -> None:
        await driver.adapter.clock.sleep_until(end_ms)

    return keep
