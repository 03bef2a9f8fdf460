"""Candles of an exchange into the catalogue, part by part: what is stored already is not asked for again."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve, frozen

from traderagent_core.data.catalogue import Catalogue
from traderagent_core.data.columns import CANDLE_COLUMNS, checksum, columns_of
from traderagent_core.data.names import SeriesKey
from traderagent_core.data.series_info import SeriesInfo, Source
from traderagent_core.errors import ExchangeUnavailableError
from traderagent_core.model.candle import Candles
from traderagent_core.model.position_side import pair_of
from traderagent_core.model.timeframe import timeframe_ms

if TYPE_CHECKING:
    from traderagent_core.config.loaded import Bot, Config
    from traderagent_core.contract.exchange_adapter import ExchangeAdapter

PART_ROWS = 50_000
"""Rows that are written at once; what was written stays when the next part fails."""

MOST_FAILURES = 5
FIRST_PAUSE_SECONDS = 1.0
Tell = Callable[[str], None]
Span = tuple[int, int]


@frozen
class Gap:
    """Candles that the exchange has not: the first that is missing, and how many."""

    open_time: int
    rows: int


@frozen
class Downloaded:
    """One series after a download; gaps are those in the span that was asked for."""

    info: SeriesInfo | None
    key: SeriesKey
    added: int
    gaps: tuple[Gap, ...]


def download(
    config: "Config",
    catalogue: Catalogue,
    since_ms: int,
    until_ms: int | None,
    timeframe: str | None,
    tell: Tell,
) -> list[Downloaded]:
    """The candles of all bots, each in its timeframe or in `timeframe`, of an exchange that needs no keys for it."""
    from traderagent_core.live_run import adapter_of

    on_paper = evolve(config, bots=tuple(evolve(bot, dry_run=True) for bot in config.bots))

    async def work() -> list[Downloaded]:
        adapter = adapter_of(on_paper, {})
        try:
            await adapter.connect()
            end_ms = until_ms or await adapter.server_time()
            wanted = {_key(bot, timeframe or bot.timeframe): None for bot in config.bots}
            return [await _series(adapter, catalogue, key, (since_ms, end_ms), tell) for key in wanted]
        finally:
            await adapter.close()

    return asyncio.run(work())


def _key(bot: "Bot", timeframe: str) -> SeriesKey:
    return SeriesKey(bot.exchange.exchange_id, bot.market.value, pair_of(bot.symbol), timeframe)


async def _series(
    adapter: "ExchangeAdapter", catalogue: Catalogue, key: SeriesKey, span: Span, tell: Tell
) -> Downloaded:
    before = _stored(catalogue, key)
    for since_ms, until_ms in _missing(before, span, timeframe_ms(key.timeframe)):
        while since_ms < until_ms:
            part = await _part(adapter, key, (since_ms, until_ms))
            if part is None:
                break
            name = f"{key.exchange}, downloaded"
            catalogue.write(key, part, source=Source(name, checksum(part), time.time_ns() // 1_000_000))
            since_ms = int(part.open_time[-1]) + timeframe_ms(key.timeframe)
            tell(f"{key}: {len(part):,} candles up to {_time(since_ms)}")
    after = _stored(catalogue, key)
    added = (0 if after is None else after.rows) - (0 if before is None else before.rows)
    gaps = () if after is None else tuple(_gaps(catalogue, after, span))
    return Downloaded(after, key, added, gaps)


def _stored(catalogue: Catalogue, key: SeriesKey) -> SeriesInfo | None:
    return next((info for info in catalogue.series() if info.key == key), None)


def _missing(stored: SeriesInfo | None, span: Span, duration_ms: int) -> Iterator[Span]:
    """What of a span is before and after what is stored."""
    since_ms, until_ms = span
    if stored is None:
        yield span
        return
    if since_ms < stored.first_ms:
        yield since_ms, min(until_ms, stored.first_ms)
    if until_ms > stored.last_ms + duration_ms:
        yield max(since_ms, stored.last_ms + duration_ms), until_ms


async def _part(adapter: "ExchangeAdapter", key: SeriesKey, span: Span) -> Candles | None:
    """The next candles of a span that close within it, at most a part; None when there are none."""
    since_ms, until_ms = span
    duration_ms, limit = timeframe_ms(key.timeframe), adapter.capabilities.candles_per_request
    found: list[Candles] = []
    while since_ms + duration_ms <= until_ms and sum(map(len, found)) < PART_ROWS:
        page = await _patiently(partial(adapter.candles, key.symbol, key.timeframe, since_ms, limit))
        page = page[: int(np.searchsorted(page.open_time, until_ms - duration_ms, side="right"))]
        if len(page):
            found.append(page)
        # An empty page is of before the symbol was listed, or of a halt; later ones have some.
        since_ms = int(page.open_time[-1]) + duration_ms if len(page) else since_ms + limit * duration_ms
    if not found:
        return None
    tables = [columns_of(page) for page in found]
    return Candles(
        key.symbol, key.timeframe, *(np.concatenate([t[name] for t in tables]) for name in CANDLE_COLUMNS)
    )


async def _patiently(read: Callable[[], Awaitable[Candles]]) -> Candles:
    pause = FIRST_PAUSE_SECONDS
    for _ in range(MOST_FAILURES - 1):
        try:
            return await read()
        except ExchangeUnavailableError as error:
            await asyncio.sleep(max(pause, error.retry_after_ms / 1000))
            pause *= 2
    return await read()


def _gaps(catalogue: Catalogue, info: SeriesInfo, span: Span) -> Iterator[Gap]:
    times = np.asarray(catalogue.columns(info)["open_time"])
    duration_ms = timeframe_ms(info.timeframe)
    times = times[(times >= span[0]) & (times < span[1])]
    for index in np.flatnonzero(np.diff(times) > duration_ms):
        missing = int(times[index + 1] - times[index]) // duration_ms - 1
        yield Gap(int(times[index]) + duration_ms, missing)


def _time(time_ms: int) -> str:
    return str(np.datetime64(time_ms, "ms")).replace("T", " ")[:16]
