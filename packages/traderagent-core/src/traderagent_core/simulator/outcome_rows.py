"""Rows of fills, orders and levels from the records of a run; made when somebody asks for them."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from attrs import define

from traderagent_core.account.state import Record
from traderagent_core.model.order import Side
from traderagent_core.model.position import MONEY
from traderagent_core.simulator.outcome import FillRow, LevelRow, OrderRow
from traderagent_core.simulator.record_log import only
from traderagent_core.simulator.record_reader import RecordReader, WantEntry

ZERO = Decimal(0)
FILLS = frozenset({"filled", "foreign_filled"})
CHANGING = frozenset({"filled", "foreign_filled", "ledger_handed_over", "order_amended", "order_ended"})
"""Records that change orders, or positions that they may close."""
OF_ORDERS = CHANGING | {"order_submitted"}


def fill_rows(records: Iterable[Record], reader: RecordReader) -> Iterator[FillRow]:
    """One row for each execution."""
    for record in only(records, FILLS):
        if record[0] == "foreign_filled":
            _, time_ms, bot, symbol, trade_id, side, price, quantity, fee = record
            purpose = "LIQUIDATION" if bot else "FOREIGN"
            place = (bot, symbol, "", purpose, side.value)
            yield FillRow(time_ms, *place, price, quantity, fee, "TAKER", False, "", trade_id)
        else:
            _, time_ms, order_id, trade_id, price, quantity, fee, liquidity, is_ambiguous = record
            money = (price, quantity, fee, liquidity.value)
            place = reader.owners[order_id].place
            yield FillRow(time_ms, *place, *money, is_ambiguous, order_id, trade_id)


@define(eq=False)
class OrderEntry:
    """An order as the records tell it. One that closes the position is filled when that is gone.

    `moves` are the (time, price) of its amendments; most have none.
    """

    id: str
    want: WantEntry
    submitted_ms: int
    type: str
    price: Decimal | None
    quantity: Decimal
    closes_position: bool
    status: str = "OPEN"
    filled: Decimal = ZERO
    final_ms: int | None = None
    reason: str = ""
    first_price: Decimal | None = None
    moves: tuple[tuple[int, Decimal], ...] = ()
    final_filled: Decimal | None = None
    """The venue's total, once it said that the order is over."""

    @property
    def is_over(self) -> bool:
        """Whether no record can tell more of it."""
        return self.status == "FILLED" or (self.final_filled is not None and self.filled >= self.final_filled)


def read_orders(records: Iterable[Record], reader: RecordReader) -> Iterator[OrderEntry]:
    """Every order over its life, in the order of sending: told when it and all before it are over, or at the end."""
    waiting: deque[OrderEntry] = deque()
    orders: dict[str, OrderEntry] = {}
    held: dict[str, Decimal] = {}
    for record in only(records, OF_ORDERS):
        if record[0] == "order_submitted":
            _, time_ms, order_id, want_id, _, order_type, price, quantity, _, closes = record
            sent = (reader.wants[want_id - 1], time_ms, order_type.value, price, quantity, closes)
            order = orders[order_id] = OrderEntry(order_id, *sent, first_price=price)
            waiting.append(order)
        else:
            _take(record, orders, held)
            while waiting and waiting[0].is_over:
                order = waiting.popleft()
                del orders[order.id]
                yield order
    yield from waiting


def _take(record: Record, orders: Mapping[str, OrderEntry], held: dict[str, Decimal]) -> None:
    """Take in what changes an order, or a position that orders close."""
    kind = record[0]
    if kind == "filled":
        _fill(orders[record[2]], record, held)
    elif kind == "foreign_filled":
        _, _, bot, _, _, side, _, quantity, _ = record
        _hold(held, bot, side, quantity)
    elif kind == "ledger_handed_over":
        _, _, bot, _, heir, quantity, _ = record
        _change(held, bot, -quantity)
        _change(held, heir, quantity)
    elif kind == "order_amended":
        order = orders[record[2]]
        if record[3] != order.price:
            order.moves += ((record[1], record[3]),)
        order.price, order.quantity = record[3], record[4]
    else:
        order = orders[record[2]]
        order.status, order.final_ms, order.reason = record[3], record[1], record[5]
        order.final_filled = record[4]


def _fill(order: OrderEntry, record: Record, held: dict[str, Decimal]) -> None:
    order.filled = MONEY.add(order.filled, record[5]) if order.filled else record[5]
    rest = _hold(held, order.want.plan.bot, order.want.leg.side, record[5])
    if order.filled >= order.quantity or (order.closes_position and not rest):
        order.status, order.final_ms = "FILLED", record[1]


def _hold(held: dict[str, Decimal], bot: str, side: Side, quantity: Decimal) -> Decimal:
    """What a bot holds after a fill."""
    return _change(held, bot, quantity if side is Side.BUY else -quantity)


def _change(held: dict[str, Decimal], bot: str, signed: Decimal) -> Decimal:
    held[bot] = MONEY.add(held.get(bot, ZERO), signed)
    return held[bot]


def order_rows(orders: Iterable[OrderEntry]) -> Iterator[OrderRow]:
    """One row for each order."""
    for order in orders:
        yield OrderRow(
            order.submitted_ms,
            order.final_ms,
            *order.want.place,
            order.type,
            order.price,
            order.quantity,
            order.filled,
            order.status,
            order.reason,
            order.id,
        )


def level_rows(orders: Iterable[OrderEntry], end_ms: int) -> Iterator[LevelRow]:
    """Where orders with a price rested, and from when to when."""
    for order in orders:
        if order.first_price is None:
            continue
        bot, symbol, _, purpose, side = order.want.place
        final_ms = end_ms if order.final_ms is None else order.final_ms
        if not order.moves:
            yield LevelRow(bot, symbol, side, order.first_price, order.submitted_ms, final_ms, purpose)
            continue
        starts = [(order.submitted_ms, order.first_price), *order.moves]
        ends = [*(time_ms for time_ms, _ in order.moves), final_ms]
        for (from_ms, price), to_ms in zip(starts, ends, strict=True):
            yield LevelRow(bot, symbol, side, price, from_ms, to_ms, purpose)
