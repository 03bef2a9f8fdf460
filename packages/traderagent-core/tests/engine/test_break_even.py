"""A stop goes to break-even once, at the price that its rule names, and never back."""

from decimal import Decimal as D

import numpy as np
import pytest
from attrs import evolve
from traderagent_core.contract.strategy import Strategy
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.setup import BotSetup, EngineSetup, StopPlacement
from traderagent_core.engine.snapshot import restore, snapshot
from traderagent_core.engine.stop_state import StopState
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import AverageTimes, BreakEven, Fixed, Leg, Plan, Stop, Trail
from traderagent_core.ports import Context
from traderagent_core.simulator.driver import Driver
from traderagent_core.simulator.view import SimulatedView
from traderagent_core.venue.exchange import SimulatedExchange

SYMBOL = "BTC/USDT"
START_MS = 1_700_006_400_000
HOUR_MS = 3_600_000
SPOT = Instrument(SYMBOL, lot_size=D("0.001"))
LINEAR = evolve(SPOT, market=Market.LINEAR, max_leverage=D(10))
EVEN = BreakEven(D("0.05"), D("0.002"))
STOP = Stop(AverageTimes(D("0.9")), AverageTimes(D("1.1")), break_even=EVEN)


class Holds(Strategy):
    """Enters one unit at the first close, with the stop that the configuration names."""

    def on_start(self, context: Context) -> None:
        side, stop = self.config
        context.enter(Plan("deal", (Leg("in", "in", side, Purpose.ENTRY, Fixed(D(1))),), ("in",), stop))


def candles(*bars: tuple[float, float, float, float]) -> Candles:
    """Candles of (open, high, low, close)."""
    start, high, low, close = (np.array(column, dtype=float) for column in zip(*bars, strict=True))
    times = START_MS + np.arange(len(bars), dtype=np.int64) * HOUR_MS
    return Candles(SYMBOL, "1h", times, start, high, low, close, np.ones(len(bars)))


class Bench:
    """A run that can be stopped after any candle."""

    def __init__(
        self, series: Candles, side: Side = Side.BUY, stop: Stop = STOP, placement: StopPlacement = "engine"
    ) -> None:
        self.series = series
        self.view = SimulatedView({SYMBOL: series})
        instrument = SPOT if placement == "engine" else LINEAR
        strategy = Holds((side, stop))
        bot = BotSetup("bot", "holds", strategy, instrument, "1h", D(1000), D(1), stop_placement=placement)
        self.engine = Engine(EngineSetup((bot,), D(10_000)), self.view)
        exchange = SimulatedExchange([instrument], balance=D(10_000))
        self.driver = Driver(self.engine, exchange, self.view, {SYMBOL: series})
        self.driver.schedule("bot", self.view.schedule("bot", SYMBOL, "1h", strategy, 0))

    def run(self, count: int | None = None) -> "Bench":
        last = len(self.series) if count is None else count
        self.driver.run(START_MS + last * HOUR_MS)
        return self

    @property
    def stop(self) -> StopState:
        return self.engine.members["bot"].stop

    @property
    def fills(self) -> list[D]:
        return [record[4] for record in self.driver.records if record[0] == "filled"]


FLAT = (100, 100, 100, 100)


@pytest.mark.parametrize("placement", ["engine", "resting", "attached"])
@pytest.mark.parametrize(
    ("side", "bar", "stands", "moved"),
    [
        (Side.BUY, (100, 104.99, 99, 101), "90", "100.2"),
        (Side.SELL, (100, 101, 95.01, 99), "110", "99.8"),
    ],
)
def test_it_waits_for_its_price_and_then_stands_beyond_the_entry(
    placement: StopPlacement, side: Side, bar: tuple[float, float, float, float], stands: str, moved: str
) -> None:
    if (placement, side) == ("engine", Side.SELL):
        pytest.skip("spot holds no shorts")
    touching = (100, 105, 99, 103) if side is Side.BUY else (100, 101, 95, 97)
    bench = Bench(candles(FLAT, bar, touching), side, placement=placement)
    assert bench.run(2).stop.price == D(stands)
    bench.run(3)
    assert (bench.stop.is_even, bench.stop.price) == (True, D(moved))


@pytest.mark.parametrize("placement", ["engine", "attached"])
def test_a_return_closes_at_break_even_at_once(placement: StopPlacement) -> None:
    bench = Bench(candles(FLAT, (100, 106, 100, 106), (106, 106, 80, 80)), placement=placement).run()
    assert bench.fills == [D(100), D("100.2")]
    assert (bench.stop.is_even, bench.stop.price) == (False, None)


def test_a_jump_far_beyond_its_price_moves_it_no_further() -> None:
    bench = Bench(candles(FLAT, (130, 130, 130, 130))).run()
    assert bench.stop.price == D("100.2")


def test_the_position_is_watched_at_one_price_at_a_time() -> None:
    stop = evolve(STOP, trail=Trail(D("0.08"), D("0.04"), D("0.01"), 0))
    bench = Bench(
        candles(FLAT, (100, 106, 100, 106), (106, 108, 106, 108), (108, 109.5, 108, 109)), stop=stop
    )
    assert bench.run(1).stop.trail_watch == D(105)
    assert bench.run(2).stop.trail_watch == D(108)
    assert bench.stop.price == D("100.2")
    bench.run(3)
    assert (bench.stop.trail_watch, bench.stop.price) == (D("109.08"), D("103.68"))
    assert bench.run(4).stop.price == D("104.71")


def test_a_jump_beyond_break_even_and_trail_does_both() -> None:
    stop = evolve(STOP, trail=Trail(D("0.06"), D("0.1"), D("0.01"), 0))
    bench = Bench(candles(FLAT, (107, 107, 107, 107)), stop=stop).run()
    assert (bench.stop.is_even, bench.stop.is_trailing) == (True, True)
    assert bench.stop.price == D("100.2")


def test_a_trail_that_is_ahead_stays_where_it_is() -> None:
    stop = evolve(STOP, trail=Trail(D("0.01"), D("0.005"), D("0.01"), 0))
    bench = Bench(candles(FLAT, (100, 104, 100, 104), (104, 105, 104, 105)), stop=stop).run()
    assert (bench.stop.is_even, bench.stop.price) == (True, D("103.55"))


def test_it_survives_a_restart() -> None:
    series = candles(FLAT, (100, 106, 100, 106), (106, 106, 104, 106))
    bench = Bench(series).run()
    fresh = Bench(series)
    restore(fresh.engine, snapshot(bench.engine))
    assert fresh.stop.is_even
    assert fresh.stop.price == D("100.2")


@pytest.mark.parametrize("offset", ["-0.001", "0.05", "0.06"])
def test_an_offset_outside_its_reach_is_refused(offset: str) -> None:
    with pytest.raises(ValueError, match=r"below the activation_ratio 0\.05, not"):
        BreakEven(D("0.05"), D(offset))
