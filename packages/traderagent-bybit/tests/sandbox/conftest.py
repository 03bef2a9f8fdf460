"""A world without network, and what is asked of it."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from traderagent_bybit.sandbox.contracts import contract_of
from traderagent_bybit.sandbox.world import AccountSpec, Listing, World
from traderagent_core import Candles

START_MS = 1_704_067_200_000
MINUTE_MS = 60_000
Row = tuple[float, float, float, float]


def candles_of(rows: Iterable[Row], symbol: str = "BTC/USDT") -> Candles:
    """Minutes of (open, high, low, close)."""
    table = np.array(list(rows), dtype=float)
    times = START_MS + MINUTE_MS * np.arange(len(table), dtype=np.int64)
    return Candles(symbol, "1m", times, *(table[:, n].copy() for n in range(4)), np.ones(len(table)))


class Trader:
    """One account in a world of hand-made minutes; time begins when the first one closes."""

    symbol = "BTCUSDT"

    def __init__(self, *rows: Row, balance: str = "10000") -> None:
        series = candles_of(rows)
        listing = Listing(contract_of(series), series)
        self.world = World(
            [listing], [AccountSpec("me", "k", "s", Decimal(balance))], start_ms=START_MS + MINUTE_MS
        )
        self.account = self.world.accounts["me"]

    def do(self, operation: str, **body: Any) -> dict[str, Any]:
        return self.world.apply("me", operation, {"category": "linear", "symbol": self.symbol, **body})

    def order(self, side: str, quantity: str, price: str | None = None, **more: Any) -> Any:
        """Place an order and give it as the account keeps it."""
        how = {"orderType": "Market"} if price is None else {"orderType": "Limit", "price": price}
        placed = self.do("create", side=side, qty=quantity, **{**how, **more})
        return self.account.orders[placed["orderId"]]

    def wait(self, candles: float = 1) -> None:
        self.world.advance(self.world.now_ms + int(candles * MINUTE_MS))

    def told(self, topic: str, *keys: str) -> list[Any]:
        """What was pushed on a topic since the last time; a tuple of the keys of each row."""
        found = [row for name, row in self.account.outbox if name == topic]
        self.account.outbox = [each for each in self.account.outbox if each[0] != topic]
        return [tuple(row[key] for key in keys) if len(keys) > 1 else row[keys[0]] for row in found]

    def statuses(self, order: Any) -> list[str]:
        """The statuses that were pushed of an order."""
        return [
            row["orderStatus"]
            for name, row in self.account.outbox
            if name == "order" and row["orderId"] == order.order_id
        ]

    def position(self, index: int = 0) -> Decimal:
        state = self.account.symbols[self.symbol]
        return next(leg.quantity for leg in state.legs.values() if leg.leg.value == index)


@pytest.fixture
def trader() -> Callable[..., Trader]:
    return Trader
