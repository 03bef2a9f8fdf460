"""Closed candles for venues that do not stream them: read after each boundary, until they are there."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from traderagent_core.contract.exchange_adapter import ExchangeAdapter
from traderagent_core.contract.venue_facts import CandleClosed, CandleFact, LinkDown, LinkUp
from traderagent_core.errors import ExchangeUnavailableError
from traderagent_core.model.timeframe import timeframe_ms

RETRY_MS = 1_000
READS_AT_ONCE = 16
"""Symbols are read beside each other: one after the other, fifty would take longer than a close is waited for."""


async def polled_candles(
    adapter: ExchangeAdapter, symbols: Sequence[str], timeframe: str
) -> AsyncIterator[CandleFact]:
    """Each candle once, by time and then by symbols; one in which nothing was traded is passed over.

    A round in which a read fails ends with a LinkDown, the next one without a failure begins with a LinkUp; the
    candles between are read then.
    """
    clock, length = adapter.clock, timeframe_ms(timeframe)
    next_ms = dict.fromkeys(symbols, clock.now_ms() // length * length)
    is_up = True
    yield LinkUp(clock.now_ms())
    while True:
        await clock.sleep_until(min(next_ms.values()) + length)
        found, failure = await _round(adapter, timeframe, next_ms)
        if not is_up and failure is None:
            yield LinkUp(clock.now_ms())
        for fact in found:
            next_ms[fact.symbol] = fact.candle.open_time + length
            yield fact
        if is_up and failure is not None:
            yield LinkDown(clock.now_ms(), str(failure))
        is_up = failure is None
        if is_up:
            for symbol, since_ms in next_ms.items():
                if clock.now_ms() >= since_ms + 2 * length:
                    next_ms[symbol] += length
        if min(next_ms.values()) + length <= clock.now_ms():
            await clock.sleep_until(clock.now_ms() + RETRY_MS)


async def _round(
    adapter: ExchangeAdapter, timeframe: str, next_ms: Mapping[str, int]
) -> tuple[Sequence[CandleClosed], ExchangeUnavailableError | None]:
    """The candles that are due, and the first failure to read some."""
    places = asyncio.Semaphore(READS_AT_ONCE)

    async def read(symbol: str, since_ms: int) -> Sequence[CandleClosed] | ExchangeUnavailableError:
        async with places:
            try:
                return await _closed(adapter, symbol, timeframe, since_ms)
            except ExchangeUnavailableError as error:
                return error

    answers = await asyncio.gather(*(read(*each) for each in next_ms.items()))
    failures = [answer for answer in answers if isinstance(answer, ExchangeUnavailableError)]
    found = [
        fact for answer in answers if not isinstance(answer, ExchangeUnavailableError) for fact in answer
    ]
    found.sort(key=lambda fact: fact.candle.open_time)
    return found, failures[0] if failures else None


async def _closed(
    adapter: ExchangeAdapter, symbol: str, timeframe: str, since_ms: int
) -> Sequence[CandleClosed]:
    if adapter.clock.now_ms() < since_ms + timeframe_ms(timeframe):
        return ()
    limit = adapter.capabilities.candles_per_request
    candles = await adapter.candles(symbol, timeframe, since_ms, limit)
    return [CandleClosed(symbol, timeframe, candles.candle(index)) for index in range(len(candles))]
