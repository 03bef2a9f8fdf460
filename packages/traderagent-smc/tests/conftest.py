"""Candles to order, and a market view whose clock the test moves."""

from collections.abc import Callable, Sequence
from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from traderagent_core import At, Candles, Fixed, Leg, Plan, Purpose, Side
from traderagent_core.simulator.view import SimulatedView
from traderagent_core.testing import candles_from_rows

SYMBOL = "ETH/USDT"


class ClockView(SimulatedView):
    """The simulator's view with the last close as price; counts the candles it handed out."""

    handed_out = 0

    def price(self, symbol: str) -> D:
        """The close of the finest candle."""
        last = self.last(symbol, self._base[symbol].timeframe)
        assert last is not None
        return D(repr(last.close))

    def candles(self, symbol: str, timeframe: str, count: int) -> Candles:
        """As ever, and counted."""
        found = super().candles(symbol, timeframe, count)
        self.handed_out += len(found)
        return found


def rows_to_candles(rows: Any, timeframe: str = "15m", volume: Any = None) -> Candles:
    """Candles from (open, high, low, close)."""
    return candles_from_rows(rows, volume=volume, symbol=SYMBOL, timeframe=timeframe)


def walking_candles(
    count: int, seed: int, timeframe: str = "15m", price: float = 2000.0, step: float = 0.004
) -> Candles:
    """A seeded walk with wicks, gaps and volume."""
    random = np.random.default_rng(seed)
    moves = random.standard_normal(count) * step
    close = np.round(price * np.exp(np.cumsum(moves)), 2)
    start = np.concatenate([[price], close[:-1]]) * (1 + random.standard_normal(count) * step / 8)
    start = np.round(start, 2)
    wicks = np.round(np.abs(random.standard_normal((2, count))) * step * price / 3, 2)
    high, low = np.maximum(start, close) + wicks[0], np.minimum(start, close) - wicks[1]
    volume = np.round(np.exp(random.standard_normal(count)) * 100, 3)
    return rows_to_candles(np.column_stack([start, high, low, close]), timeframe, volume)


def without(candles: Candles, gone: slice) -> Candles:
    """The candles with a hole."""
    kept = np.ones(len(candles), dtype=bool)
    kept[gone] = False
    names = ("open_time", "open", "high", "low", "close", "volume")
    return evolve(candles, **{name: getattr(candles, name)[kept] for name in names})


@pytest.fixture
def make() -> Callable[..., Candles]:
    """Candles from (open, high, low, close)."""
    return rows_to_candles


@pytest.fixture
def walk() -> Callable[..., Candles]:
    """A seeded walk."""
    return walking_candles


@pytest.fixture
def hole() -> Callable[..., Candles]:
    """Candles with a hole."""
    return without


@pytest.fixture
def view_of() -> Callable[..., ClockView]:
    """A view of candles; its clock stands at the close of the given candle, of the last one by default."""

    def at(candles: Candles, index: int = -1) -> ClockView:
        view = ClockView({SYMBOL: candles})
        view.now_ms = int(candles.open_time[index]) + candles.duration_ms
        return view

    return at


@pytest.fixture
def entry() -> Callable[..., Plan]:
    """A single entry; at the market without a price."""

    def plan(side: Side = Side.BUY, price: str | None = None) -> Plan:
        at = None if price is None else At(D(price))
        return Plan("entry", (Leg("entry", "entry", side, Purpose.ENTRY, Fixed(D(1)), at),), ("entry",))

    return plan


@pytest.fixture
def grid() -> Callable[..., Plan]:
    """A grid: buys below the planned price are ENTRY, sells above it give inventory back."""

    def plan(planned: str, buys: Sequence[str], sells: Sequence[str], *, inventory: bool = True) -> Plan:
        legs = [Leg("inventory", "inventory", Side.BUY, Purpose.ENTRY, Fixed(D(1)))] if inventory else []
        for number, price in enumerate((*buys, *sells)):
            side = Side.BUY if price in buys else Side.SELL
            purpose = Purpose.ENTRY if side is Side.BUY or not inventory else Purpose.GRID_COUNTER
            slot, other = f"grid:{number}", f"counter:{number}"
            legs.append(Leg(slot, slot, side, purpose, Fixed(D(1)), At(D(price)), then=(other,)))
            counter = Leg(other, slot, side.opposite, Purpose.GRID_COUNTER, Fixed(D(1)), At(D(planned)))
            legs.append(counter)
        start = tuple(leg.name for leg in legs if not leg.name.startswith("counter"))
        return Plan("grid", tuple(legs), start, evidence={"price": planned})

    return plan
