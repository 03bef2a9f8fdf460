"""Stops only ever tighten."""

from decimal import Decimal as D

import hypothesis.strategies as st
import pytest
from hypothesis import given
from traderagent_core import Instrument, Side
from traderagent_smc.position.stops import StopPlan

FEE = D("0.001")
LONG = StopPlan(D(100), D(90), FEE, FEE)
SHORT = StopPlan(D(100), D(110), FEE, FEE)


def test_break_even_pays_both_fees() -> None:
    at = LONG.breakeven()
    assert at * (1 - FEE) == pytest.approx(D(100) * (1 + FEE))
    at = SHORT.breakeven()
    assert at * (1 + FEE) == pytest.approx(D(100) * (1 - FEE))


@pytest.mark.parametrize(
    ("best", "stop"),
    [(D("109.99"), D(90)), (D(110), LONG.breakeven()), (D("114.99"), LONG.breakeven()), (D(115), D(109))],
)
def test_a_long_stop_goes_to_break_even_at_one_r_and_trails_from_one_and_a_half(best: D, stop: D) -> None:
    assert LONG.stop(D(90), best, D(3)) == stop


@pytest.mark.parametrize(("best", "stop"), [(D("90.01"), D(110)), (D(90), SHORT.breakeven()), (D(85), D(91))])
def test_a_short_stop_is_the_mirror(best: D, stop: D) -> None:
    assert SHORT.side is Side.SELL
    assert SHORT.stop(D(110), best, D(3)) == stop


def test_without_atr_it_does_not_trail() -> None:
    assert LONG.stop(D(90), D(130), None) == LONG.breakeven()


def test_a_break_even_beyond_the_price_is_left_alone() -> None:
    tight = StopPlan(D(100), D("99.95"), FEE, FEE)
    assert tight.stop(D("99.95"), D("100.06"), D(1)) == D("99.95")


@given(st.lists(st.tuples(st.integers(80, 200), st.integers(1, 30)), min_size=1, max_size=30))
def test_a_stop_never_loosens_and_stays_behind_the_best_price(path: list[tuple[int, int]]) -> None:
    for plan, sign in ((LONG, 1), (SHORT, -1)):
        stop, best = plan.first_stop, plan.entry
        for price, atr in path:
            best = max(best, D(price)) if sign > 0 else min(best, D(200 - price + 1))
            moved = plan.stop(stop, best, D(atr))
            assert (moved - stop) * sign >= 0
            assert (best - moved) * sign > 0
            stop = moved


def test_half_is_closed_at_the_first_target() -> None:
    assert LONG.partial_quantity(D("0.0031"), Instrument("ETH/USDT", lot_size=D("0.001"))) == D("0.001")
