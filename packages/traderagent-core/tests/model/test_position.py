"""Position arithmetic is exact, however fills are split and whichever way the position turns."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core.model.position import Position, money_context

D = Decimal
ZERO = D(0)
MANY = settings(max_examples=200, deadline=None)
QUANTITIES = st.decimals("-1000", "1000", places=8).filter(bool)
PRICES = st.decimals("0.00000001", "100000", places=12)
FILLS = st.lists(st.tuples(QUANTITIES, PRICES), max_size=12)


def state(position: Position) -> tuple[Decimal, Decimal, Decimal]:
    return position.quantity, position.cost, position.realized_pnl


@given(fills=FILLS)
@MANY
def test_gain_less_cost_is_the_money_that_the_fills_brought_in(fills: list[tuple[Decimal, Decimal]]) -> None:
    position, money, held = Position(), ZERO, ZERO
    with money_context():
        for signed, price in fills:
            position.apply(signed, price)
            money -= signed * price
            held += signed
            assert position.realized_pnl - position.cost == money
            assert position.quantity == held
            assert position.average_price >= 0
            if not held:
                assert position.cost == position.average_price == 0


@given(fills=FILLS, data=st.data())
@MANY
def test_splitting_a_fill_changes_no_digit(fills: list[tuple[Decimal, Decimal]], data: Any) -> None:
    whole, parts = Position(), Position()
    with money_context():
        for signed, price in fills:
            whole.apply(signed, price)
            lots = int(abs(signed) * 10**8)
            count = data.draw(st.integers(1, min(4, lots)))
            cuts = (
                sorted(data.draw(st.sets(st.integers(1, max(lots - 1, 1)), max_size=count - 1)))
                if count > 1
                else []
            )
            bounds = [0, *[cut for cut in cuts if cut < lots], lots]
            for left, right in pairwise(bounds):
                parts.apply(D(right - left).scaleb(-8).copy_sign(signed), price)
            assert state(parts) == state(whole)


@given(fills=FILLS)
@MANY
def test_short_is_the_mirror_of_long(fills: list[tuple[Decimal, Decimal]]) -> None:
    position, mirror = Position(), Position()
    with money_context():
        for signed, price in fills:
            position.apply(signed, price)
            mirror.apply(-signed, price)
        assert state(mirror) == (-position.quantity, -position.cost, -position.realized_pnl)


def test_a_turn_realises_all_of_the_old_side_and_starts_the_new_one_at_its_price() -> None:
    position = Position()
    position.apply(D(2), D(100))
    position.apply(D(-5), D(110))
    assert state(position) == (D(-3), D(-330), D(20))
    assert position.average_price == 110


@pytest.mark.parametrize(("quantity", "average", "gain"), [(-1, 105, 10), (-2, 105, 20), (-4, 0, 40)])
def test_the_average_stays_while_a_position_shrinks(quantity: int, average: int, gain: int) -> None:
    position = Position()
    position.apply(D(2), D(100))
    position.apply(D(2), D(110))
    position.apply(D(quantity), D(115))
    assert position.average_price == average
    assert position.realized_pnl == gain
