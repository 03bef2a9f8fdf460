"""Closed candles for venues that do not stream them: read after each boundary, until they are there."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from traderagent_core.contract.venue_facts import CandleClosed, CandleFact, LinkDown, LinkUp
from traderagent_core.errors import ExchangeUnavailableError
from traderagent_core.model.timeframe import timeframe_ms

if TYPE_CHECKING:
    from traderagent_core.contract.exchange_adapter import ExchangeAdapter

RETRY_MS = 1_000


async def polled_candles(
    adapter: "ExchangeAdapter", symbols: Sequence[str], timeframe: str
) -> AsyncIterator[CandleFact]:
    """Each candle once, in order of time and then of symbols; one in which nothing was traded is passed over.

    A read that fails is a LinkDown, the next one that succeeds a LinkUp; the candles between are read then.
    """
    clock, length = adapter.clock, timeframe_ms(timeframe)
    next_ms = dict.fromkeys(symbols, clock.now_ms() // length * length)
    is_up = True
    yield LinkUp(clock.now_ms())
    while True:
        await clock.sleep_until(min(next_ms.values()) + length)
        for symbol in symbols:
            try:
                found = await _closed(adapter, symbol, timeframe, next_ms[symbol])
            except ExchangeUnavailableError as error:
                if is_up:
                    yield LinkDown(clock.now_ms(), str(error))
                is_up = False
                break
            if not is_up:
                yield LinkUp(clock.now_ms())
            is_up = True
            for fact in found:
                yield fact
                next_ms[symbol] = fact.candle.open_time + length
            if clock.now_ms() >= next_ms[symbol] + 2 * length:
                next_ms[symbol] += length
        if min(next_ms.values()) + length <= clock.now_ms():
            await clock.sleep_until(clock.now_ms() + RETRY_MS)


async def _closed(
    adapter: "ExchangeAdapter", symbol: str, timeframe: str, since_ms: int
) -> Sequence[CandleClosed]:
    if adapter.clock.now_ms() < since_ms + timeframe_ms(timeframe):
        return ()
    limit = adapter.capabilities.candles_per_request
    candles = await adapter.candles(symbol, timeframe, since_ms, limit)
    return [CandleClosed(symbol, timeframe, candles.candle(index)) for index in range(len(candles))]
