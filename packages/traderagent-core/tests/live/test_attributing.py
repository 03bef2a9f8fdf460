"""Orders of two runs are compared one by one, and each difference has its cause."""

from decimal import Decimal
from typing import Any

import pytest
from traderagent_core.live.attributing import (
    FEE,
    FOLLOWS,
    LATENCY,
    PARTS,
    PRICE_MOVED,
    SAME,
    by_cause,
    order_differences,
)
from traderagent_core.model.order import Liquidity, OrderType


def sent(order_id: str, quantity: str = "2", time_ms: int = 1000) -> tuple[Any, ...]:
    how = (OrderType.LIMIT, Decimal("50"), Decimal(quantity), False, False)
    return ("order_submitted", time_ms, order_id, 1, 1, *how)


def filled(
    order_id: str, quantity: str = "2", price: str = "50", fee: str = "0.1", time_ms: int = 2000
) -> tuple[Any, ...]:
    return ("filled", time_ms, order_id, "t1", *map(Decimal, (price, quantity, fee)), Liquidity.MAKER, False)


@pytest.mark.parametrize(
    ("other", "cause", "late_ms"),
    [
        ([sent("a"), filled("a")], SAME, 0),
        ([sent("a"), filled("a", time_ms=2300)], LATENCY, 300),
        ([sent("a"), filled("a", "1", fee="0.05"), filled("a", "1", fee="0.05", time_ms=2100)], LATENCY, 100),
        ([sent("a"), filled("a", price="50.1")], PRICE_MOVED, 0),
        ([sent("a"), filled("a", fee="0.2")], FEE, 0),
        ([sent("a"), filled("a", "1")], PARTS, 0),
        ([sent("a", time_ms=1500)], FOLLOWS, -500),
        ([sent("a", "3"), filled("a", "3")], FOLLOWS, None),
        ([], FOLLOWS, None),
    ],
)
def test_each_difference_has_its_cause(other: list[Any], cause: str, late_ms: int | None) -> None:
    (found,) = order_differences([sent("a"), filled("a")], other)
    assert (found.client_order_id, found.cause, found.late_ms) == ("a", cause, late_ms)


def test_every_order_of_either_run_is_listed_once() -> None:
    left = [sent("a"), sent("b"), filled("a")]
    right = [sent("a"), filled("a", time_ms=2500), sent("c")]
    found = by_cause(order_differences(left, right))
    assert {cause: [each.client_order_id for each in orders] for cause, orders in found.items()} == {
        LATENCY: ["a"],
        FOLLOWS: ["b", "c"],
    }
