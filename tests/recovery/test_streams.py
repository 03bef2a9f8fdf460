"""A stream that fails is begun again, and what happened while it was away is read."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from traderagent_bybit.adapter.bybit import BybitAdapter
from traderagent_core.errors import ExchangeRefusedError
from traderagent_core.live import hearing, running


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams come back soon; the account is read after breaks only."""
    monkeypatch.setattr(hearing, "FIRST_PAUSE_MS", 100)
    monkeypatch.setattr(running, "QUIET_INTERVAL_MS", 3_600_000)


def breaking(stream: Callable[..., AsyncIterator[Any]], broken: asyncio.Event, error: Exception) -> Any:
    """A stream that raises once `broken` is set, the first time that it is subscribed to."""
    begun = 0

    async def begin(*arguments: Any) -> AsyncIterator[Any]:
        nonlocal begun
        begun += 1
        is_first, facts = begun == 1, stream(*arguments)
        waiting = asyncio.ensure_future(broken.wait())
        while True:
            coming = asyncio.ensure_future(anext(facts))
            await asyncio.wait([coming, waiting] if is_first else [coming], return_when="FIRST_COMPLETED")
            if is_first and broken.is_set():
                coming.cancel()
                raise error
            yield coming.result()

    return begin


@pytest.mark.parametrize("name", ["events", "prices"])
def test_a_stream_that_fails_comes_back_and_nothing_is_missed(
    name: str, floor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        broken = asyncio.Event()
        stream = getattr(BybitAdapter, name)
        monkeypatch.setattr(BybitAdapter, name, breaking(stream, broken, KeyError("execId")))
        async with floor() as here, here.trading():
            await here.walk(97)
            broken.set()
            await here.until("it has failed", lambda: here.has_told("stream_failed"))
            here.move(94)
            await here.until("it is back", lambda: here.has_told("link_mended"))
            await here.agreed()
            await here.walk(97, 94)
            assert [told["error"] for what, told in here.told if what == "stream_failed"] == [
                "KeyError: 'execId'"
            ]
            assert all(is_up for is_up, _, _ in here.driver.vitals.links.values())

    asyncio.run(scenario())


def test_candles_that_closed_while_their_stream_was_away_are_read(
    floor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        broken, stream = asyncio.Event(), BybitAdapter.closed_candles
        monkeypatch.setattr(BybitAdapter, "closed_candles", breaking(stream, broken, ZeroDivisionError()))
        async with floor() as here, here.trading():
            await here.walk(97)
            broken.set()
            await here.until("it has failed", lambda: here.has_told("stream_failed"))
            length, before_ms = here.driver.boundaries.base_ms, here.clock.now_ms()
            here.move(98, 97, 98)
            last_ms = before_ms // length * length + 3 * length  # Of now it might not have been told yet.
            series = here.driver.view.series("BTC/USDT", "1m")
            await here.until("they are known", lambda: series.close_ms >= last_ms)
            rows = [candle.open_time for candle in series.rows()]
            assert [after - before for before, after in zip(rows[-6:], rows[-5:], strict=False)] == [
                length
            ] * 5

    asyncio.run(scenario())


def test_what_only_a_person_can_mend_ends_the_run(floor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        broken = asyncio.Event()
        stream = breaking(BybitAdapter.events, broken, ExchangeRefusedError("the key has expired"))
        monkeypatch.setattr(BybitAdapter, "events", stream)

        async def traded(here: Any) -> None:
            async with here.trading():
                await here.walk(97)
                broken.set()
                await asyncio.sleep(0.1)

        async with floor() as here:
            with pytest.raises(ExchangeRefusedError, match="expired"):
                await traded(here)

    asyncio.run(scenario())
