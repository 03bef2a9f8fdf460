from decimal import Decimal

import pytest
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.order import Side
from traderagent_core.model.position_side import one_of_each_pair, pair_of, side_of


@pytest.mark.parametrize(
    ("symbol", "pair", "side"),
    [
        ("BTC/USDT", "BTC/USDT", None),
        ("BTC/USDT:long", "BTC/USDT", Side.BUY),
        ("BTC/USDT:short", "BTC/USDT", Side.SELL),
        ("BTC/USDT:USDT", "BTC/USDT:USDT", None),
    ],
)
def test_a_symbol_tells_its_pair_and_its_side(symbol: str, pair: str, side: Side | None) -> None:
    assert (pair_of(symbol), side_of(symbol)) == (pair, side)
    made = Instrument(symbol, Market.LINEAR, tick_size=Decimal("0.1"))
    assert (made.side, made.base, made.quote) == (side, "BTC", "USDT")


def test_both_positions_of_a_pair_are_one_price() -> None:
    symbols = ["BTC/USDT:short", "ETH/USDT", "BTC/USDT:long", "ETH/USDT"]
    assert one_of_each_pair(symbols) == ["BTC/USDT:short", "ETH/USDT"]
