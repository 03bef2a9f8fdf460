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

from attrs import Factory, frozen

from traderagent_core.config.loaded import Config
from traderagent_core.contract.capabilities import Capabilities
from traderagent_core.contract.exchange_adapter import ExchangeAdapter
from traderagent_core.errors import ConfigError, ExchangeRefusedError
from traderagent_core.live.assembling import Conditions, conditions_for, conditions_of, timeframes_of
from traderagent_core.live.boundaries import GRACE_MS
from traderagent_core.live.connecting import ask_again
from traderagent_core.live.control.reception import Reception
from traderagent_core.live.driver import Driver, Levels, Options
from traderagent_core.live.entries import DISK
from traderagent_core.live.recovery import Recovered, first_setup, recover, try_to_save
from traderagent_core.live.reloading import go_over, plan
from traderagent_core.live.running import Keeper, run
from traderagent_core.live.stepper import Stepper
from traderagent_core.live.watchdog.board import Board
from traderagent_core.model.position import money_context
from traderagent_core.model.position_side import pair_of, side_of
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.persistence.journal.disk import Disk, write_durably
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
    read. `starts_bots` is false for a process that only brings to an end what was begun. A
    supervisor watches its `board`. Operators are answered at the `reception`, where there is one. `holder` is what
    lock and journal say of the process: its host and its number there.
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
    board: Board | None = None
    reception: Reception | None = None
    holder: tuple[str, int] = Factory(lambda: (socket.gethostname(), os.getpid()))


async def trade(session: Session, *keepers: Keeper) -> Stepper:
    """Run until a keeper returns; what was reached is in the journal, and in the stepper that is given back.

    Raises AccountHeldError when another process has the account, and whatever forbids a start or ends a run.
    """
    adapter, tell = session.adapter, session.tell
    owner = Owner(session.account, *session.holder, adapter.clock.now_ms())
    journal = Journal.open(session.folder, owner, disk=session.disk)
    if journal.torn is not None:
        tell("journal_tail_dropped", bytes=journal.torn.size)
    snapshots = Snapshots(journal.folder, journal.disk)
    if session.board is not None:
        run_of = {
            "folder": str(session.folder),
            "goes_on": session.goes_on,
            "limit_ms": session.config.hung_call_ms,
        }
        session.board.introduce(run_of)
    try:
        if session.reception is not None:
            await session.reception.open()
        setup = first_setup(journal)
        if setup is not None and not session.goes_on:
            raise ConfigError(HELD.format(session.folder))
        _write_manifest(session, journal.disk)
        await ask_again(adapter.connect, adapter.clock, tell)
        conditions = await _ask_conditions(session) if setup is None else conditions_of(setup)
        recovered = recover(session.config, journal, snapshots, conditions, tell, session.board)
        for attached in recovered.stepper.attached_stops():
            adapter.recall(*attached)
        tell("recovered", events=recovered.events, is_first=recovered.is_first)
        if session.starts_bots:
            with money_context():
                plan(recovered.assembly, session.config)  # What the run cannot go over to forbids the start.
        driver = _driver(session, recovered, journal)
        if session.reception is not None:
            session.reception.meet(driver)
        with money_context():
            await run(driver, _history_ms(session), lambda: _begin(driver, session), *keepers)
        try_to_save(recovered.stepper, journal, snapshots, tell)
        return recovered.stepper
    finally:
        if session.reception is not None:
            session.reception.close()
        await adapter.close()
        journal.close()


def _begin(driver: Driver, session: Session) -> None:
    if session.starts_bots:
        go_over(driver, session.config, "start")


def _write_manifest(session: Session, disk: Disk) -> None:
    """For a replay; a start does not fail for want of it."""
    text = json.dumps(session.manifest, indent=2)
    try:
        write_durably(session.folder / MANIFEST, f"{text}\n".encode(), disk)
    except OSError as error:
        session.tell("manifest_not_written", error=str(error))


def _driver(session: Session, recovered: Recovered, journal: Journal) -> Driver:
    async def flush() -> None:
        journal.sync()

    bots = tuple(bot.name for bot in session.config.bots if bot.auto_start and session.starts_bots)
    return Driver(
        session.adapter,
        recovered.assembly,
        Options(
            session.config,
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
    _refuse_sides(config, adapter.capabilities)
    instruments = await ask_again(adapter.instruments, adapter.clock, session.tell)
    known = {instrument.symbol: instrument for instrument in instruments}
    missing = sorted({bot.symbol for bot in config.bots} - known.keys())
    if missing:
        raise ExchangeRefusedError(f"the exchange does not trade {', '.join(missing)}; choose other symbols")
    balances = await ask_again(adapter.balances, adapter.clock, session.tell)
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


def _refuse_sides(config: Config, capabilities: Capabilities) -> None:
    """Raises ConfigError for a position of hedge mode at an exchange that has one position of each symbol."""
    sided = [bot.symbol for bot in config.bots if side_of(bot.symbol) is not None]
    if sided and not capabilities.has_hedge_mode:
        raise ConfigError(
            f"the exchange does not hold long and short apart, as {', '.join(sided)} wants it; write symbol: "
            f"{pair_of(sided[0])}, or choose another exchange"
        )


def _history_ms(session: Session) -> int:
    if session.history_ms is not None:
        return session.history_ms
    return HISTORY_CANDLES * max(map(timeframe_ms, timeframes_of(session.config)))


# -- keepers ------------------------------------------------------------------------------------------------


async def keep_snapshots(driver: Driver, least_entries: int = 1) -> None:
    """Look every 30 s whether a snapshot is worth it, and save one then."""
    clock, log = driver.adapter.clock, driver.stepper.log
    assert isinstance(log, Journal)
    snapshots = Snapshots(log.folder, log.disk, least_entries)

    def save() -> None:
        if not log.is_short and snapshots.is_worth_it(log):
            try_to_save(driver.stepper, log, snapshots, driver.options.tell)

    while True:
        driver.tell(save)
        await clock.sleep_until(clock.now_ms() + SNAPSHOT_INTERVAL_MS)


async def keep_room(driver: Driver) -> None:
    """While the disk is full hold entries back, and set the reserve aside again when there is room."""
    clock, log = driver.adapter.clock, driver.stepper.log
    assert isinstance(log, Journal)
    shortage = asyncio.Event()
    log.ran_short = shortage.set

    def look() -> None:
        if log.hold_room():
            driver.entries.allow(DISK)
        else:
            driver.entries.bar(DISK, FULL.format(log.folder))

    while True:
        while log.is_short or driver.entries.is_barred(DISK):
            driver.tell(look)
            await clock.sleep_until(clock.now_ms() + ROOM_INTERVAL_MS)
        shortage.clear()
        await shortage.wait()


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
