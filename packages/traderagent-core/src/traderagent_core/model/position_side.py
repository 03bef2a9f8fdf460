"""Symbols of hedge mode, where an account holds a long and a short position of one contract beside each other.

Each of the two is an instrument of its own here: `BTC/USDT:long` only ever gets long, `BTC/USDT:short` only ever
short. Prices, candles, steps and fees are those of the pair, `BTC/USDT`.
"""

from collections.abc import Iterable

from traderagent_core.model.order import Side

SIDES = {"long": Side.BUY, "short": Side.SELL}
"""What a position is added to by."""


def pair_of(symbol: str) -> str:
    """The pair of a symbol: BTC/USDT of BTC/USDT:long; one of no side is its own."""
    pair, _, rest = symbol.partition(":")
    return pair if rest in SIDES else symbol


def side_of(symbol: str) -> Side | None:
    """The side that adds to the position which a symbol names; None where it may be on either side."""
    return SIDES.get(symbol.partition(":")[2])


def one_of_each_pair(symbols: Iterable[str]) -> list[str]:
    """The first symbol of each pair: both positions of a pair have the same price."""
    found: dict[str, str] = {}
    for symbol in symbols:
        found.setdefault(pair_of(symbol), symbol)
    return list(found.values())
