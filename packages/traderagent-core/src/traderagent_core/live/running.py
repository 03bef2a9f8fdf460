"""A run from connecting to the last word: recover, reconcile, trade, stop."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from traderagent_core.data.resampling import grid_offset_ms
from traderagent_core.errors import ExchangeUnavailableError, TraderAgentError
from traderagent_core.live.driver import Driver, Due
from traderagent_core.live.entries import EXCHANGE
from traderagent_core.live.first_prices import FirstPrices
from traderagent_core.live.hearing import Held, Source, keep_hearing
from traderagent_core.live.reconcile import OVERLAP_MS, Reads, read_account
from traderagent_core.live.waits import first_of
from traderagent_core.model.candle import Candle
from traderagent_core.model.timeframe import timeframe_ms

READ_AGAIN_MS = 1_000
LONGEST_PAUSE_MS = 10_000
FAILURES_TO_BAR = 2
"""Reads that fail one after the other until entries are held back; a single one is nothing."""

NO_ANSWER = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What an answer raises that has other fields than it should."""

READS_AT_ONCE = 8
LAST_WORDS_SECONDS = 5.0
"""How long a stop waits for answers that are under way."""

FLIGHT_INTERVAL_MS, QUIET_INTERVAL_MS = 5_000, 30_000
Found = TypeVar("Found")
Keeper = Callable[[Driver], Awaitable[None]]
"""What runs beside the driver's own tasks; the run is over when the first of them returns."""


async def run(driver: Driver, history_ms: int, begin: Callable[[], object], *keepers: Keeper) -> None:
    """Run a connected driver until a keeper returns. `history_ms` is how far back candles are read for indicators;
    `begin` is called in the driver's turn once present prices are known.

    Raises what went wrong first, as though it had happened here.
    """
    try:
        async with asyncio.TaskGroup() as group:
            closed, prices = Held(driver), FirstPrices(driver, begin)
            sources = _sources(driver, closed, prices, history_ms)
            tasks = [group.create_task(keep_hearing(driver, source)) for source in sources]
            reads = await read_patiently(driver)
            await prices.come()
            driver.aligning.reconcile(reads)
            await driver.release()
            driver.options.tell("reconciled", orders=len(reads.orders), positions=len(reads.positions))
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


def _sources(driver: Driver, closed: Held, first: FirstPrices, history_ms: int) -> list[Source]:
    adapter, symbols, base = driver.adapter, driver.symbols, driver.options.base

    async def read_candles() -> None:
        closed.hold()
        try:
            await _read_history(driver, history_ms)
        finally:
            closed.let_go()

    return [
        Source("orders", adapter.events, driver.tell),
        Source("prices", lambda: adapter.prices(symbols), first.tell),
        Source("candles", lambda: adapter.closed_candles(symbols, base), closed.tell, read_candles),
    ]


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
    length, limit = timeframe_ms(base), adapter.capabilities.candles_per_request
    candles: list[Candle] = []
    while since_ms + length <= until_ms:
        found = await _patiently(driver, partial(adapter.candles, symbol, base, since_ms, limit))
        candles += [found.candle(row) for row in range(len(found))]
        # A request without candles is of before the symbol was listed, or of a halt; later ones have some.
        since_ms = int(found.open_time[-1]) + length if len(found) else since_ms + limit * length
    return candles


async def read_patiently(driver: Driver) -> Reads:
    """One complete pass of reads, tried until it is; a failed read never means that nothing is there."""
    read = partial(_read_account, driver)
    reads = await _patiently(driver, read, driver.wants_reads)
    driver.stepper.cursor_ms = reads.time_ms
    return reads


async def _read_account(driver: Driver) -> Reads:
    return await read_account(driver.adapter, driver.engine, _since(driver))


async def _patiently(
    driver: Driver, read: Callable[[], Awaitable[Found]], news: asyncio.Event | None = None
) -> Found:
    """Read until there is an answer; from the second failure on entries are held back.

    Pauses grow, but `news` of a connection that is there again cuts one short, unless the exchange has asked for it.
    """
    pause_ms, failures = READ_AGAIN_MS, 0
    clock = driver.adapter.clock
    while True:
        try:
            found = await read()
        except (ExchangeUnavailableError, *NO_ANSWER) as found_error:
            error = _unavailable(found_error)
            failures += 1
            driver.options.tell("read_failed", error=str(error))
            driver.vitals.failed(clock.now_ms(), "read_failed", str(error))
            if failures == FAILURES_TO_BAR or error.retry_after_ms > LONGEST_PAUSE_MS:
                detail = f"{error}; it is asked again until it answers"
                driver.tell(partial(driver.entries.bar, EXCHANGE, detail))
            pause = clock.sleep_until(clock.now_ms() + max(pause_ms, error.retry_after_ms))
            is_cut_short = await _is_cut_short(pause, None if error.retry_after_ms else news)
            pause_ms = READ_AGAIN_MS if is_cut_short else min(2 * pause_ms, LONGEST_PAUSE_MS)
        else:
            driver.tell(partial(driver.entries.allow, EXCHANGE))
            return found


async def _is_cut_short(pause: Awaitable[None], news: asyncio.Event | None) -> bool:
    """Wait, or until there is news, which is heeded now; whether there was."""
    if news is None:
        await pause
        return False
    await first_of(news.wait(), pause)
    is_news = news.is_set()
    news.clear()
    return is_news


def _unavailable(error: Exception) -> ExchangeUnavailableError:
    """An answer that an adapter cannot make sense of is none."""
    if isinstance(error, ExchangeUnavailableError):
        return error
    return ExchangeUnavailableError(f"an answer could not be understood ({type(error).__name__}: {error})")


def _since(driver: Driver) -> int:
    """Executions count from the last completed read, whatever streams have told; before it nothing is ours."""
    cursor_ms = driver.stepper.cursor_ms
    now_ms = driver.adapter.clock.now_ms()
    return now_ms if cursor_ms is None else min(cursor_ms, now_ms) - OVERLAP_MS


# -- keepers ------------------------------------------------------------------------------------------------


async def keep_time(driver: Driver) -> None:
    """Tell the driver when something is due, by the clock."""
    clock, news = driver.adapter.clock, driver.has_due
    sleep: asyncio.Task[None] | None = None
    waited_ms = None
    try:
        while True:
            news.clear()
            due = driver.next_due()
            due_ms = None if due is None else due[0]
            if due_ms is not None and due_ms <= clock.now_ms():
                driver.tell(Due())
            elif due_ms is not None and (due_ms != waited_ms or sleep is None or sleep.done()):
                _cancel(sleep)
                waited_ms, sleep = due_ms, asyncio.ensure_future(clock.sleep_until(due_ms))
                sleep.add_done_callback(lambda _: news.set())
            await news.wait()
    finally:
        _cancel(sleep)


async def keep_reconciled(driver: Driver) -> None:
    """Reconcile after each reconnection, and from time to time; sooner while anything is under way."""
    while True:
        await first_of(driver.wants_reads.wait(), _until_due(driver))
        driver.wants_reads.clear()
        driver.tell(await read_patiently(driver))


async def _until_due(driver: Driver) -> None:
    """Return when it is time for another read. What gets under way meanwhile counts too."""
    clock = driver.adapter.clock
    for _ in range(QUIET_INTERVAL_MS // FLIGHT_INTERVAL_MS):
        await clock.sleep_until(clock.now_ms() + FLIGHT_INTERVAL_MS)
        if driver.is_busy:
            return


def _cancel(task: "asyncio.Task[None] | None") -> None:
    if task is not None:
        task.cancel()
