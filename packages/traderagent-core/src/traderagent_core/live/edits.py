"""Notices that the configuration of a run was edited, or that somebody asks for it to be loaded again."""

import asyncio
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

from traderagent_core.config.loaded import Config
from traderagent_core.errors import ConfigError, OrderError
from traderagent_core.live.driver import Driver
from traderagent_core.live.reloading import Plan, go_over, load_again, plan
from traderagent_core.live.turns import in_turn

LOOK_SECONDS = 1.0
"""How often files are looked at; one that was edited is loaded when it has not changed for so long."""

Seen = dict[Path, tuple[int, int, int]]


async def reload(driver: Driver, reason: str) -> Plan:
    """Load the configuration again and go over to it. Raises ConfigError when that cannot be: nothing is changed."""
    return await _loaded(driver, lambda config: go_over(driver, config, reason))


async def plan_reload(driver: Driver) -> Plan:
    """What `reload` would do now; raises as it does."""
    return await _loaded(driver, partial(plan, driver.assembly))


async def _loaded(driver: Driver, do: Callable[[Config], Plan]) -> Plan:
    if not driver.has_prices.is_set():
        raise OrderError("the exchange has not told the present prices yet, which strategies need; try again")
    config = await asyncio.to_thread(load_again, driver.options.config)
    return await in_turn(driver, lambda: do(config))


async def keep_configuration(driver: Driver) -> None:
    """A keeper: reloads at SIGHUP, and when a file of the configuration was edited; a bad edit is told and left."""
    asked, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, asked.set)
    try:
        await driver.has_prices.wait()
        known: Seen | None = None  # Whether it was edited while the run came up, nobody has looked.
        before: Seen = {}
        while True:
            seen = _look(driver.options.config)
            is_edited, before = seen != known and seen == before, seen
            if asked.is_set() or is_edited:
                known = seen
                reason = "SIGHUP" if asked.is_set() else "edited"
                asked.clear()
                await _try_to_reload(driver, reason)
            try:
                await asyncio.wait_for(asked.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


async def _try_to_reload(driver: Driver, reason: str) -> None:
    try:
        await reload(driver, reason)
        await driver.options.flush()
    except (ConfigError, OrderError) as error:
        driver.observer.configuration_refused(driver.adapter.clock.now_ms(), str(error))


def _look(config: Config) -> Seen:
    """The files of a configuration, as far as they are there: time of change, size and number of each."""
    if config.path is None:
        return {}
    origins = {Path(origin.partition(" ")[0].rpartition(":")[0]) for origin in config.origins.values()}
    found = {}
    for path in {config.path, *config.presets, *origins}:
        try:
            told = path.stat()
        except OSError:
            continue
        found[path] = (told.st_mtime_ns, told.st_size, told.st_ino)
    return found
