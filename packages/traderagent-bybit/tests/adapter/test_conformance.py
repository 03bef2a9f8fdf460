"""The conformance kit on the sandbox, over real sockets."""

from decimal import Decimal

from attrs import evolve
from traderagent_bybit.adapter.config import BybitConfig
from traderagent_core import Instrument, Market
from traderagent_core.testing import ExchangeAdapterConformance

ETH = Instrument(
    "ETH/USDT",
    Market.LINEAR,
    lot_size=Decimal("0.001"),
    min_notional=Decimal(5),
    max_leverage=Decimal(10),
)


class TestBybit(ExchangeAdapterConformance):
    is_on_sandbox = True
    configs = [BybitConfig()]
    instruments = [ETH]


class TestBybitInHedgeMode(ExchangeAdapterConformance):
    is_on_sandbox = True
    configs = [BybitConfig()]
    instruments = [evolve(ETH, symbol="ETH/USDT:long")]
    skips = {"test_a_short_position_is_negative": "ETH/USDT:long gets long only; see test_hedge_mode"}
