"""The bus: a slow watcher loses its own oldest facts, and nobody waits."""

import asyncio

from traderagent_core.model.fact import Fact
from traderagent_core.observability.bus import MOST_WAITING, Bus


def test_a_slow_watcher_loses_the_oldest_and_knows_how_many() -> None:
    async def scenario() -> None:
        bus = Bus()
        slow, gone = bus.watch(), bus.watch()
        bus.leave(gone)
        for number in range(MOST_WAITING + 7):
            bus.publish(Fact("PRICE_UPDATED", number))
        facts = slow.facts()
        assert (await anext(facts)).time_ms == 7
        assert (slow.dropped, gone.dropped) == (7, 0)
        rest = [(await anext(facts)).time_ms for _ in range(MOST_WAITING - 1)]
        assert rest == list(range(8, MOST_WAITING + 7))
        bus.publish(Fact("BOT_PAUSED", 1))
        assert (await anext(facts)).name == "BOT_PAUSED"

    asyncio.run(scenario())


def test_nobody_watches_at_first() -> None:
    bus = Bus()
    bus.publish(Fact("BOT_PAUSED", 1))
    assert not bus.is_watched
