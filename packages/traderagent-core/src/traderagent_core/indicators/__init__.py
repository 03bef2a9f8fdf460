"""Indicators: frozen declarations such as `Ema(20)`, with twins for one candle and for whole columns."""

from traderagent_core.indicators.averages import Ema, Sma, VolumeMean
from traderagent_core.indicators.base import Indicator, IndicatorState, Running
from traderagent_core.indicators.bollinger import BollingerLower, BollingerUpper, BollingerWidth
from traderagent_core.indicators.momentum import Rsi
from traderagent_core.indicators.rolling import Highest, Lowest
from traderagent_core.indicators.trend import Adx, MinusDi, PlusDi
from traderagent_core.indicators.volatility import Atr, AtrRatio

__all__ = [
    "Adx",
    "Atr",
    "AtrRatio",
    "BollingerLower",
    "BollingerUpper",
    "BollingerWidth",
    "Ema",
    "Highest",
    "Indicator",
    "IndicatorState",
    "Lowest",
    "MinusDi",
    "PlusDi",
    "Rsi",
    "Running",
    "Sma",
    "VolumeMean",
]
