"""At a start the view gets to know present prices before what happened in the meantime is decided upon."""

import asyncio
from typing import Any

from traderagent_core.contract.venue_facts import Price
from traderagent_core.live.driver import Driver
from traderagent_core.live.waits import first_of

PATIENCE_MS = 2_000
"""How long a start waits for present prices: stops have to be seen to."""


class FirstPrices:
    """Learns the first price of each symbol at once, and tells the driver all that it is told."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._missing = set(driver.symbols)
        self._are_there = asyncio.Event()

    def tell(self, fact: Any) -> None:
        """Tell the driver."""
        if isinstance(fact, Price) and fact.symbol in self._missing:
            self._missing.remove(fact.symbol)
            self._driver.view.learn_price(fact.symbol, fact.last)
            if not self._missing:
                self._are_there.set()
        self._driver.tell(fact)

    async def come(self) -> None:
        """Wait until each symbol has one, but not for long; a first start has nothing to decide."""
        driver = self._driver
        if driver.options.quote is not None or not any(m.is_started for m in driver.engine.members.values()):
            return
        clock = driver.adapter.clock
        await first_of(self._are_there.wait(), clock.sleep_until(clock.now_ms() + PATIENCE_MS))
