"""Rows of fills, orders and levels from the records of a run; made when somebody asks for them."""

from collections.abc import Iterable
from decimal import Decimal

from attrs import define

from traderagent_core.account.state import Record
from traderagent_core.model.position import MONEY
from traderagent_core.simulator.outcome import FillRow, LevelRow, OrderRow
from traderagent_core.simulator.record_reader import RecordReader, WantEntry

ZERO = Decimal(0)


def fill_rows(reader: RecordReader) -> list[FillRow]:
    """One row for each execution."""
    rows = []
    for record, want in reader.fills:
        if want is None:
            _, time_ms, bot, symbol, trade_id, side, price, quantity, fee = record
            purpose = "LIQUIDATION" if bot else "FOREIGN"
            place = (bot, symbol, "", purpose, side.value)
            rows.append(FillRow(time_ms, *place, price, quantity, fee, "TAKER", False, "", trade_id))
        else:
            _, time_ms, order_id, trade_id, price, quantity, fee, liquidity, is_ambiguous = record
            money = (price, quantity, fee, liquidity.value)
            rows.append(FillRow(time_ms, *want.place, *money, is_ambiguous, order_id, trade_id))
    return rows


@define(eq=False)
class OrderEntry:
    """An order as the records tell it."""

    want: WantEntry
    submitted_ms: int
    type: str
    price: Decimal | None
    quantity: Decimal
    status: str = "OPEN"
    filled: Decimal = ZERO
    final_ms: int | None = None
    reason: str = ""


def read_orders(records: Iterable[Record], reader: RecordReader) -> dict[str, OrderEntry]:
    """Every order over its life, by client order id, in the order of sending."""
    orders: dict[str, OrderEntry] = {}
    for record in records:
        kind = record[0]
        if kind == "order_submitted":
            _, time_ms, order_id, _, _, order_type, price, quantity, *_ = record
            orders[order_id] = OrderEntry(reader.owners[order_id], time_ms, order_type.value, price, quantity)
        elif kind == "filled":
            order = orders[record[2]]
            order.filled = MONEY.add(order.filled, record[5])
            if order.filled >= order.quantity:
                order.status, order.final_ms = "FILLED", record[1]
        elif kind == "order_amended":
            order = orders[record[2]]
            order.price, order.quantity = record[3], record[4]
        elif kind == "order_ended":
            order = orders[record[2]]
            order.status, order.final_ms, order.reason = record[3], record[1], record[5]
    return orders


def order_rows(orders: dict[str, OrderEntry]) -> list[OrderRow]:
    """One row for each order."""
    return [
        OrderRow(
            order.submitted_ms,
            order.final_ms,
            *order.want.place,
            order.type,
            order.price,
            order.quantity,
            order.filled,
            order.status,
            order.reason,
            order_id,
        )
        for order_id, order in orders.items()
    ]


def level_rows(rows: Iterable[OrderRow], end_ms: int) -> list[LevelRow]:
    """Where orders with a price rested, and from when to when."""
    return [
        LevelRow(row.bot, row.symbol, row.side, row.price, row.submitted_ms, row.final_ms or end_ms)
        for row in rows
        if row.price is not None
    ]
