"""Prices: a walk with gaps, a tick every few seconds, and the candles that come of it."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np

from traderagent_core.contract.venue_facts import CandleClosed
from traderagent_core.model.candle import Candle, Candles
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import Side
from traderagent_core.testing.faults.world import START_MS, World

TICK_MS = 5_000
MINUTE_MS = 60_000
BASE = "1m"
HISTORY_MINUTES = 60
FIRST_PRICE = 100.0
MOVES = (0.0005, 0.001, 0.003)
PULL = 0.02
"""Share of the way back to the first price that a tick goes, so that a grid keeps trading."""


class PriceWalk:
    """The price of one instrument. `tick` is called with each price, `closed` with each candle."""

    def __init__(
        self,
        world: World,
        instrument: Instrument,
        tick: Callable[[str, Decimal], None],
        closed: Callable[[CandleClosed], None],
    ) -> None:
        self._world = world
        self._instrument = instrument
        self._tick, self._closed = tick, closed
        self._dice: Random = world.dice(f"price {instrument.symbol}")
        self._move = self._dice.choice(MOVES)
        self.price = FIRST_PRICE
        self.candles = self._history()
        self._open_ms = START_MS
        self._seen: list[float] = [self.candles[-1].close]
        self.is_moving = True
        self.tick_ms = TICK_MS

    def begin(self) -> None:
        """The first trade, and all that follow."""
        self._step()

    def gap(self) -> None:
        """The price jumps past whatever waits for it."""
        ratio = self._dice.choice((-1, 1)) * self._dice.uniform(0.02, 0.08)
        self.price *= 1 + ratio

    def _step(self) -> None:
        now_ms = self._world.now_ms
        if now_ms >= self._open_ms + MINUTE_MS:
            self._close()
        if self.is_moving:
            self.price = self._next()
        exact = self._instrument.limit_price(Side.BUY, Decimal(repr(round(self.price, 6))))
        self._seen.append(float(exact))
        self._tick(self._instrument.symbol, exact)
        self._world.after(self.tick_ms, self._step)

    def _next(self) -> float:
        moved = self.price * (1 + self._dice.gauss(0, self._move))
        return moved + (FIRST_PRICE - moved) * PULL

    def _history(self) -> list[Candle]:
        ratios = (1 + self._dice.uniform(-0.004, 0.004) for _ in range(HISTORY_MINUTES))
        return _candles(FIRST_PRICE, [round(FIRST_PRICE * ratio, 2) for ratio in ratios])

    def _close(self) -> None:
        seen = self._seen
        candle = Candle(self._open_ms, seen[0], max(seen), min(seen), seen[-1], float(len(seen)))
        self.candles.append(candle)
        self._open_ms += MINUTE_MS
        self._seen = [candle.close]
        self._closed(CandleClosed(self._instrument.symbol, BASE, candle))

    def read(self, since_ms: int, limit: int) -> Candles:
        """Closed candles, as a venue gives them."""
        found = [each for each in self.candles if each.open_time >= since_ms][:limit]
        columns = [np.array(column, dtype=np.float64) for column in zip(*found, strict=True)] or [
            np.empty(0)
        ] * 6
        return Candles(self._instrument.symbol, BASE, columns[0].astype(np.int64), *columns[1:])


class ScriptedWalk(PriceWalk):
    """The price goes as it is written: pairs of a second and the price from then on, after closes of minutes."""

    def __init__(self, prices: Sequence[tuple[float, float]], history: Sequence[float], *place: Any) -> None:
        self._prices, self._closes = prices, history
        super().__init__(*place)
        self.price = self._next()

    def _next(self) -> float:
        second = (self._world.now_ms - START_MS) / 1000
        return next(price for since, price in reversed(self._prices) if since <= second)

    def _history(self) -> list[Candle]:
        first = self._prices[0][1]
        closes = list(self._closes) or [first] * HISTORY_MINUTES
        return _candles(closes[0], closes)


def _candles(price: float, closes: Sequence[float]) -> list[Candle]:
    """Minutes before the start."""
    found = []
    for minute, close in enumerate(closes, -len(closes)):
        found.append(
            Candle(START_MS + minute * MINUTE_MS, price, max(price, close), min(price, close), close, 1.0)
        )
        price = close
    return found
