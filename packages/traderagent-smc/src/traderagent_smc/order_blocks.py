"""Order blocks: the last extreme candle before the close that broke a swing."""

from math import inf

from attrs import define

from traderagent_smc.chart import Chart
from traderagent_smc.swings import HIGH, LOW, Swing


@define(eq=False)
class Origin:
    """The most extreme candle so far on the far side of a coming break, and what has traded since, itself included.

    `body` is the largest |close - open| and `volume` the sum, over `count` candles from `idx` on.
    """

    direction: int
    idx: int = -1
    edge: float = inf
    top: float = 0.0
    bottom: float = 0.0
    body: float = 0.0
    volume: float = 0.0
    count: int = 0

    def take(self, idx: int, row: tuple[int, float, float, float, float, float]) -> None:
        """The next candle; on ties the later one is the origin."""
        _, start, high, low, close, volume = row
        edge = low if self.direction == HIGH else -high
        body = abs(close - start)
        if edge <= self.edge:
            self.idx, self.edge, self.top, self.bottom = idx, edge, high, low
            self.body, self.volume, self.count = body, volume, 1
            return
        self.volume += volume
        self.count += 1
        if body > self.body:
            self.body = body


@define(eq=False)
class OrderBlock:
    """A zone [bottom, top] of candle `idx`, formed when `formed_at` closed beyond the swing at `swing_idx`.

    `body` and `mean_volume` are over the candles from the origin to the break.
    """

    direction: int
    idx: int
    top: float
    bottom: float
    formed_at: int
    swing_idx: int
    body: float
    mean_volume: float


@define(eq=False)
class BlockFinder:
    """Waits for a close beyond the latest active swings, each once. A look-back of 0 reaches to the swing itself."""

    chart: Chart
    lookback: int
    high: Swing | None = None
    low: Swing | None = None
    ceiling: float = inf
    floor: float = -inf
    under_high: Origin | None = None
    above_low: Origin | None = None

    def take(self, t: int, swing: Swing) -> None:
        """A swing that has become the latest active one of its type, before candle t is judged."""
        origin = None if self.lookback else self._origin(swing, t)
        if swing.direction == HIGH:
            self.high, self.ceiling, self.under_high = swing, swing.level, origin
        else:
            self.low, self.floor, self.above_low = swing, swing.level, origin

    def update(self, t: int, close: float) -> tuple[OrderBlock, ...]:
        """Blocks formed by the close of candle t, which the chart has already taken."""
        found: tuple[OrderBlock, ...] = ()
        if close > self.ceiling and self.high is not None:
            found = (self._form(t, self.high, self.under_high),)
            self.ceiling, self.under_high = inf, None
        if close < self.floor and self.low is not None:
            found += (self._form(t, self.low, self.above_low),)
            self.floor, self.above_low = -inf, None
        if not self.lookback:
            self._extend(t)
        return found

    def _extend(self, t: int) -> None:
        """The window of the next candle ends with this one."""
        for origin in (self.under_high, self.above_low):
            if origin is not None:
                origin.take(t, self.chart.row(t))

    def _origin(self, swing: Swing, end: int) -> Origin:
        first = swing.idx + 1
        if self.lookback:
            first = max(first, end - self.lookback)
        origin = Origin(HIGH if swing.direction == HIGH else LOW)
        for idx in range(first, end):
            origin.take(idx, self.chart.row(idx))
        return origin

    def _form(self, t: int, swing: Swing, origin: Origin | None) -> OrderBlock:
        if origin is None:
            origin = self._origin(swing, t)
        _, start, _, _, close, volume = self.chart.row(t)
        return OrderBlock(
            swing.direction,
            origin.idx,
            origin.top,
            origin.bottom,
            t,
            swing.idx,
            max(origin.body, abs(close - start)),
            (origin.volume + volume) / (origin.count + 1),
        )
