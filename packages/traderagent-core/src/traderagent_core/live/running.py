"""A run from connecting to the last word: recover, reconcile, trade, stop."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from traderagent_core.data.resampling import grid_offset_ms
from traderagent_core.errors import ExchangeUnavailableError, TraderAgentError
from traderagent_core.live.driver import Driver, Due
from traderagent_core.live.entries import EXCHANGE
from traderagent_core.live.reconcile import OVERLAP_MS, Reads, read_account
from traderagent_core.model.candle import Candle
from traderagent_core.model.timeframe import timeframe_ms

READ_AGAIN_MS = 1_000
LONGEST_PAUSE_MS = 60_000
FAILURES_TO_BAR = 2
"""Reads that fail one after the other until entries are held back; a single one is nothing."""

READS_AT_ONCE = 8
LAST_WORDS_SECONDS = 5.0
"""How long a stop waits for answers that are under way."""

FLIGHT_INTERVAL_MS, QUIET_INTERVAL_MS = 5_000, 30_000
Found = TypeVar("Found")
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
            closed = _Held(driver)
            tells = {"candles": closed.tell}
            tasks = [
                group.create_task(driver.hear(name, stream, tells.get(name, driver.tell)))
                for name, stream in streams.items()
            ]
            driver.aligning.reconcile(await read_patiently(driver))
            await driver.release()
            driver.remind()
            tasks += [group.create_task(work()) for work in (driver.outbox.work, driver.resolver.work)]
            working = group.create_task(driver.work())
            await _read_history(driver, history_ms)
            closed.let_go()
            driver.options.tell("running")
            keeping = [group.create_task(_kept(keeper, driver)) for keeper in keepers]
            await asyncio.wait(keeping, return_when=asyncio.FIRST_COMPLETED)
            working.cancel()
            await _last_words(driver)
            for task in (*keeping, *tasks):
                task.cancel()
    except BaseExceptionGroup as group_of:
        raise _first(group_of) from None


class _Held:
    """Candles that close while history is read: they are told after it, since a series only grows at its end."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._facts: list[Any] = []
        self._is_open = False

    def tell(self, fact: Any) -> None:
        """Tell, or keep for later."""
        if self._is_open:
            self._driver.tell(fact)
        else:
            self._facts.append(fact)

    def let_go(self) -> None:
        """History is known."""
        self._is_open = True
        for fact in self._facts:
            self._driver.tell(fact)


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
    places = asyncio.Semaphore(READS_AT_ONCE)

    async def read(symbol: str) -> list[Candle]:
        known_ms = driver.view.series(symbol, base).close_ms
        since_ms = max(known_ms, now_ms - history_ms)
        since_ms = -(-(since_ms - offset) // length) * length + offset
        async with places:
            return await _read_candles(driver, symbol, since_ms, now_ms)

    found = await asyncio.gather(*map(read, driver.symbols))
    learned = asyncio.Event()

    def learn() -> None:
        driver.learn_history(dict(zip(driver.symbols, found, strict=True)), now_ms)
        learned.set()

    driver.tell(learn)
    await learned.wait()


async def _read_candles(driver: Driver, symbol: str, since_ms: int, until_ms: int) -> list[Candle]:
    base, adapter = driver.options.base, driver.adapter
    limit = adapter.capabilities.candles_per_request
    candles: list[Candle] = []
    while since_ms + timeframe_ms(base) <= until_ms:
        found = await _patiently(driver, partial(adapter.candles, symbol, base, since_ms, limit))
        if not len(found):
            break
        candles += [found.candle(row) for row in range(len(found))]
        since_ms = int(found.open_time[-1]) + timeframe_ms(base)
    return candles


async def read_patiently(driver: Driver) -> Reads:
    """One complete pass of reads, tried until it is; a failed read never means that nothing is there."""
    reads = await _patiently(driver, lambda: read_account(driver.adapter, driver.engine, _since(driver)))
    driver.stepper.cursor_ms = reads.time_ms
    return reads


async def _patiently(driver: Driver, read: Callable[[], Awaitable[Found]]) -> Found:
    """Read until there is an answer; from the second failure on entries are held back."""
    pause_ms, failures = READ_AGAIN_MS, 0
    clock = driver.adapter.clock
    while True:
        try:
            found = await read()
        except ExchangeUnavailableError as error:
            failures += 1
            driver.options.tell("read_failed", error=str(error))
            driver.vitals.failed(clock.now_ms(), "read_failed", str(error))
            if failures == FAILURES_TO_BAR:
                detail = f"{error}; it is asked again until it answers"
                driver.tell(partial(driver.entries.bar, EXCHANGE, detail))
            await clock.sleep_until(clock.now_ms() + max(pause_ms, error.retry_after_ms))
            pause_ms = min(2 * pause_ms, LONGEST_PAUSE_MS)
        else:
            driver.tell(partial(driver.entries.allow, EXCHANGE))
            return found


def _since(driver: Driver) -> int:
    """Executions count from the last completed read, whatever streams have told; before it nothing is ours."""
    cursor_ms = driver.stepper.cursor_ms
    now_ms = driver.adapter.clock.now_ms()
    return now_ms if cursor_ms is None else min(cursor_ms, now_ms) - OVERLAP_MS


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
        is_busy = driver.outbox.in_flight or driver.resolver.cases or driver.aligning.reconciler.suspected
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
