"""At a start an exchange that does not answer is asked again, but not for long: somebody may be waiting."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from traderagent_core.contract.clock import Clock
from traderagent_core.errors import ExchangeUnavailableError

TRIES = 3
PAUSE_MS, LONGEST_PAUSE_MS = 1_000, 10_000
Found = TypeVar("Found")


async def ask_again(ask: Callable[[], Awaitable[Found]], clock: Clock, tell: Callable[..., None]) -> Found:
    """The first answer. Raises ExchangeUnavailableError when there is none, or none is to be expected soon."""
    for tries_left in reversed(range(TRIES)):
        try:
            return await ask()
        except ExchangeUnavailableError as error:
            pause_ms = max(PAUSE_MS, error.retry_after_ms)
            if not tries_left or pause_ms > LONGEST_PAUSE_MS:
                raise
            tell("exchange_unavailable", error=str(error), tries_left=tries_left)
            await clock.sleep_until(clock.now_ms() + pause_ms)
    raise AssertionError("not reached")
