"""A bench: one grid on candles in the simulator, with everything it left behind at hand."""

from collections.abc import Callable, Sequence
from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest
from attrs import define
from traderagent_core import Candles, Instrument, Leg, Market
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.setup import BotSetup, EngineSetup, Limits
from traderagent_core.model.candle import FloatColumn
from traderagent_core.simulator.driver import Driver
from traderagent_core.simulator.view import SimulatedView
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.path import PathPolicy
from traderagent_grid.config import GridConfig
from traderagent_grid.state import GridState
from traderagent_grid.strategy import GridStrategy

SYMBOL = "BTC/USDT"
START_MS = 1_700_006_400_000
STEPS = {"1m": 60_000, "1h": 3_600_000}


@define(eq=False)
class Bench:
    """A run that can be stopped at any time and gone on with."""

    driver: Driver
    engine: Engine
    exchange: SimulatedExchange
    view: SimulatedView
    candles: Candles
    strategy: GridStrategy

    @property
    def end_ms(self) -> int:
        return int(self.candles.open_time[-1] + self.candles.duration_ms)

    def run(self, candles: int | None = None) -> "Bench":
        """Run to the close of the first so many candles, or to the end."""
        last = len(self.candles) if candles is None else candles
        self.driver.run(int(self.candles.open_time[last - 1] + self.candles.duration_ms))
        return self

    @property
    def state(self) -> GridState:
        return self.strategy.state

    @property
    def ledger(self) -> Any:
        return self.engine.members["bot"].ledger

    @property
    def orders(self) -> list[tuple[str, D, D]]:
        """Resting limit orders: side, price, quantity; cheapest first."""
        orders = self.engine.account.orders.values()
        rows = [(each.side.value, each.price, each.quantity) for each in orders if each.price is not None]
        return sorted(rows, key=lambda row: row[1])

    def records(self, kind: str) -> list[tuple[Any, ...]]:
        return [record for record in self.driver.records if record[0] == kind]

    def notes(self) -> list[str]:
        return [record[3] for record in self.records("noted")]

    def fills(self) -> list[tuple[str, D, D]]:
        """Side, price and quantity of every fill, in order."""
        wants = {record[2]: record[3] for record in self.records("order_submitted")}
        legs = self._legs()
        return [
            (legs[wants[record[2]]].side.value, record[4], record[5]) for record in self.records("filled")
        ]

    def _legs(self) -> dict[int, Leg]:
        """The leg of every want, by the want's number."""
        plans = [record[7] for record in self.records("plan_granted")]
        by_name = [{leg.name: leg for leg in legs} for legs in plans]
        granted = enumerate(self.records("want_granted"), start=1)
        return {number: by_name[record[2] - 1][record[3]] for number, record in granted}


def make_candles(closes: Sequence[float] | FloatColumn, timeframe: str = "1h", wick: float = 0.0) -> Candles:
    """Candles from close to close, the first from the first close on; wicks reach `wick` beyond the body."""
    close = np.asarray(closes, dtype=float)
    start = np.concatenate([close[:1], close[:-1]])
    times = START_MS + np.arange(len(close), dtype=np.int64) * STEPS[timeframe]
    high, low = np.maximum(start, close) + wick, np.minimum(start, close) - wick
    return Candles(SYMBOL, timeframe, times, start, high, low, close, np.ones(len(close)))


def wandering_candles(count: int, seed: int, price: float = 100.0, step: float = 0.006) -> Candles:
    """A seeded walk that is drawn back to where it began."""
    random = np.random.default_rng(seed)
    shocks = random.standard_normal(count) * step
    level, logs = 0.0, np.empty(count)
    for index in range(count):
        level = level * 0.998 + shocks[index]
        logs[index] = level
    closes = np.round(price * np.exp(logs), 2)
    candles = make_candles(closes)
    wick = np.round(np.abs(random.standard_normal(count)) * step * price / 3, 2)
    return Candles(
        SYMBOL, "1h", candles.open_time, candles.open, candles.high + wick, candles.low - wick, candles.close,
        candles.volume,
    )  # fmt: skip


@pytest.fixture
def instrument() -> Instrument:
    return Instrument(SYMBOL, lot_size=D("0.0001"), min_notional=D(5))


@pytest.fixture
def linear() -> Instrument:
    return Instrument(
        SYMBOL, Market.LINEAR, lot_size=D("0.0001"), min_notional=D(5), maker_fee_ratio=D("0.0002"),
        taker_fee_ratio=D("0.00055"), max_leverage=D(50),
    )  # fmt: skip


@pytest.fixture
def config() -> Callable[..., GridConfig]:
    def make(**keys: Any) -> GridConfig:
        usual = {"lower_price": 90, "upper_price": 110, "grid_levels": 11, "amount_per_grid": 100}
        return GridConfig.model_validate({**usual, **keys})

    return make


@pytest.fixture
def bench() -> Callable[..., Bench]:
    def make(
        config: GridConfig,
        instrument: Instrument,
        candles: Candles,
        *,
        budget: D = D(10_000),
        leverage: D = D(1),
        limits: Limits | None = None,
        policy: PathPolicy = PathPolicy.DEFAULT,
        latency_ms: int = 0,
        view_class: type[SimulatedView] = SimulatedView,
    ) -> Bench:
        view = view_class({SYMBOL: candles})
        strategy = GridStrategy(config)
        bot = BotSetup(
            "bot", "grid", strategy, instrument, candles.timeframe, budget, leverage, limits or Limits(),
            "attached" if instrument.market is Market.LINEAR else "engine",
        )  # fmt: skip
        engine = Engine(EngineSetup((bot,), budget), view)
        exchange = SimulatedExchange([instrument], balance=budget)
        driver = Driver(engine, exchange, view, {SYMBOL: candles}, policy=policy, latency_ms=latency_ms)
        driver.schedule("bot", view.schedule("bot", SYMBOL, candles.timeframe, strategy, 0))
        return Bench(driver, engine, exchange, view, candles, strategy)

    return make


@pytest.fixture
def path() -> Callable[..., Candles]:
    """Candles from close to close."""
    return make_candles


@pytest.fixture
def wander() -> Callable[..., Candles]:
    """A seeded walk around a price."""
    return wandering_candles
