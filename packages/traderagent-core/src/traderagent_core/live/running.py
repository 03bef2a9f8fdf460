"""A run from connecting to the last word: recover, reconcile, trade, stop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from traderagent_core.data.resampling import grid_offset_ms
from traderagent_core.errors import ExchangeRefusedError, ExchangeUnavailableError, TraderAgentError
from traderagent_core.live.driver import Driver, Due
from traderagent_core.live.reconcile import OVERLAP_MS, Reads, read_account
from traderagent_core.model.timeframe import timeframe_ms

READ_AGAIN_MS = 1_000
LONGEST_PAUSE_MS = 60_000
LAST_WORDS_SECONDS = 5.0
"""How long a stop waits for answers that are under way."""

FLIGHT_INTERVAL_MS, QUIET_INTERVAL_MS = 5_000, 30_000
Keeper = Callable[[Driver], Awaitable[None]]
"""What runs beside the driver's own tasks; the run is over when the first of them returns."""


async def run(driver: Driver, history_ms: int, *keepers: Keeper) -> None:
    """Run a connected driver until a keeper returns. `history_ms` is how far back candles are read for indicators.

    Raises what went wrong first, as though it had happened here.
    """
    try:
        async with asyncio.TaskGroup() as group:
            adapter, symbols = driver.adapter, driver.symbols
            streams = {
                "orders": adapter.events(),
                "prices": adapter.prices(symbols),
                "candles": adapter.closed_candles(symbols, driver.options.base),
            }
            tasks = [group.create_task(driver.hear(*each)) for each in streams.items()]
            await _read_history(driver, history_ms)
            driver.reconcile(await read_patiently(driver))
            await driver.release()
            driver.remind()
            tasks += [group.create_task(work()) for work in (driver.outbox.work, driver.resolver.work)]
            working = group.create_task(driver.work())
            keeping = [group.create_task(_kept(keeper, driver)) for keeper in keepers]
            await asyncio.wait(keeping, return_when=asyncio.FIRST_COMPLETED)
            working.cancel()
            await _last_words(driver)
            for task in (*keeping, *tasks):
                task.cancel()
    except BaseExceptionGroup as group_of:
        raise _first(group_of) from None


async def _kept(keeper: Keeper, driver: Driver) -> None:
    await keeper(driver)


async def _last_words(driver: Driver) -> None:
    """What is under way is answered, if it is soon; what is not is found out at the next start."""
    waited = 0.0
    while driver.outbox.in_flight and waited < LAST_WORDS_SECONDS:
        await asyncio.sleep(0.01)
        waited += 0.01


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    """The first failure of a group, those that a person can mend before others."""
    leaves: list[BaseException] = []
    waiting: list[BaseException] = [group]
    while waiting:
        error = waiting.pop()
        if isinstance(error, BaseExceptionGroup):
            waiting += reversed(error.exceptions)
        else:
            leaves.append(error)
    return next((error for error in leaves if isinstance(error, TraderAgentError)), leaves[0])


# -- reading ------------------------------------------------------------------------------------------------


async def _read_history(driver: Driver, history_ms: int) -> None:
    """Let the view learn the candles that have closed since those it knows, or for the first time."""
    base = driver.options.base
    length, offset = timeframe_ms(base), grid_offset_ms(base)
    now_ms = driver.adapter.clock.now_ms()
    for symbol in driver.symbols:
        known_ms = driver.view.series(symbol, base).close_ms
        since_ms = max(known_ms, now_ms - history_ms)
        since_ms = -(-(since_ms - offset) // length) * length + offset
        await _read_candles(driver, symbol, since_ms, now_ms)
    driver.boundaries.pass_over(now_ms)
    driver.stepper.learn()


async def _read_candles(driver: Driver, symbol: str, since_ms: int, until_ms: int) -> None:
    base = driver.options.base
    limit = driver.adapter.capabilities.candles_per_request
    while since_ms + timeframe_ms(base) <= until_ms:
        found = await driver.adapter.candles(symbol, base, since_ms, limit)
        if not len(found):
            return
        for row in range(len(found)):
            driver.view.learn_candle(symbol, found.candle(row))
        since_ms = int(found.open_time[-1]) + timeframe_ms(base)


async def read_patiently(driver: Driver) -> Reads:
    """One complete pass of reads, tried until it is; a failed read never means that nothing is there."""
    pause_ms = READ_AGAIN_MS
    clock = driver.adapter.clock
    while True:
        try:
            return await read_account(driver.adapter, driver.engine, _since(driver))
        except ExchangeRefusedError:
            raise
        except ExchangeUnavailableError as error:
            driver.options.tell("read_failed", error=str(error))
            driver.vitals.failed(clock.now_ms(), "read_failed", str(error))
            await clock.sleep_until(clock.now_ms() + max(pause_ms, error.retry_after_ms))
            pause_ms = min(2 * pause_ms, LONGEST_PAUSE_MS)


def _since(driver: Driver) -> int:
    """Executions count from the last one that the journal can have; before the first start nothing is ours."""
    now_ms = driver.adapter.clock.now_ms()
    return min(driver.engine.now_ms, now_ms) - OVERLAP_MS if driver.engine.now_ms else now_ms


# -- keepers ------------------------------------------------------------------------------------------------


async def keep_time(driver: Driver) -> None:
    """Tell the driver when something is due, by the clock."""
    clock = driver.adapter.clock
    while True:
        driver.has_taken.clear()
        due = driver.next_due()
        if due is not None and due[0] <= clock.now_ms():
            driver.tell(Due())
            await driver.has_taken.wait()
            continue
        await _first_of(driver.has_taken.wait(), None if due is None else clock.sleep_until(due[0]))


async def keep_reconciled(driver: Driver) -> None:
    """Reconcile after each reconnection, and from time to time; sooner while anything is under way."""
    clock = driver.adapter.clock
    while True:
        is_busy = driver.outbox.in_flight or driver.resolver.cases or driver.reconciler.is_suspicious
        interval = FLIGHT_INTERVAL_MS if is_busy else QUIET_INTERVAL_MS
        await _first_of(driver.wants_reads.wait(), clock.sleep_until(clock.now_ms() + interval))
        driver.wants_reads.clear()
        driver.tell(await read_patiently(driver))


async def _first_of(*waits: Awaitable[Any] | None) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits if wait is not None]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
