"""What runs in the simulator, and under what: the bots of a run and its conditions."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import Factory, frozen

from traderagent_core.contract.entry_filter import EntryFilter
from traderagent_core.contract.risk_mode import RiskMode
from traderagent_core.contract.strategy import Strategy
from traderagent_core.engine.setup import Limits, PairSetup, StopPlacement
from traderagent_core.model import event as ev
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.simulator.scan import BlockScan, Finder
from traderagent_core.simulator.view import SimulatedView
from traderagent_core.testing.faulty_exchanges import ObservedExchange
from traderagent_core.venue.path import PathPolicy

Around = Callable[[Strategy, str, Any, Callable[[], Any]], Any]
"""(strategy, callback, context, call): has to call `call()` and to return what that returns."""


@frozen
class Bot:
    """One bot of a run. `budget` is in quote currency, before leverage.

    Without a timeframe it looks at the candles as they are; without a placement its stops are where a back-test puts
    them: attached to linear positions, held by the engine on spot.
    """

    strategy_class: type[Strategy]
    config: Any
    candles: Candles
    instrument: Instrument
    budget: Decimal = Decimal(10_000)
    leverage: Decimal = Decimal(1)
    name: str = "bot"
    timeframe: str | None = None
    limits: Limits = Limits()  # noqa: RUF009
    stop_placement: StopPlacement | None = None

    @property
    def looks_at(self) -> str:
        """The timeframe of the candles that it is called with."""
        return self.timeframe or self.candles.timeframe

    @property
    def places_stops(self) -> StopPlacement:
        """Who holds its stops."""
        return self.stop_placement or ("attached" if self.instrument.market is Market.LINEAR else "engine")


@frozen
class Conditions:
    """Under what a run takes place; the defaults are a venue that behaves and nobody who interferes.

    `exchange` builds the venue from (instruments, balance=…). `operator` gives commands at their times. `wakes` are
    times at which the engine is woken although nobody asked for it. `restart_at` says after how many steps the
    engine and its plugins are saved, thrown away and restored. `around` is called around every callback. `filters`
    and `modes` build entry filters and risk modes for each engine, by name. `pairs` are bots that take turns on an
    instrument, which they share.
    """

    exchange: Callable[..., ObservedExchange] = ObservedExchange
    view: Callable[[Mapping[str, Candles]], SimulatedView] = SimulatedView
    finder: Callable[[Candles], Finder] = BlockScan
    policy: PathPolicy = PathPolicy.DEFAULT
    slippage_ratio: Decimal = Decimal(0)
    operator: Sequence[ev.OperatorCommand] = ()
    wakes: Sequence[int] = ()
    restart_at: Callable[[int], bool] | None = None
    around: Around | None = None
    latency_ms: int = 0
    balance: Decimal | None = None
    filters: Mapping[str, Callable[[], EntryFilter]] = Factory(dict)
    modes: Mapping[str, Callable[[], RiskMode]] = Factory(dict)
    pairs: Sequence[PairSetup] = ()


GOOD = Conditions()
