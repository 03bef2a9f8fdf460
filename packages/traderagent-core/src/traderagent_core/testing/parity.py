"""The same candles through the simulator, and through the live driver at an exchange that is moved by hand."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from attrs import field, frozen

from traderagent_core.account.state import Record
from traderagent_core.adapters.clocks import ManualClock
from traderagent_core.config.loaded import Config
from traderagent_core.contract.exchange_adapter import ExchangeAdapter
from traderagent_core.live.comparing import candle_cause, first_parting, shown
from traderagent_core.live.lockstep import HandMovedExchange, keep_lockstep
from traderagent_core.live.session import Session, trade, until_told
from traderagent_core.live_run import manifest_of
from traderagent_core.model.candle import Candles
from traderagent_core.model.position import money_context
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.persistence.payloads import records_of
from traderagent_core.replay import Replay, replay, tape_candles
from traderagent_core.simulator.instruments import make_instrument
from traderagent_core.simulator.preparing import RunOptions, acknowledge_after_ms, prepare

NAMES = ("simulated", "live")
Opened = AbstractAsyncContextManager[tuple[ExchangeAdapter, HandMovedExchange]]


@frozen
class Comparison:
    """Two runs over the same candles. `difference` names where they part and why; empty when they do not."""

    simulated: list[Record] = field(repr=False)
    live: list[Record] = field(repr=False)
    replay: Replay
    difference: str

    def count(self, kind: str) -> int:
        """How many records of a kind the live run has."""
        return sum(record[0] == kind for record in self.live)


@frozen
class Parity:
    """A configuration over candles, from a start on, ms UTC. All series are of one timeframe.

    `open_exchange` gives an adapter and the hands that move its exchange, which begins at the time of the clock.
    It is called with `candles`, `instruments`, `clock`, `balance`, `funding_rate` and `latency_ms` as the simulator
    has them.
    """

    config: Config
    candles: Sequence[Candles]
    start_ms: int
    adapter: type[ExchangeAdapter]
    open_exchange: Callable[..., Opened]

    def compare(self, folder: Path) -> Comparison:
        """Run both ways, the live one with its journal in `folder`, and replay that."""
        simulated = self.simulate()
        asyncio.run(self._play(folder))
        live = recorded(folder)
        return Comparison(simulated, live, replay(folder), self._difference(simulated, live, folder))

    def _difference(self, simulated: list[Record], live: list[Record], folder: Path) -> str:
        parting = first_parting(simulated, live)
        data = {each.symbol: each for each in self.candles}
        candle = candle_cause(tape_candles(folder), data, ("live run's tape", "simulator's data"))
        records = "" if parting is None else shown(parting, NAMES)
        return ". Cause: ".join(filter(None, (records, candle)))

    def simulate(self) -> list[Record]:
        """Records of the simulator, with stops where the adapter has them."""
        options = RunOptions(
            start_ms=self.start_ms, stop_placements=self.adapter.capabilities.stop_placements
        )
        prepared = prepare(self.config, {each.symbol: each for each in self.candles}, (), options)
        with money_context():
            prepared.driver.run(prepared.end_ms)
        return prepared.driver.records[:]

    async def _play(self, folder: Path) -> None:
        boot_ms = self.start_ms - self.candles[0].duration_ms
        clock, simulation = ManualClock(boot_ms), self.config.simulation
        given = {each.symbol: each for each in self.candles}
        opened = self.open_exchange(
            candles=self.candles,
            instruments=[make_instrument(bot, simulation, given[bot.symbol])[0] for bot in self.config.bots],
            clock=clock,
            balance=simulation.balance,
            funding_rate=simulation.funding_rate,
            latency_ms=simulation.latency_ms,
        )
        async with opened as (adapter, exchange):
            session = Session(
                self.config,
                adapter,
                folder,
                "parity",
                self.candles[0].timeframe,
                lambda *_, **__: None,
                manifest_of(self.config),
                goes_on=False,
                run_id="sim",
                history_ms=boot_ms - min(int(each.open_time[0]) for each in self.candles),
                start_ms=self.start_ms,
                grace_ms=0,
                quote=exchange.quote,
                levels=exchange.levels,
                acknowledge_after_ms=acknowledge_after_ms(simulation),
            )
            end_ms = max(int(each.open_time[-1]) + each.duration_ms for each in self.candles)
            await trade(session, keep_lockstep(exchange, clock, end_ms), until_told)


def recorded(folder: Path) -> list[Record]:
    """All records that a run has written."""
    entries = (entry for entry in read_entries(folder, 0) if entry.kind is EntryKind.RECORDS)
    return [record for entry in entries for record in records_of(entry.value)]
