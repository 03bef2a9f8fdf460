"""Requests on their way to the exchange and back: each has a fate, drawn when it leaves."""

import asyncio
from collections.abc import Callable
from typing import Any

from attrs import define

from traderagent_core.contract.outcome import Outcome, Refusal
from traderagent_core.errors import ExchangeUnavailableError
from traderagent_core.testing.faults.kinds import Fault
from traderagent_core.testing.faults.world import World

LATENCY_MS = (10, 90)
TIMEOUT_MS = 5_000
LIFETIME_MS = 5_000
"""A request that arrives later than this after it was sent is too old to be taken."""

RETRY_MS = 1_000
REFUSALS = (
    Refusal.INSUFFICIENT_MARGIN,
    Refusal.TOO_MANY_ORDERS,
    Refusal.BAD_PARAMETERS,
    Refusal.PRICE_OUT_OF_BAND,
)
STOP_REFUSALS = (Refusal.TOO_MANY_ORDERS, Refusal.BAD_PARAMETERS, Refusal.WOULD_TRIGGER)
UNKNOWN_CODES = ("10000", "10016", "10019", "5004", "html", "170999")


@define
class Outages:
    """Times, by the world's clock, until which the exchange answers nobody, or not as it should."""

    banned_ms: int = 0
    limited_ms: int = 0
    closed_ms: int = 0

    @property
    def last_ms(self) -> int:
        """When the last of them is over."""
        return max(self.banned_ms, self.limited_ms, self.closed_ms)

    def end(self) -> None:
        """All of them are over."""
        self.banned_ms = self.limited_ms = self.closed_ms = 0


@define
class Order:
    """What a write asks for, as far as its fate depends on it."""

    text: str
    is_entry: bool = False
    is_stop: bool = False


class Wire:
    """The connection of one process. `step` is told before and after each request."""

    def __init__(
        self, world: World, outages: Outages, step: Callable[[str], None], is_down: Callable[[], bool]
    ) -> None:
        self._world = world
        self.outages = outages
        self._step = step
        self._is_down = is_down
        self._dice = world.dice("wire")
        self.writes = 0

    # -- writes ---------------------------------------------------------------------------------------------

    async def write(self, order: Order, arrive: Callable[[], Outcome]) -> Outcome:
        """Send a request that changes something; every end of it is an outcome."""
        self._step(f"send {order.text}")
        self.writes += 1
        reply: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        trouble = self._trouble() or self._whim(order)
        delay_ms = self._travel(reply, arrive) if trouble is None else self._answer(reply, trouble)
        if delay_ms is None or delay_ms >= TIMEOUT_MS:
            self._world.after(TIMEOUT_MS, lambda: _settle(reply, Outcome.unknown("timeout")))
        outcome = await reply
        self._world.tell(f"reply {order.text}: {outcome.kind.value} {outcome.code}")
        self._step(f"heard {order.text}")
        return outcome

    def _trouble(self) -> Outcome | None:
        """What the exchange says to everybody at present."""
        now_ms, outages = self._world.now_ms, self.outages
        if self._is_down():
            return Outcome.unknown("connection lost")
        if now_ms < outages.banned_ms:
            return Outcome.not_processed("403", retry_after_ms=outages.banned_ms - now_ms)
        if now_ms < outages.closed_ms:
            return Outcome.unknown("10016", "maintenance")
        if now_ms < outages.limited_ms:
            return Outcome.unknown("10006", "too many visits", retry_after_ms=RETRY_MS)
        return None

    def _whim(self, order: Order) -> Outcome | None:
        """An answer without anything having been done."""
        strikes = self._world.strikes
        if order.is_entry and strikes(Fault.REFUSED):
            return Outcome.rejected(self._dice.choice(REFUSALS), "110007")
        if order.is_stop and strikes(Fault.STOP_REFUSED):
            return Outcome.rejected(self._dice.choice(STOP_REFUSALS), "110092")
        if strikes(Fault.NOT_PROCESSED):
            return Outcome.not_processed("10002", retry_after_ms=self._dice.choice((0, 300)))
        return None

    def _answer(self, reply: "asyncio.Future[Outcome]", outcome: Outcome) -> int:
        delay_ms = 2 * self._latency()
        self._world.after(delay_ms, lambda: _settle(reply, outcome))
        return delay_ms

    def _travel(self, reply: "asyncio.Future[Outcome]", arrive: Callable[[], Outcome]) -> int | None:
        """Let the request arrive: not at all, once, or twice. Says how long its reply takes, None if it gets lost."""
        strikes, dice = self._world.strikes, self._dice
        if strikes(Fault.LOST_REQUEST):
            return None
        delays = [self._latency()]
        if strikes(Fault.LATE_REQUEST):
            delays = [dice.randint(200, LIFETIME_MS + 1_000)]
        if strikes(Fault.DOUBLED_REQUEST):
            delays.append(dice.randint(1, LIFETIME_MS - 1))
        back = -1 if strikes(Fault.LOST_REPLY) else self._latency()
        if strikes(Fault.LATE_REPLY):
            back = dice.randint(500, TIMEOUT_MS + 2_000)
        is_garbled = strikes(Fault.UNKNOWN_CODE)
        sent_ms = self._world.now_ms

        def reach() -> None:
            if self._world.now_ms > sent_ms + LIFETIME_MS:
                outcome = Outcome.not_processed("10002", "too old")
            else:
                outcome = arrive()
            if is_garbled:
                outcome = Outcome.unknown(dice.choice(UNKNOWN_CODES))
            if back >= 0:
                self._world.after(back, lambda: _settle(reply, outcome))

        for delay in delays:
            self._world.after(delay, reach)
        return min(delays) + back if back >= 0 else None

    # -- reads ----------------------------------------------------------------------------------------------

    async def read(self, text: str, look: Callable[[], Any]) -> Any:
        """Ask for something; raises ExchangeUnavailableError when there is no answer."""
        self._step(f"read {text}")
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        trouble = self._trouble()
        if trouble is not None:
            error = ExchangeUnavailableError(
                trouble.text or trouble.code, code=trouble.code, retry_after_ms=trouble.retry_after_ms
            )
            self._world.after(2 * self._latency(), lambda: _settle(reply, error))
        elif self._world.strikes(Fault.FAILED_READ):
            delay = self._dice.choice((20, TIMEOUT_MS))
            self._world.after(
                delay, lambda: _settle(reply, ExchangeUnavailableError("no answer", code="503"))
            )
        else:
            back = self._latency()
            self._world.after(self._latency(), lambda: self._world.after(back, _settling(reply, look())))
        answer = await reply
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _latency(self) -> int:
        return self._dice.randint(*LATENCY_MS)


def _settle(reply: "asyncio.Future[Any]", answer: Any) -> None:
    if not reply.done():
        reply.set_result(answer)


def _settling(reply: "asyncio.Future[Any]", answer: Any) -> Callable[[], None]:
    return lambda: _settle(reply, answer)
