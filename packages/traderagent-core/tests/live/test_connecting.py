"""A start asks an exchange that does not answer again, but not for ever."""

import asyncio

import pytest
from traderagent_core.adapters.clocks import ReplayClock
from traderagent_core.errors import ExchangeRefusedError, ExchangeUnavailableError
from traderagent_core.live.connecting import TRIES, ask_again


class Exchange:
    """Fails with these errors, one after the other, before it answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked = 0
        self.told: list[int] = []

    async def connect(self) -> str:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return "connected"

    def start(self) -> str:
        clock = ReplayClock(0, speed=1_000.0)
        return asyncio.run(
            ask_again(self.connect, clock, lambda event, **facts: self.told.append(facts["tries_left"]))
        )


def reset() -> ExchangeUnavailableError:
    return ExchangeUnavailableError("connection reset")


def test_a_connection_that_was_reset_is_made_again() -> None:
    exchange = Exchange(reset(), reset())
    assert exchange.start() == "connected"
    assert exchange.told == [2, 1]


def test_one_that_never_comes_ends_the_start() -> None:
    exchange = Exchange(*[reset()] * (TRIES + 1))
    with pytest.raises(ExchangeUnavailableError, match="connection reset"):
        exchange.start()
    assert exchange.asked == TRIES


@pytest.mark.parametrize(
    "error",
    [ExchangeRefusedError("wrong key"), ExchangeUnavailableError("banned", retry_after_ms=600_000)],
)
def test_what_time_does_not_mend_soon_is_told_at_once(error: Exception) -> None:
    exchange = Exchange(error)
    with pytest.raises(type(error)):
        exchange.start()
    assert exchange.asked == 1
