"""Facts from the private stream: each order accepted once, amended, filled, ended, in the order in which it happened.

Topics are not ordered among each other, so the first news of an order, of whatever topic, is that it was accepted.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from attrs import define
from traderagent_core import FundingPaid, OrderAccepted, OrderAmended, OrderCanceled, OrderFact, OrderRejected

from traderagent_bybit.adapter import translate

MOST_REMEMBERED = 20_000


@define
class _Known:
    """What has been told of an order."""

    price: Decimal | None
    quantity: Decimal
    is_over: bool = False


class Facts:
    """Turns messages of `order` and `execution` into facts, each once while it is remembered."""

    def __init__(self) -> None:
        self._orders: OrderedDict[str, _Known | None] = OrderedDict()
        self._executions: OrderedDict[str, None] = OrderedDict()

    def of(self, message: Mapping[str, Any]) -> Iterator[OrderFact]:
        """The facts of one message."""
        kind = str(message["topic"]).partition(".")[0]
        for row in message["data"]:
            if row.get("category") not in (None, "linear"):
                continue
            if kind == "execution":
                yield from self._execution(row)
            elif kind == "order":
                yield from self._order(row)

    def _execution(self, row: Mapping[str, Any]) -> Iterator[OrderFact]:
        if row["execId"] in self._executions:
            return
        _remember(self._executions, row["execId"], None)
        if row["execType"] == "Funding":
            yield funding(row)
        elif row["execType"] in translate.TRADES:
            yield from self._accepted(row, int(row["execTime"]))
            yield translate.fill(row)

    def _accepted(self, row: Mapping[str, Any], time_ms: int) -> Iterator[OrderFact]:
        """That an order was accepted, if nothing was told of it yet."""
        if row["orderId"] not in self._orders and row["orderLinkId"]:
            _remember(self._orders, row["orderId"], None)
            yield OrderAccepted(time_ms, row["orderLinkId"], row["orderId"])

    def _order(self, row: Mapping[str, Any]) -> Iterator[OrderFact]:
        link, status, time_ms = row["orderLinkId"], row["orderStatus"], int(row["updatedTime"])
        known = self._orders.get(row["orderId"])
        if not link or (known is not None and known.is_over):
            return
        if status == "Rejected":
            _remember(self._orders, row["orderId"], _Known(None, translate.ZERO, is_over=True))
            yield OrderRejected(time_ms, link, translate.code_of(row))
            return
        yield from self._accepted(row, time_ms)
        price, quantity = translate.price_of(row), translate.number(row["qty"])
        is_over = status in ("Filled", "Cancelled", "Deactivated", "PartiallyFilledCanceled")
        if not is_over and known is not None and (known.price, known.quantity) != (price, quantity):
            yield OrderAmended(time_ms, link, price, quantity)
        _remember(self._orders, row["orderId"], _Known(price, quantity, is_over))
        if is_over and status != "Filled":
            yield OrderCanceled(time_ms, link, translate.number(row["cumExecQty"]), translate.code_of(row))


def funding(row: Mapping[str, Any]) -> FundingPaid:
    """Funding of an execution row, whose fee is what was paid."""
    return FundingPaid(int(row["execTime"]), translate.ours(row["symbol"]), -translate.number(row["execFee"]))


def _remember(table: OrderedDict[str, Any], key: str, value: Any) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > MOST_REMEMBERED:
        table.popitem(last=False)
