"""Ladders: the worked examples that users know, and tables made by hand."""

from collections.abc import Callable
from decimal import Decimal as D
from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core import Instrument, Market, Side
from traderagent_dca.config import DcaConfig
from traderagent_dca.ladder import Ladder, Step, entry_side, lay, rungs, steps
from traderagent_dca.shape import first_deviation, price_ratios, shared_amounts, shares_of_the_rest

FREE = Instrument(
    "BTC/USDT",
    Market.LINEAR,
    lot_size=D("0.0001"),
    maker_fee_ratio=D(0),
    taker_fee_ratio=D(0),
    max_leverage=D(9),
)
Make = Callable[..., DcaConfig]


def laid(config: DcaConfig, price: str | int, instrument: Instrument = FREE) -> Ladder:
    return lay(rungs(config), entry_side(config), instrument, D(price))


def numbers(text: str) -> tuple[D, ...]:
    return tuple(map(D, text.split()))


def filled(config: DcaConfig, price: str | int, instrument: Instrument = FREE) -> list[Step]:
    return list(steps(laid(config, price, instrument), instrument))


# -- worked examples ----------------------------------------------------------------------------------------


def test_deviations_from_the_base_order_add_up(config: Make) -> None:
    ladder = laid(config(price_deviation="0.02", max_safety_orders=3), 100)
    assert ladder.prices == numbers("100 98 96 94")


def test_deviations_from_the_previous_order_compound(config: Make) -> None:
    ladder = laid(config(price_deviation="0.02", max_safety_orders=2, deviation_from="previous"), 100)
    assert ladder.prices == numbers("100 98 96.04")


@pytest.mark.parametrize(
    ("volume_scale", "quantities", "average"),
    [("1", ("16.4", "17.2", "18.2"), "192.4"), ("1.2", ("13.5", "17.1", "21.6"), "191.18")],
)
def test_a_ladder_with_overlap_and_martingale(
    config: Make, volume_scale: str, quantities: tuple[str, ...], average: str
) -> None:
    keys = {"total_amount": 10_000, "overlap": "0.1", "max_safety_orders": 2, "volume_scale": volume_scale}
    instrument = evolve(FREE, lot_size=D("0.1"))
    found = filled(config(**keys), "202.91", instrument)
    assert [step.price for step in found] == [D("202.91"), D("192.76"), D("182.61")]
    assert [step.quantity for step in found] == [D(quantity) for quantity in quantities]
    # To the digits in which the example is known, cut off.
    assert str(found[-1].average).startswith(average)


# -- scales -------------------------------------------------------------------------------------------------


def test_step_and_volume_scale_by_hand(config: Make) -> None:
    # Deviations 1 2 4 8 %, summed 1 3 7 15; amounts 10 then 20 30 45 67.5.
    keys = {
        "base_order_amount": 10,
        "safety_order_amount": 20,
        "amount_per_step": None,
        "max_safety_orders": 4,
    }
    found = filled(config(**keys, price_deviation="0.01", step_scale=2, volume_scale="1.5"), 1000)
    assert [step.price for step in found] == [1000, 990, 970, 930, 850]
    rows = [
        ("0.0100", "10"),
        ("0.0202", "19.998"),
        ("0.0309", "29.973"),
        ("0.0483", "44.919"),
        ("0.0794", "67.49"),
    ]
    assert [step.quantity for step in found] == [D(quantity) for quantity, _ in rows]
    assert [step.price * step.quantity for step in found] == [D(notional) for _, notional in rows]
    assert [step.invested for step in found] == [10, D("29.998"), D("59.971"), D("104.89"), D("172.38")]
    assert [step.held for step in found] == [D("0.01"), D("0.0302"), D("0.0611"), D("0.1094"), D("0.1888")]
    assert [round(step.average, 4) for step in found] == [
        1000, D("993.3113"), D("981.5221"), D("958.7751"), D("913.0297"),
    ]  # fmt: skip


def test_scales_below_one_shrink(config: Make) -> None:
    found = laid(
        config(price_deviation="0.04", step_scale="0.5", volume_scale="0.5", max_safety_orders=3), 100
    )
    assert found.prices == numbers("100 96 94 93")
    assert [round(p * q) for p, q in zip(found.prices, found.quantities, strict=True)] == [100, 100, 50, 25]


def test_a_short_ladder_rises(config: Make) -> None:
    keys = {"direction": "short", "price_deviation": "0.02", "max_safety_orders": 2}
    ladder = laid(config(**keys), 100)
    assert (ladder.side, ladder.prices) == (Side.SELL, numbers("100 102 104"))
    assert laid(config(**keys, deviation_from="previous"), 100).prices == numbers("100 102 104.04")


