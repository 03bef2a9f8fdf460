"""Our symbols and Bybit's, with the positions of hedge mode, which `positionIdx` tells apart.

In one-way mode a symbol has one position, with index 0. In hedge mode it has two, which to us are instruments of
their own: BTC/USDT:long is index 1 of BTCUSDT, and BTC/USDT:short is index 2.
"""

from collections.abc import Iterable
from typing import Any

from traderagent_core import Side
from traderagent_core.model.position_side import SIDES, pair_of, side_of

from traderagent_bybit.adapter import fields
from traderagent_bybit.adapter.fields import Row

QUOTE = "USDT"
INDEXES: dict[Side | None, int] = {None: 0, Side.BUY: 1, Side.SELL: 2}
BY_INDEX = {index: side for side, index in INDEXES.items()}
NAMES = {side: name for name, side in SIDES.items()}


def theirs(symbol: str) -> str:
    """BTC/USDT as Bybit has it."""
    return symbol.partition(":")[0].replace("/", "")


def ours(symbol: str) -> str:
    """BTCUSDT as we have it."""
    return f"{symbol.removesuffix(QUOTE)}/{QUOTE}" if symbol.endswith(QUOTE) else symbol


def index_of(symbol: str) -> int:
    """The `positionIdx` of the position that a symbol of ours means."""
    return INDEXES[side_of(symbol)]


def other_mode(symbol: str, indexes: Iterable[Any]) -> str | None:
    """What is wrong with a symbol whose positions have these indexes, with the remedy; None when nothing is."""
    pair, is_hedged = pair_of(symbol), any(index != 0 for index in indexes)
    if is_hedged is (side_of(symbol) is not None):
        return None
    if is_hedged:
        return (
            f"{pair} is in hedge mode, where long and short are two positions; write `symbol: {pair}:long` or "
            f"`symbol: {pair}:short` for the one that the bot trades, or switch {pair} to one-way mode"
        )
    return (
        f"{symbol} is one of the two positions of hedge mode, and {pair} is in one-way mode; write "
        f"`symbol: {pair}`, or switch {pair} to hedge mode"
    )


class Symbols:
    """What the rows of an account are about. `traded` are our symbols; those of hedge mode name their position."""

    def __init__(self, traded: Iterable[str]) -> None:
        self._positions: dict[str, list[str]] = {}
        for symbol in traded:
            if side_of(symbol) is not None:
                self._positions.setdefault(theirs(symbol), []).append(symbol)

    def of_name(self, name: str) -> list[str]:
        """Our symbols of one of Bybit's: those of hedge mode, or the pair."""
        return self._positions.get(name) or [ours(name)]

    def of_row(self, row: Row) -> str:
        """The symbol that a row of an order, an execution or a position is about."""
        name = fields.name(row, "symbol")
        if name not in self._positions:
            return ours(name)
        side = _side_of_execution(row) if "execId" in row else BY_INDEX[row["positionIdx"]]
        return ours(name) if side is None else f"{ours(name)}:{NAMES[side]}"


def _side_of_execution(row: Row) -> Side:
    """What an execution was of, which tells no index: a trade opens one position or closes the other.

    Liquidations and the like only close. The side of funding is that of its position.
    """
    side, kind = fields.side(row), fields.name(row, "execType")
    closes = fields.amount_or_zero(row, "closedSize") if kind == "Trade" else kind != "Funding"
    return side.opposite if closes else side
