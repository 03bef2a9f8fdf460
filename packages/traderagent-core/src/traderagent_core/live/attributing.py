"""Compares two runs order by order, where their records cannot be the same: what differs of each, and why."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from attrs import Factory, define, frozen

from traderagent_core.account.state import Record

SAME, LATENCY, PRICE_MOVED, FEE, PARTS, FOLLOWS = (
    "same",
    "latency",
    "price moved meanwhile",
    "fee",
    "filled in another quantity",
    "follows from an earlier difference",
)


@frozen
class OrderDifference:
    """One order of two runs. `late_ms` is how much later its last fill, or else its sending, is in the second."""

    client_order_id: str
    cause: str
    late_ms: int | None = None


@define
class _Order:
    price: Decimal | None
    quantity: Decimal
    time_ms: int
    value: Decimal = Decimal(0)
    filled: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    parts: list[int] = Factory(list)


def order_differences(left: Iterable[Record], right: Iterable[Record]) -> Iterator[OrderDifference]:
    """Every order of either run in the order of sending, with the cause of what differs, SAME where nothing does.

    Orders that only one run has, or that were sent with another price or quantity, follow from what differed before.
    """
    one, other = _orders(left), _orders(right)
    for order_id in dict.fromkeys((*one, *other)):
        yield _compared(order_id, one.get(order_id), other.get(order_id))


def _compared(order_id: str, one: _Order | None, other: _Order | None) -> OrderDifference:
    if one is None or other is None or (one.price, one.quantity) != (other.price, other.quantity):
        return OrderDifference(order_id, FOLLOWS)
    late_ms = max(other.parts, default=other.time_ms) - max(one.parts, default=one.time_ms)
    if one.filled != other.filled:
        cause = FOLLOWS if not one.filled or not other.filled else PARTS
    elif one.value != other.value:
        cause = PRICE_MOVED
    elif one.fee != other.fee:
        cause = FEE
    else:
        cause = LATENCY if late_ms else SAME
    return OrderDifference(order_id, cause, late_ms)


def _orders(records: Iterable[Record]) -> dict[str, _Order]:
    found: dict[str, _Order] = {}
    for record in records:
        if record[0] == "order_submitted":
            _, time_ms, order_id, _, _, _, price, quantity, *_ = record
            found[order_id] = _Order(price, quantity, time_ms)
        elif record[0] == "filled" and record[2] in found:
            _, time_ms, order_id, _, price, quantity, fee, *_ = record
            order = found[order_id]
            order.value += price * quantity
            order.filled += quantity
            order.fee += fee
            order.parts.append(time_ms)
    return found


def by_cause(differences: Iterable[OrderDifference]) -> dict[str, list[OrderDifference]]:
    """Differences by their cause."""
    found: dict[str, list[OrderDifference]] = defaultdict(list)
    for each in differences:
        found[each.cause].append(each)
    return dict(found)
