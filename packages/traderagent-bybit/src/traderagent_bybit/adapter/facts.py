"""Facts from the private stream: each order accepted once, amended, filled, ended, in the order in which it happened.

Topics are not ordered among each other, so the first news of an order, of whatever topic, is that it was accepted.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from attrs import define
from traderagent_core import FundingPaid, OrderAccepted, OrderAmended, OrderCanceled, OrderFact, OrderRejected

from traderagent_bybit.adapter import fields, translate
from traderagent_bybit.adapter.fields import rows_of
from traderagent_bybit.adapter.position_stops import PositionStops, is_stop_loss
from traderagent_bybit.adapter.symbols import Symbols

MOST_REMEMBERED = 20_000


@define
class _Known:
    """What has been told of an order."""

    price: Decimal | None
    quantity: Decimal
    is_over: bool = False

    def differs(self, row: Mapping[str, Any], price: Decimal | None, quantity: Decimal) -> bool:
        """Whether the order was amended; the quantity of a position's stop-loss only follows the position."""
        return self.price != price or (self.quantity != quantity and not is_stop_loss(row))


class Facts:
    """Turns messages of `order` and `execution` into facts, each once while it is remembered."""

    def __init__(self, stops: PositionStops, symbols: Symbols) -> None:
        self._stops = stops
        self._symbols = symbols
        self._orders: OrderedDict[str, _Known | None] = OrderedDict()
        self._executions: OrderedDict[str, None] = OrderedDict()

    def of(self, message: Mapping[str, Any]) -> Iterator[OrderFact]:
        """The facts of one message."""
        kind = fields.name(message, "topic").partition(".")[0]
        tell = {"execution": self._execution, "order": self._order}[kind]
        for row in rows_of(message["data"]):
            if fields.name(row, "category") == "linear":
                yield from tell(self._stops.named(row))

    def _execution(self, row: Mapping[str, Any]) -> Iterator[OrderFact]:
        trade, kind = fields.name(row, "execId"), fields.name(row, "execType")
        if trade in self._executions:
            return
        found = list(self._told_by(row, kind))
        _remember(self._executions, trade, None)  # Not before it was understood: it would never be told.
        yield from found

    def _told_by(self, row: Mapping[str, Any], kind: str) -> Iterator[OrderFact]:
        if kind == "Funding":
            yield funding(row, self._symbols.of_row(row))
        elif kind in translate.TRADES:
            fill = translate.fill(row, self._symbols.of_row(row))
            yield from self._accepted(row, fill.time_ms)
            yield fill

    def _accepted(self, row: Mapping[str, Any], time_ms: int) -> Iterator[OrderFact]:
        """That an order was accepted, if nothing was told of it yet."""
        venue_id, link = fields.name(row, "orderId"), fields.text(row, "orderLinkId")
        if venue_id not in self._orders and link:
            _remember(self._orders, venue_id, None)
            yield OrderAccepted(time_ms, link, venue_id)

    def _order(self, row: Mapping[str, Any]) -> Iterator[OrderFact]:
        link, status = fields.text(row, "orderLinkId"), fields.name(row, "orderStatus")
        venue_id, time_ms = fields.name(row, "orderId"), fields.time_ms(row, "updatedTime")
        known = self._orders.get(venue_id)
        if not link or (known is not None and known.is_over):
            return
        if status == "Rejected":
            _remember(self._orders, venue_id, _Known(None, fields.ZERO, is_over=True))
            yield OrderRejected(time_ms, link, translate.code_of(row))
            return
        price, quantity = translate.price_of(row), fields.quantity(row, "qty")
        filled = fields.quantity(row, "cumExecQty")
        yield from self._accepted(row, time_ms)
        is_over = status in ("Filled", "Cancelled", "Deactivated", "PartiallyFilledCanceled")
        if not is_over and known is not None and known.differs(row, price, quantity):
            yield OrderAmended(time_ms, link, price, quantity)
        _remember(self._orders, venue_id, _Known(price, quantity, is_over))
        if is_over and status != "Filled":
            yield OrderCanceled(time_ms, link, filled, translate.code_of(row))


def funding(row: Mapping[str, Any], symbol: str) -> FundingPaid:
    """Funding of an execution row, whose fee is what was paid."""
    return FundingPaid(fields.time_ms(row, "execTime"), symbol, -fields.amount(row, "execFee"))


def _remember(table: OrderedDict[str, Any], key: str, value: Any) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > MOST_REMEMBERED:
        table.popitem(last=False)
