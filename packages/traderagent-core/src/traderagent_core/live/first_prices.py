"""At a start the view gets to know present prices before what happened in the meantime is decided upon."""

from collections.abc import Callable
from typing import Any

from traderagent_core.contract.venue_facts import Price
from traderagent_core.live.driver import Driver
from traderagent_core.live.waits import first_of

PATIENCE_MS = 2_000
"""How long a start waits for present prices: stops have to be seen to."""


class FirstPrices:
    """Learns the first price of each symbol at once, and tells the driver all that it is told.

    `begin` is called in the driver's turn once each symbol has one: what it decides would be wrong by an old price.
    """

    def __init__(self, driver: Driver, begin: Callable[[], object]) -> None:
        self._driver = driver
        self._begin = begin
        self._missing = set(driver.symbols if driver.options.quote is None else ())
        if not self._missing:
            self._are_there()

    def tell(self, fact: Any) -> None:
        """Tell the driver."""
        self._driver.tell(fact)
        if isinstance(fact, Price) and fact.symbol in self._missing:
            self._missing.remove(fact.symbol)
            self._driver.view.learn_price(fact.symbol, fact.last)
            if not self._missing:
                self._are_there()

    def _are_there(self) -> None:
        self._driver.has_prices.set()
        self._driver.tell(self._begin)

    async def come(self) -> None:
        """Wait until each symbol has one, but not for long; a first start has nothing to decide."""
        driver = self._driver
        if not self._missing or not any(member.is_started for member in driver.engine.members.values()):
            return
        clock = driver.adapter.clock
        await first_of(driver.has_prices.wait(), clock.sleep_until(clock.now_ms() + PATIENCE_MS))
