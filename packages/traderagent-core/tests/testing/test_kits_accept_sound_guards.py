"""The kits for entry filters and risk modes let sound ones through, the built-in modes among them."""

from decimal import Decimal

from traderagent_core.coordinator.risk_modes import (
    DrawdownConfig,
    DrawdownMode,
    HaltConfig,
    HaltMode,
    ReducedConfig,
    ReducedMode,
    StressConfig,
    StressMode,
)
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.testing import EntryFilterConformance, RiskModeConformance
from traderagent_core.testing.guard_specimens import (
    BadDayConfig,
    BadDayMode,
    CalmConfig,
    CalmFilter,
    RecoveryConfig,
    RecoveryMode,
    StreakConfig,
    StreakFilter,
)

LINEAR = Instrument("BTC/USDT", Market.LINEAR, lot_size=Decimal("0.001"), max_leverage=Decimal(10))


class TestCalm(EntryFilterConformance):
    filter_class = CalmFilter
    configs = [CalmConfig(), CalmConfig(timeframe="4h", period=3, range_ratio=Decimal("0.025"))]


class TestStreak(EntryFilterConformance):
    filter_class = StreakFilter
    configs = [StreakConfig(), StreakConfig(timeframe="2h", length=2)]
    instruments = [LINEAR]


class TestStreakOnFinerCandles(EntryFilterConformance):
    filter_class = StreakFilter
    configs = [StreakConfig()]
    timeframe = "15m"


class TestRecovery(RiskModeConformance):
    mode_class = RecoveryMode
    configs = [RecoveryConfig(), RecoveryConfig(enter=Decimal("0.02"), leave=Decimal("0.01"))]


class TestBadDay(RiskModeConformance):
    mode_class = BadDayMode
    configs = [BadDayConfig(), BadDayConfig(daily_loss=Decimal("0.005"))]


class TestDrawdown(RiskModeConformance):
    mode_class = DrawdownMode
    configs = [DrawdownConfig(), DrawdownConfig(drawdown=Decimal("0.01"), size_factor=Decimal(1))]


class TestReduced(RiskModeConformance):
    mode_class = ReducedMode
    configs = [
        ReducedConfig(),
        ReducedConfig(daily_loss=Decimal("0.005"), no_entries_at=Decimal("0.01"), size_factor=Decimal("0.3")),
    ]


class TestStress(RiskModeConformance):
    mode_class = StressMode
    configs = [StressConfig(), StressConfig(size_factor=Decimal("0.25"))]


class TestHalt(RiskModeConformance):
    mode_class = HaltMode
    configs = [HaltConfig(), HaltConfig(drawdown=Decimal("0.01"))]
