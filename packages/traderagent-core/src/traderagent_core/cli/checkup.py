"""What has to be right before a launch, check by check: each says what it has found, and how to mend it."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from traderagent_core.errors import TraderAgentError

if TYPE_CHECKING:
    from traderagent_core.config.loaded import Config
    from traderagent_core.contract.exchange_adapter import ExchangeAdapter

LEAST_FREE = 1024**3
"""Bytes; the log may take as much, and the journal keeps a reserve of 64 MB."""

MOST_SKEW_MS = 1_000
PATIENCE_SECONDS = 30.0
OLDEST_PYTHON = (3, 11)


@frozen
class Finding:
    """One check. `remedy` is there when it is not ok."""

    check: str
    is_ok: bool
    found: str
    remedy: str = ""


def look_at_machine(folder: Path) -> Iterator[Finding]:
    """Python, plugins, the folder of the run, and room on its disk."""
    from traderagent_core.host import PluginHost

    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= OLDEST_PYTHON, version, "install Python 3.11 or newer")
    broken = PluginHost.discover(None).failures
    found = "; ".join(info.describe() for info in broken) or "all installed plugins load"
    yield Finding("plugins", not broken, found, "`traderagent plugins doctor` tells what would mend them")
    there = _nearest(folder)
    is_writable = os.access(there, os.W_OK | os.X_OK)
    yield Finding(
        "folder", is_writable, str(folder), f"let this user write to {there}, or set $TRADERAGENT_STATE"
    )
    free = shutil.disk_usage(there).free
    yield Finding("disk", free >= LEAST_FREE, f"{free / 1024**3:.1f} GB free", "free some, 1 GB at least")


def look_at_process(folder: Path) -> Finding:
    """Whether another process has the account."""
    from traderagent_core.live.control.left import find_process

    process = find_process(folder)
    if process is None or not process.is_alive:
        return Finding("account", True, "free")
    return Finding(
        "account",
        False,
        f"process {process.process_id} trades on it",
        "`traderagent stop` that run before a launch",
    )


def look_at_calls(folder: Path, now_ms: int) -> Finding:
    """Whether a plugin has hung within a day."""
    from traderagent_core.model.timeframe import DAY_MS
    from traderagent_core.persistence.ended_calls import FILE, read_ended

    late = [call for call in read_ended(folder) if now_ms - call.time_ms < DAY_MS]
    found = ", ".join(f"{call.callback} of {call.bot or 'the account'}" for call in late)
    remedy = f"{folder / FILE} tells where; mend or replace that plugin"
    return Finding("callbacks", not late, f"hung: {found}" if late else "none has hung", remedy)


def look_at_database(url: str) -> Finding:
    """Whether the database answers, and its tables can be made or upgraded."""
    from traderagent_core.persistence.database.connect import Database
    from traderagent_core.persistence.database.store import Store
    from traderagent_core.persistence.database.urls import parse_url

    async def look() -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), Database.open(url) as database:
            await Store(database).prepare()

    shown = parse_url(url).render_as_string(hide_password=True)
    try:
        asyncio.run(look())
    except (TraderAgentError, OSError, TimeoutError) as error:
        return Finding(
            "database", False, f"{shown}: {_said(error)}", "mend database_url, or start the database"
        )
    return Finding("database", True, shown)


def look_at_exchange(config: "Config", keys: Mapping[str, str]) -> Iterator[Finding]:
    """Everything that a run will ask of the exchange, but for orders."""
    from traderagent_core.live_run import adapter_of

    found: list[Finding] = []

    async def look() -> None:
        adapter = adapter_of(config, keys)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await _ask(adapter, config, found)
        except (TraderAgentError, OSError, TimeoutError) as error:
            found.append(
                Finding("exchange", False, _said(error), "see to the network, keys, rights and symbols")
            )
        finally:
            await adapter.close()

    asyncio.run(look())
    yield from found


async def _ask(adapter: "ExchangeAdapter", config: "Config", found: list[Finding]) -> None:
    await adapter.connect()
    name = config.bots[0].exchange.exchange_id
    found.append(Finding("exchange", True, f"{name} answers, and takes the keys where they are needed"))
    found.append(await _clock(adapter))
    found.append(await _symbols(adapter, config))
    found.append(await _candles(adapter, config))
    balances = await adapter.balances()
    held = {name: balance for name, balance in balances.items() if balance.total}
    told = ", ".join(f"{balance.available:f} {name} free" for name, balance in held.items())
    remedy = "pay in what the bots are to trade with"
    found.append(Finding("money", bool(held), told or "nothing on the account", remedy))
    orders, positions = await adapter.open_orders(), await adapter.positions()
    found.append(Finding("rights", True, f"may read {len(orders)} orders and {len(positions)} positions"))


async def _clock(adapter: "ExchangeAdapter") -> Finding:
    before = time.time()
    server_ms = await adapter.server_time()
    skew_ms = round(server_ms - (before + time.time()) * 500)
    found = f"{skew_ms:+d} ms from the exchange's"
    return Finding("clock", abs(skew_ms) <= MOST_SKEW_MS, found, "let this machine set its clock by NTP")


async def _symbols(adapter: "ExchangeAdapter", config: "Config") -> Finding:
    known = {instrument.symbol for instrument in await adapter.instruments()}
    wanted = {bot.symbol for bot in config.bots}
    missing = ", ".join(sorted(wanted - known))
    found = f"no {missing}" if missing else ", ".join(sorted(wanted))
    return Finding("symbols", not missing, found, "choose symbols and markets that the exchange trades")


async def _candles(adapter: "ExchangeAdapter", config: "Config") -> Finding:
    """Candles of the last hour or of the last three timeframes, of each bot."""
    from traderagent_core.model.timeframe import timeframe_ms

    lacking = []
    now_ms = await adapter.server_time()
    for bot in config.bots:
        since_ms = now_ms - max(3 * timeframe_ms(bot.timeframe), 3_600_000)
        if not len(await adapter.candles(bot.symbol, bot.timeframe, since_ms, 10)):
            lacking.append(f"{bot.symbol} {bot.timeframe}")
    found = f"none of late: {', '.join(lacking)}" if lacking else "there are some of every bot"
    return Finding("candles", not lacking, found, "choose another timeframe, or wait until the market trades")


def _nearest(folder: Path) -> Path:
    """The folder, or that above it which exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def _said(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer in {PATIENCE_SECONDS:g} s"
    return str(error) or type(error).__name__