def test_prices_lie_on_the_tick_never_worse_than_asked(config: Make) -> None:
    coarse = evolve(FREE, tick_size=D("0.5"))
    keys = {"price_deviation": "0.013", "max_safety_orders": 2}
    assert laid(config(**keys), "99.5", coarse).prices == numbers("99.5 98 96.5")
    assert laid(config(**keys, direction="short"), "99.5", coarse).prices == numbers("99.5 101 102.5")


def test_the_overlap_is_where_the_last_order_lies(config: Make) -> None:
    ladder = laid(config(overlap="0.3", step_scale="1.7", max_safety_orders=7, total_amount=5000), 1000)
    assert ladder.prices[-1] in (D(700), D("699.99"))


@pytest.mark.parametrize("direction", ["long", "short"])
def test_break_even_brings_back_all_with_fees(config: Make, direction: str) -> None:
    instrument = evolve(FREE, maker_fee_ratio=D("0.001"), taker_fee_ratio=D("0.002"))
    base, *others = filled(config(direction=direction, max_steps=3), 100, instrument)
    last = others[-1]
    made = sum(step.price * step.quantity for step in others)
    assert last.fees == base.price * base.quantity * D("0.002") + made * D("0.001")
    closing = last.held * last.break_even
    gain = closing - last.invested if direction == "long" else last.invested - closing
    assert abs(gain - last.fees - closing * D("0.001")) < D("1e-20")


# -- always -------------------------------------------------------------------------------------------------

scales = st.decimals(D("0.1"), D(10), places=2)


@given(st.decimals(D("0.001"), D("0.3"), places=4), scales, st.integers(1, 60), st.booleans())
def test_ratios_move_away_and_compound_less(deviation: D, scale: D, count: int, is_long: bool) -> None:
    added = price_ratios(deviation, scale, count, is_long=is_long, adds_up=True)
    chained = price_ratios(deviation, scale, count, is_long=is_long, adds_up=False)
    assert len(added) == len(chained) == count
    assert added[0] == chained[0] == (1 - deviation if is_long else 1 + deviation)
    moves = [after - before for before, after in zip((D(1), *added), added, strict=False)]
    # A deviation that has shrunk to nothing moves no further.
    assert all(move <= 0 if is_long else move >= 0 for move in moves)


@given(st.decimals(D("0.01"), D("0.9"), places=3), scales, st.integers(1, 40))
def test_deviations_of_an_overlap_sum_up_to_it(overlap: D, scale: D, count: int) -> None:
    first = first_deviation(overlap, scale, count)
    last = price_ratios(first, scale, count, is_long=True, adds_up=True)[-1]
    assert abs(1 - last - overlap) < D("1e-25")


@given(st.decimals(D(1), D(10**6), places=2), scales, st.integers(0, 40))
def test_shared_amounts_sum_up_to_the_total(total: D, scale: D, count: int) -> None:
    amounts = shared_amounts(total, scale, count)
    assert abs(sum(amounts) - total) < total * D("1e-20")
    assert all(abs(after - before * scale) < total * D("1e-20") for before, after in pairwise(amounts))


@given(st.lists(st.integers(1, 99), min_size=1, max_size=6).filter(lambda parts: sum(parts) < 100))
def test_shares_of_the_rest_sell_the_shares_of_the_whole(parts: list[int]) -> None:
    whole = D("123.4500")
    rest = whole
    for part, ratio in zip(parts, shares_of_the_rest(tuple(D(part) / 100 for part in parts)), strict=True):
        sold = FREE.round_quantity(rest * ratio)
        assert abs(sold - whole * part / 100) <= D("0.0001") * len(parts)
        rest -= sold
    assert shares_of_the_rest((D("0.4"), D("0.3"))) == (D("0.4"), D("0.5"))


@given(st.decimals(D("0.01"), D(100_000), places=2), st.decimals(D("10"), D(1000), places=1), scales)
def test_no_order_commits_more_than_its_amount(price: D, amount: D, scale: D) -> None:
    made = DcaConfig.model_validate({"amount_per_step": amount, "volume_scale": scale, "max_steps": 6})
    ladder: Any = laid(made, str(price))
    for at, quantity, most in zip(ladder.prices, ladder.quantities, made.amounts, strict=True):
        assert 0 <= most - at * quantity < at * FREE.lot_size
