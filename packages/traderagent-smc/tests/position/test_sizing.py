"""Direction, Kelly and quantity."""

from decimal import Decimal as D

import hypothesis.strategies as st
import pytest
from hypothesis import given
from traderagent_core import Instrument, OrderError, Side
from traderagent_smc.position.sizing import kelly, risk_share, risked_quantity, side_of

INSTRUMENT = Instrument("ETH/USDT", lot_size=D("0.001"))


def test_long_if_and_only_if_the_entry_is_above_the_stop() -> None:
    assert side_of(D(100), D(99)) is Side.BUY
    assert side_of(D(100), D(101)) is Side.SELL
    with pytest.raises(OrderError, match="both 100"):
        side_of(D(100), D("100.0"))


def test_kelly_by_hand() -> None:
    # W = 0.5, R = 2: f = 0.5 - 0.5 / 2 = 0.25.
    assert kelly(D("0.5"), D(2)) == D("0.25")
    assert kelly(D("0.3"), D(1)) == D("-0.4")
    with pytest.raises(OrderError, match="above 0"):
        kelly(D("0.5"), D(0))


@pytest.mark.parametrize(
    ("results", "share"),
    [
        ([D(2)] * 15 + [D(-1)] * 15, D("0.0625")),
        ([D(9)] * 29 + [D(-1)], D("0.10")),
        ([D(1)] * 10 + [D(-1)] * 20, D(0)),
        ([D(1)] * 30, D("0.10")),
        ([D(1)] * 29 + [D(0)], D("0.10")),
        ([D(-1)] * 30, D(0)),
        ([D(1)] * 29, D("0.02")),
        ([], D("0.02")),
    ],
)
def test_a_quarter_of_kelly_within_nothing_and_a_tenth(results: list[D], share: D) -> None:
    assert risk_share(results) == share


@given(st.lists(st.decimals(-100, 100, places=2), min_size=30, max_size=60))
def test_the_share_never_leaves_its_bounds(results: list[D]) -> None:
    assert D(0) <= risk_share(results) <= D("0.1")


def test_the_quantity_loses_the_share_at_the_stop() -> None:
    # 10,000 × 2 % = 200 at risk over 30 of price: 6.6666… rounded down.
    assert risked_quantity(D(10_000), D("0.02"), D(2000), D(1970), INSTRUMENT) == D("6.666")
    assert risked_quantity(D(1), D("0.02"), D(2000), D(1900), INSTRUMENT) == D(0)
    with pytest.raises(OrderError):
        risked_quantity(D(1), D("0.02"), D(2000), D(2000), INSTRUMENT)
