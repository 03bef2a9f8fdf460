"""The `simulated` exchange: recorded candles played back by the clock, with simulated fills."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from traderagent_core.adapters.candle_tape import CandleTape
from traderagent_core.adapters.venue_adapter import VenueAdapter
from traderagent_core.config.schema import SimulationConfig
from traderagent_core.contract.exchange_adapter import Surroundings
from traderagent_core.contract.venue_facts import FundingRate, LinkDown
from traderagent_core.data.funding import FundingRates
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.position import money_context
from traderagent_core.venue.path import PathPolicy
from traderagent_core.venue.simulated import simulated_exchange

OVER = "the recorded candles are over"


class SimulatedAdapter(VenueAdapter):
    """Trades on recorded candles from `start_ms` on; those before are history for indicators.

    Fills, fees and funding are those that the simulator gives for the same orders at the same times. The clock says
    how fast time passes; what was due while nobody looked happens in its order, at its time.
    """

    def __init__(
        self,
        config: Any,
        surroundings: Surroundings,
        instruments: Iterable[Instrument],
        candles: Mapping[str, Candles],
        *,
        funding: Sequence[FundingRates] = (),
        start_ms: int = 0,
    ) -> None:
        simulation = surroundings.simulation
        assert isinstance(simulation, SimulationConfig)
        exchange = simulated_exchange(simulation, instruments, surroundings.forced_slippage)
        super().__init__(config, surroundings, exchange, candles)
        self.latency_ms = simulation.latency_ms
        self._funding = {rates.symbol: rates for rates in funding}
        self._tape = CandleTape(exchange, candles, PathPolicy(simulation.path), funding, start_ms)
        self._player: asyncio.Task[None] | None = None
        self._is_changed = asyncio.Event()

    async def connect(self) -> None:
        """Begin to play."""
        self.catch_up()
        if self._player is None:
            self._player = asyncio.create_task(self._play())

    async def close(self) -> None:
        """Stop playing and end the streams."""
        await stop(self._player)
        self._player = None
        await super().close()

    def catch_up(self) -> None:
        """Let everything happen that is due."""
        with money_context():
            for price in self._tape.advance(self.clock.now_ms()):
                self.tell()
                if price is not None:
                    self.tell_price(price)

    def bring(self, symbol: str, now_ms: int) -> None:
        """What was due comes before a command, and a command may change what is due next."""
        self.catch_up()
        self._tape.bring(symbol, now_ms)
        self._is_changed.set()

    async def _play(self) -> None:
        while (moment := self._tape.next_moment()) is not None:
            self._is_changed.clear()
            sleep = asyncio.ensure_future(self.clock.sleep_until(moment[0]))
            change = asyncio.ensure_future(self._is_changed.wait())
            try:
                await asyncio.wait((sleep, change), return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleep.cancel()
                change.cancel()
            self.catch_up()
        over = LinkDown(self.clock.now_ms(), OVER)
        self._facts.publish(over)
        self._prices.publish(over)

    async def funding_rates(self, symbol: str, since_ms: int) -> Sequence[FundingRate]:
        """Recorded rates that have been settled by now."""
        rates = self._funding.get(symbol)
        if rates is None:
            return ()
        known = rates.between(since_ms, self.clock.now_ms() + 1)
        pairs = zip(known.time_ms.tolist(), known.rate.tolist(), strict=True)
        return [FundingRate(time_ms, Decimal(repr(rate))) for time_ms, rate in pairs]


async def stop(task: "asyncio.Task[None] | None") -> None:
    """Cancel a task and wait for its end; what went wrong in it is raised here."""
    if task is None:
        return
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise
