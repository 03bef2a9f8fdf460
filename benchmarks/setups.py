"""The fixed series and bots that the benchmarks measure; all candles are generated, the same every time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from attrs import Factory, evolve, frozen
from traderagent_core import Candles, generate_candles, load_config
from traderagent_core.config.load import Config

SYMBOL = "BTC/USDT"
START_MS = 1_500_001_200_000  # 2017-07-14 03:00 UTC
PRICE = 30_000.0
HOUR_OF_MINUTES = 60


@frozen
class Series:
    """Arguments of `generate_candles`; those not named are PRICE, SYMBOL, START_MS and the defaults."""

    timeframe: str
    rows: int
    seed: int
    reversion: float
    jumps: int | None = None

    def candles(self) -> Candles:
        """Generate the candles."""
        return generate_candles(
            symbol=SYMBOL,
            timeframe=self.timeframe,
            rows=self.rows,
            seed=self.seed,
            start_ms=START_MS,
            price=PRICE,
            reversion=self.reversion,
            jumps=self.jumps,
        )

    def __str__(self) -> str:
        jumps = "" if self.jumps is None else f", jumps={self.jumps}"
        return f"{self.rows:,} × {self.timeframe}, seed={self.seed}, reversion={self.reversion}{jumps}"


@frozen
class Bot:
    """One bot on SYMBOL with a balance of 100,000; what its section does not name is the default."""

    strategy: str
    section: Mapping[str, Any] = Factory(dict)
    timeframe: str = "1h"

    def config(self) -> Config:
        """The loaded configuration; the plugin of the strategy is found by the plugin host."""
        return load_config(self.mapping())

    def mapping(self) -> dict[str, Any]:
        """The configuration in the layout of the file."""
        bot = {"name": "bench", "symbol": SYMBOL, "strategy": self.strategy, "timeframe": self.timeframe}
        return {"bots": [{**bot, self.strategy: dict(self.section)}], "simulation": {"balance": "100000"}}

    def __str__(self) -> str:
        told = ", ".join(f"{key} {value}" for key, value in self.section.items())
        return f"{self.strategy}: {told}, bot on {self.timeframe}"


@frozen
class Grid:
    """A grid between two prices on a bot of a timeframe; everything else is the default."""

    lower: int
    upper: int
    levels: int
    timeframe: str = "1h"

    def config(self) -> Config:
        """As that of a bot."""
        return self._bot().config()

    def mapping(self) -> dict[str, Any]:
        """As that of a bot."""
        return self._bot().mapping()

    def _bot(self) -> Bot:
        section = {
            "lower_price": str(self.lower),
            "upper_price": str(self.upper),
            "grid_levels": self.levels,
            "amount_per_grid": "400",
        }
        return Bot("grid", section, self.timeframe)

    def __str__(self) -> str:
        return f"{self.levels} levels {self.lower:,} to {self.upper:,}, bot on {self.timeframe}"


@frozen
class Setup:
    """A series with a bot on it, and the time that is wanted for a whole run.

    With `is_after_indicators` that time is without what the columns of the indicators take.
    """

    name: str
    series: Series
    bot: Grid | Bot
    wanted_ms: float
    is_after_indicators: bool = False


HOURLY_SERIES = Series("1h", 67_922, 3, 0.6)
HOURLY = Setup("67,922 hours, about 2,100 fills", HOURLY_SERIES, Grid(20_000, 31_700, 20), 50.0)
MINUTES_SERIES = Series("1m", 1_000_000, 7, 0.5)
MINUTES_GRID = Grid(22_000, 36_200, 20)
MINUTES = Setup("1,000,000 minutes, about 850 fills", MINUTES_SERIES, MINUTES_GRID, 40.0)
LONG = Setup(
    "4,075,320 minutes, about 15,000 fills",
    Series("1m", 4_075_320, 2, 0.98, jumps=0),
    Grid(24_700, 43_000, 40),
    500.0,
)
SETUPS = (HOURLY, MINUTES, LONG)

DCA = Setup(
    "DCA: 67,922 hours, about 340 fills",
    HOURLY_SERIES,
    Bot(
        "dca",
        {
            "amount_per_step": "1000",
            "trigger_percentage": "0.068",
            "price_deviation": "0.05",
            "take_profit_percentage": "0.04",
        },
    ),
    15.0,
)
TREND = Setup(
    "trend: 67,922 hours, about 1,200 fills",
    HOURLY_SERIES,
    Bot("trend", {"entries": ["breakout"], "breakout_candles": 24}),
    40.0,
    is_after_indicators=True,
)
LONG_TREND = Setup(
    "trend: 1,000,000 candles, about 20,000 fills",
    Series("5m", 1_000_000, 7, 0.5),
    Bot("trend", {"entries": ["breakout"], "risk_per_trade": "0.0005", "max_daily_trades": None}, "5m"),
    600.0,
    is_after_indicators=True,
)
PLANNED = (DCA, TREND, LONG_TREND)

QUIET_BASE = evolve(MINUTES_SERIES, rows=500_000)
QUIET_FACTORS = (1, 2, 4, 8)

FILLS_SERIES = Series("5m", 60_000, 5, 1.0, jumps=0)
FILLS_BY_LEVELS = tuple(Grid(27_000, 33_000, levels, "5m") for levels in (5, 10, 20, 40, 80))
FILLS_BY_WIDTH = tuple(
    Grid(30_000 - half, 30_000 + half, 20, "5m") for half in (12_000, 6_000, 4_000, 2_500, 1_500)
)


def spread(candles: Candles, factor: int) -> Candles:
    """The same price with `factor` - 1 flat candles after each but those of the first hour: same fills, more quiet.

    A flat candle stays at the close before it, so it meets nothing that is not met already. The first hour stays as
    it is, so that a bot on hours starts at the same price.
    """
    head = HOUR_OF_MINUTES
    repeats = np.ones(len(candles), dtype=np.int64)
    repeats[head:] = factor
    is_flat = np.ones(int(repeats.sum()), dtype=bool)
    is_flat[np.cumsum(repeats) - repeats] = False
    first, high, low, close, volume = (
        np.repeat(column, repeats)
        for column in (candles.open, candles.high, candles.low, candles.close, candles.volume)
    )
    for column in (first, high, low):
        column[is_flat] = close[is_flat]
    volume[is_flat] = 0.0
    times = candles.open_time[0] + np.arange(len(close), dtype=np.int64) * candles.duration_ms
    return Candles(candles.symbol, candles.timeframe, times, first, high, low, close, volume)
