"""The streams between exchange and process: facts get lost, come twice, late or in another order; links break."""

from collections import deque
from collections.abc import Callable
from typing import Any

from traderagent_core.adapters.streams import Broadcast, Subscription
from traderagent_core.contract.clock import Clock
from traderagent_core.contract.venue_facts import (
    CandleClosed,
    CandleFact,
    LinkDown,
    LinkUp,
    OrderFact,
    Price,
    PriceFact,
)
from traderagent_core.testing.faults.kinds import Fault
from traderagent_core.testing.faults.world import World

LATENCY_MS = (5, 60)
LATE_MS = 5_000
KEPT_FACTS = 40


class Link:
    """Three streams over one connection. While it is down, or silent, nothing comes through."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world, self._clock = world, clock
        self._facts: Broadcast[OrderFact] = Broadcast(clock)
        self._prices: Broadcast[PriceFact] = Broadcast(clock)
        self._candles: Broadcast[CandleFact] = Broadcast(clock)
        self._kept: deque[Any] = deque(maxlen=KEPT_FACTS)
        self._not_before: dict[str, int] = {}
        self.silent_until_ms = 0
        self._breaks = 0
        self.down_ms = self.up_ms = 0
        self.is_down = False
        self.is_closed = False
        self._dice = world.dice("stream")

    # -- for the adapter ------------------------------------------------------------------------------------

    def facts(self) -> Subscription[OrderFact]:
        """The account's stream."""
        return self._facts.subscribe(self._first())

    def prices(self) -> Subscription[PriceFact]:
        """The stream of trades."""
        return self._prices.subscribe(self._first())

    def candles(self) -> Subscription[CandleFact]:
        """The stream of closed candles."""
        return self._candles.subscribe(self._first())

    def _first(self) -> list[Any]:
        return [] if self.is_down else [LinkUp(self._clock.now_ms())]

    def close(self) -> None:
        """The process has hung up."""
        self.is_closed = True
        for stream in (self._facts, self._prices, self._candles):
            stream.close()

    # -- for the exchange -----------------------------------------------------------------------------------

    def fact(self, event: Any) -> None:
        """Something has happened to the account."""
        self._kept.append(event)
        self._send("facts", event, self._facts)

    def price(self, price: Price) -> None:
        """A trade."""
        self._send("prices", price, self._prices)

    def candle(self, candle: CandleClosed) -> None:
        """A candle has closed; it may be missing, late or told twice."""
        strikes = self._world.strikes
        if strikes(Fault.CANDLE_MISSING):
            return
        if strikes(Fault.CANDLE_LATE):
            self._put(self._dice.randint(500, 20_000), candle, self._candles)
            return
        self._put(self._latency(), candle, self._candles)
        if strikes(Fault.CANDLE_DOUBLED):
            self._put(self._dice.randint(100, 20_000), candle, self._candles)

    def _send(self, name: str, fact: Any, stream: Broadcast[Any]) -> None:
        strikes = self._world.strikes
        if strikes(Fault.DROPPED_MESSAGE):
            return
        if strikes(Fault.REORDERED_MESSAGE):
            self._put(self._dice.randint(0, LATE_MS), fact, stream)
        else:
            delay = self._latency()
            if strikes(Fault.LATE_MESSAGE):
                delay += self._dice.randint(0, LATE_MS)
            due_ms = max(self._world.now_ms + delay, self._not_before.get(name, 0))
            self._not_before[name] = due_ms
            self._put(due_ms - self._world.now_ms, fact, stream)
        if strikes(Fault.DOUBLED_MESSAGE):
            self._put(self._dice.randint(0, LATE_MS), fact, stream)

    def _put(self, delay_ms: int, fact: Any, stream: Broadcast[Any]) -> None:
        """What is on its way when the link breaks never comes."""
        breaks = self._breaks

        def arrive() -> None:
            is_heard = breaks == self._breaks and self._world.now_ms >= self.silent_until_ms
            if is_heard and not self.is_down and not self.is_closed:
                stream.publish(fact)

        self._world.after(delay_ms, arrive)

    def _latency(self) -> int:
        return self._dice.randint(*LATENCY_MS)

    # -- what happens to it ---------------------------------------------------------------------------------

    def silence(self, duration_ms: int) -> None:
        """Nothing comes through, and nobody notices."""
        self.silent_until_ms = self._world.now_ms + duration_ms

    def lose(self, cause: str) -> None:
        """The connection breaks, and everybody notices."""
        if not self.is_down and not self.is_closed:
            self.is_down, self.down_ms = True, self._world.now_ms
            self._breaks += 1
            self._publish(lambda: LinkDown(self._clock.now_ms(), cause))

    def mend(self) -> None:
        """The connection is there again; the exchange may tell again what it has told before."""
        if not self.is_down or self.is_closed:
            return
        self.is_down, self.up_ms = False, self._world.now_ms
        self._publish(lambda: LinkUp(self._clock.now_ms()))

    def replay(self) -> None:
        """What was told before is told again."""
        for fact in list(self._kept):
            self._put(self._latency(), fact, self._facts)

    def calm(self) -> None:
        """Everything works from now on; who was deaf is told that something was missed."""
        if self.silent_until_ms > self._world.now_ms:
            self.silent_until_ms = self._world.now_ms
        self.mend()

    def _publish(self, fact: Callable[[], Any]) -> None:
        for stream in (self._facts, self._prices, self._candles):
            stream.publish(fact())
