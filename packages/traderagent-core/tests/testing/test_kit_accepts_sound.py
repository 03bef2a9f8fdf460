"""The kit lets sound strategies through, all cases, on spot and linear instruments."""

from decimal import Decimal

from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.testing import StrategyConformance
from traderagent_core.testing.specimens import DipBuyer, DipBuyerConfig, Ladder, LadderConfig, Sharer

SPOT = Instrument("BTC/USDT", min_notional=Decimal(5), lot_size=Decimal("0.0001"))
LINEAR = Instrument(
    "BTC/USDT:USDT",
    market=Market.LINEAR,
    min_notional=Decimal(5),
    lot_size=Decimal("0.001"),
    max_leverage=Decimal(10),
)


class TestLadder(StrategyConformance):
    strategy_class = Ladder
    configs = [LadderConfig(), LadderConfig(count=12, step_ratio=Decimal("0.004"))]
    instruments = [SPOT, LINEAR]


class TestDipBuyer(StrategyConformance):
    strategy_class = DipBuyer
    configs = [DipBuyerConfig()]
    instruments = [SPOT, LINEAR]


class TestSharer(StrategyConformance):
    strategy_class = Sharer
    configs = [DipBuyerConfig()]
    instruments = [LINEAR]
    stop_placement = "resting"


class TestDipBuyerWithRestingStops(StrategyConformance):
    strategy_class = DipBuyer
    configs = [DipBuyerConfig(stop_ratio=Decimal("0.03"))]
    instruments = [LINEAR]
    leverage = Decimal(3)
    stop_placement = "resting"


class TestDipBuyerOnHigherTimeframe(StrategyConformance):
    strategy_class = DipBuyer
    configs = [DipBuyerConfig()]
    timeframe = "15m"
