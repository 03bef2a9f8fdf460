"""Hears the streams of an exchange. One that fails is begun again, with back-off; the account is read anew then."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from random import random
from typing import Any

from attrs import frozen

from traderagent_core.contract.venue_facts import LinkDown
from traderagent_core.errors import ExchangeUnavailableError, TraderAgentError
from traderagent_core.live.driver import Driver

FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 1_000, 60_000
GOOD_MS = 60_000
"""A stream that stood for so long begins the pauses anew; so there are ten attempts a minute at most."""


async def nothing() -> None:
    """For a stream after whose break nothing has to be read, but what LinkUp brings about."""


@frozen
class Source:
    """A stream: `begin` subscribes, `tell` takes its facts, `catch_up` reads what was missed while it was away."""

    name: str
    begin: Callable[[], AsyncIterator[Any]]
    tell: Callable[[Any], None]
    catch_up: Callable[[], Awaitable[None]] = nothing


async def keep_hearing(driver: Driver, source: Source) -> None:
    """Hear a stream until it ends by itself; raises what only a person can mend."""
    clock, pause_ms = driver.adapter.clock, FIRST_PAUSE_MS
    catch_up: Callable[[], Awaitable[None]] = nothing
    while True:
        began_ms = clock.now_ms()
        try:
            return await _hear(driver, source, catch_up)
        except Exception as error:  # A boundary: a stream that fails takes nothing down with it.
            if isinstance(error, TraderAgentError) and not isinstance(error, ExchangeUnavailableError):
                raise
            cause = f"{type(error).__name__}: {error}"
        if clock.now_ms() - began_ms >= GOOD_MS:
            pause_ms = FIRST_PAUSE_MS
        driver.options.tell("stream_failed", stream=source.name, error=cause)
        driver.note_link(source.name, LinkDown(clock.now_ms(), cause))
        driver.tell(LinkDown(clock.now_ms(), cause))
        await clock.sleep_until(clock.now_ms() + int(pause_ms * (0.5 + random() / 2)))
        pause_ms = min(2 * pause_ms, LONGEST_PAUSE_MS)
        catch_up = source.catch_up


async def _hear(driver: Driver, source: Source, catch_up: Callable[[], Awaitable[None]]) -> None:
    """Catching up begins with the stream, so that nothing falls between the two."""
    hearing = asyncio.ensure_future(driver.hear(source.name, source.begin(), source.tell))
    try:
        await catch_up()
        await hearing
    finally:
        hearing.cancel()


class Held:
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

    def hold(self) -> None:
        """History is read once more."""
        self._is_open = False

    def let_go(self) -> None:
        """History is known."""
        self._is_open = True
        facts, self._facts = self._facts, []
        for fact in facts:
            self._driver.tell(fact)
