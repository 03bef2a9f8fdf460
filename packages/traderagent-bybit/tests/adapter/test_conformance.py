"""The conformance kit on the sandbox, over real sockets, in one-way and in hedge mode."""

from decimal import Decimal

from traderagent_bybit.adapter.config import BybitConfig
from traderagent_core import Instrument, Market
from traderagent_core.testing import ExchangeAdapterConformance


class TestBybit(ExchangeAdapterConformance):
    is_on_sandbox = True
    configs = [BybitConfig()]
    instruments = [
        Instrument(
            symbol,
            Market.LINEAR,
            lot_size=Decimal("0.001"),
            min_notional=Decimal(5),
            max_leverage=Decimal(10),
        )
        for symbol in ("ETH/USDT", "ETH/USDT:long")
    ]
