"""The trend follower keeps what every strategy promises."""

from decimal import Decimal as D
from typing import Any

from traderagent_core.testing import LINEAR, SPOT, StrategyConformance
from traderagent_trend.config import TrendConfig
from traderagent_trend.strategy import TrendStrategy

QUICK: dict[str, Any] = {
    "ema_fast_period": 5,
    "ema_slow_period": 12,
    "breakout_candles": 8,
    "rsi_max": 95,
    "volume_ratio": "0.8",
    "max_daily_trades": 3,
}


def trend(**keys: Any) -> TrendConfig:
    return TrendConfig.model_validate({**QUICK, **keys})


class TestSpotTrend(StrategyConformance):
    strategy_class = TrendStrategy
    instruments = (SPOT,)
    rows = 500
    configs = (
        TrendConfig(),
        trend(entries=["pullback", "breakout", "crossover"], target_atr=None, risk_per_trade="0.02"),
    )


class TestLinearTrend(StrategyConformance):
    strategy_class = TrendStrategy
    instruments = (LINEAR,)
    stop_placement = "attached"
    leverage = D(3)
    rows = 500
    configs = (
        trend(directions=["long", "short"], entries=["breakout", "crossover"]),
        trend(directions=["short"], trailing_from_r=None, max_consecutive_losses=2, loss_pause_candles=30),
    )
