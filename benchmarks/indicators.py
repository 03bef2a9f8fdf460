"""What indicators cost: the columns that a configuration asks for, and four of them beside TA-Lib."""

from collections.abc import Callable
from functools import partial
from typing import Any

from figures import Figure
from setups import MINUTES_SERIES
from timing import measure
from traderagent_core import Candles
from traderagent_core.config.load import Config
from traderagent_core.indicators import Adx, Atr, Ema, Indicator, Rsi
from traderagent_core.simulator.view import SimulatedView

MILLI = 1e3
WANTED_MS = 150.0
PERIOD = 14
TOGETHER: tuple[Indicator, ...] = (Ema(PERIOD), Rsi(PERIOD), Atr(PERIOD), Adx(PERIOD))


def indicator_columns(config: Config, candles: Candles) -> None:
    """Compute the columns that the bots of a configuration need, as a run does."""
    view = SimulatedView({candles.symbol: candles})
    for bot in config.bots:
        assert bot.spec is not None
        needs = bot.spec.factory(bot.strategy_config).needs(bot.strategy_config)
        for indicator in needs.indicators:
            view.column(bot.symbol, needs.timeframe or bot.timeframe, indicator)


def batch_indicators(repetitions: int) -> list[Figure]:
    """EMA, RSI, ATR and ADX over a million candles, and how many times as long as TA-Lib they take."""
    candles = MINUTES_SERIES.candles()
    work: dict[str, Callable[[], object]] = {
        indicator.key: partial(indicator.batch, candles) for indicator in TOGETHER
    }
    work["together"] = lambda: [indicator.batch(candles) for indicator in TOGETHER]
    peer = _talib(candles)
    if peer is not None:
        work["TA-Lib"] = peer
    found = {name: timing.read().scaled(MILLI) for name, timing in measure(work, repetitions).items()}
    ratio = "" if peer is None else f"{found['together'].wall / found['TA-Lib'].wall:.1f} times TA-Lib"
    return [
        Figure.of(name, "ms", reading, wanted=WANTED_MS, note=ratio)
        if name == "together"
        else Figure.of(name, "ms", reading)
        for name, reading in found.items()
    ]


def _talib(candles: Candles) -> Callable[[], object] | None:
    """The same four by TA-Lib; None where it is not installed."""
    try:
        import talib
    except ImportError:
        return None
    library: Any = talib
    ranges = (candles.high, candles.low, candles.close)
    return lambda: (
        library.EMA(candles.close, PERIOD),
        library.RSI(candles.close, PERIOD),
        library.ATR(*ranges, PERIOD),
        library.ADX(*ranges, PERIOD),
    )
