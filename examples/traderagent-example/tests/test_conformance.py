"""The strategy, the filter and the risk mode keep what every one of their kind promises."""

from decimal import Decimal

from traderagent_core.testing import (
    LINEAR,
    SPOT,
    EntryFilterConformance,
    RiskModeConformance,
    StrategyConformance,
)

from traderagent_example.bad_day import BadDay
from traderagent_example.breakout import Breakout
from traderagent_example.config import BadDayConfig, BreakoutConfig, StreakConfig
from traderagent_example.streak import StreakFilter


class TestBreakout(StrategyConformance):
    strategy_class = Breakout
    configs = (BreakoutConfig(), BreakoutConfig(period=12, trail=Decimal("0.01"), rest_hours=0))
    instruments = (SPOT, LINEAR)


class TestStreak(EntryFilterConformance):
    filter_class = StreakFilter
    configs = (StreakConfig(), StreakConfig(timeframe="2h", length=2))


class TestBadDay(RiskModeConformance):
    mode_class = BadDay
    configs = (BadDayConfig(), BadDayConfig(half_at=Decimal("0.005"), none_at=Decimal("0.01")))
