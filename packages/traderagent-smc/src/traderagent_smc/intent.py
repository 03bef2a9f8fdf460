"""What a plan means to the filter: which way, at which price, at which levels."""

from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from attrs import frozen
from traderagent_core import At, Leg, Plan, Purpose, Side

BUY, ENTRY = Side.BUY, Purpose.ENTRY
OPENING = (ENTRY, Purpose.GRID_COUNTER)


class Level(NamedTuple):
    """An order that waits at a price; direction +1 buys."""

    direction: int
    price: float


@frozen
class Intent:
    """A plan as it is judged: `price` is where it means to trade, or was planned at.

    `direction` is 0 when its entries go both ways. `levels` are empty for a single entry.
    """

    direction: int
    price: Decimal
    levels: tuple[Level, ...] = ()

    @property
    def is_ladder(self) -> bool:
        """Whether it is a grid, or stands at several prices otherwise: judged as one, sized as one."""
        return bool(self.levels)


def read_plan(plan: Plan, price: Decimal) -> Intent | None:
    """The intent of a plan at the current price; None when nothing of it is an ENTRY."""
    entries = [leg for leg in plan.legs if leg.purpose is ENTRY]
    if not entries:
        return None
    side = entries[0].side
    direction = direction_of(entries[0]) if all(leg.side is side for leg in entries) else 0
    waiting = _first_orders(plan)
    if len(waiting) > 1:
        levels = tuple([Level(direction_of(leg), float(at.price)) for leg, at in waiting])
        return Intent(direction, _planned_at(plan, price), levels)
    at = entries[0].price
    return Intent(direction, at.price if isinstance(at, At) else price)


def direction_of(leg: Leg) -> int:
    """+1 for an order that buys, -1 for one that sells."""
    return 1 if leg.side is BUY else -1


def _first_orders(plan: Plan) -> list[tuple[Leg, At]]:
    """The first order of every slot that opens something at a price: the levels of a grid."""
    first: dict[str, Leg] = {}
    for leg in plan.legs:
        first.setdefault(leg.slot, leg)
    return [(leg, at) for leg in first.values() if type(at := leg.price) is At and leg.purpose in OPENING]


def _planned_at(plan: Plan, price: Decimal) -> Decimal:
    """The price in the plan's evidence; the current one when it tells none."""
    try:
        planned = Decimal(str(plan.evidence.get("price", price)))
    except InvalidOperation:
        return price
    return planned if planned.is_finite() else price
