from decimal import Decimal as D
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core import Instrument, Side
from traderagent_grid.config import Spacing
from traderagent_grid.levels import (
    EXACT,
    break_even_ratio,
    counter_price,
    cycle_profit,
    geometric_ratio,
    gross_cycle_profit,
    least_quantity,
    price_levels,
    quantity_for,
    waiting_line,
)

CENT = Instrument("BTC/USDT")
ARITHMETIC, GEOMETRIC = Spacing.ARITHMETIC, Spacing.GEOMETRIC

ticks = st.sampled_from([D("0.01"), D("0.5"), D("0.0001"), D(1), D("0.00000001")])
prices = st.decimals(min_value=D("0.001"), max_value=D(200_000), places=3)


def decimals(*texts: object) -> tuple[D, ...]:
    return tuple(D(str(text)) for text in texts)


def test_four_intervals_are_five_prices() -> None:
    levels = price_levels(D(8000), D(12000), 5, ARITHMETIC, CENT)
    assert levels == decimals(8000, 9000, 10000, 11000, 12000)


def test_nine_levels_around_their_middle_are_four_buys_one_waiting_and_four_sells() -> None:
    levels = price_levels(D(6200), D(7800), 9, ARITHMETIC, CENT)
    waiting = waiting_line(levels, D(7000))
    assert levels[waiting] == 7000
    assert levels[:waiting] == decimals(6200, 6400, 6600, 6800)
    assert levels[waiting + 1 :] == decimals(7200, 7400, 7600, 7800)


@given(prices, prices, st.integers(1, 1000))
def test_a_geometric_ratio_is_the_root_to_more_digits_than_are_kept(one: D, other: D, intervals: int) -> None:
    lower, upper = sorted((one, other))
    whole = EXACT.power(geometric_ratio(lower, upper, intervals), intervals)
    assert abs(EXACT.divide(EXACT.multiply(whole, lower), upper) - 1) < D("1e-50")


def test_geometric_levels_that_are_even_numbers_come_out_even() -> None:
    assert price_levels(D(1000), D(16000), 5, GEOMETRIC, CENT) == decimals(1000, 2000, 4000, 8000, 16000)
    assert price_levels(D(1), D(1000), 4, GEOMETRIC, CENT) == decimals(1, 10, 100, 1000)


def test_levels_between_ticks_go_down_to_the_tick() -> None:
    levels = price_levels(D(100), D(101), 4, ARITHMETIC, CENT)
    assert levels == decimals("100", "100.33", "100.66", "101")


def test_bounds_between_ticks_stay_inside_the_range() -> None:
    levels = price_levels(D("100.003"), D("100.997"), 3, ARITHMETIC, CENT)
    assert levels == decimals("100.01", "100.5", "100.99")


@given(
    tick=ticks,
    lower=prices,
    width=st.decimals(min_value=D("0.01"), max_value=D(3), places=4),
    count=st.integers(2, 500),
    spacing=st.sampled_from(Spacing),
)
def test_levels_rise_on_the_tick_within_the_bounds(
    tick: D, lower: D, width: D, count: int, spacing: Spacing
) -> None:
    upper = lower * (1 + width)
    instrument = Instrument("BTC/USDT", tick_size=tick)
    levels = price_levels(lower, upper, count, spacing, instrument)
    assert len(levels) == count
    assert all(level % tick == 0 for level in levels)
    narrowest = lower * (1 + width) ** (1 / D(count - 1)) - lower if spacing is GEOMETRIC else None
    step = (upper - lower) / (count - 1) if narrowest is None else narrowest
    if step >= 2 * tick:
        assert all(low < high for low, high in pairwise(levels))
        assert lower <= levels[0]
        assert levels[-1] <= upper


@given(price=prices, low=prices, width=st.decimals(min_value=1, max_value=1000, places=2))
def test_no_first_order_would_trade_at_once(price: D, low: D, width: D) -> None:
    levels = price_levels(low, low + width, 9, ARITHMETIC, Instrument("BTC/USDT", tick_size=D("0.001")))
    waiting = waiting_line(levels, price)
    assert all(level < price for level in levels[:waiting])
    assert all(level > price for level in levels[waiting + 1 :])


@pytest.mark.parametrize(
    ("price", "expected"), [(D(50), 0), (D(105), 0), (D("105.01"), 1), (D(110), 1), (D(500), 2)]
)
def test_the_waiting_line_is_nearest_the_price_and_the_lower_of_two(price: D, expected: int) -> None:
    assert waiting_line(decimals(100, 110, 120), price) == expected


def test_one_cycle_of_the_pionex_example() -> None:
    quantity = quantity_for(D("6.228"), D(31140), Instrument("BTC/USDT", lot_size=D("0.0001")))
    assert quantity == D("0.0002")
    assert quantity * 31140 == D("6.228")
    assert (quantity * 31744).quantize(D("0.001"), "ROUND_DOWN") == D("6.348")
    gross = gross_cycle_profit(quantity, D(31140), D(31744))
    assert gross == D("0.1208")
    assert gross.quantize(D("0.001"), "ROUND_DOWN") == D("0.120")


@given(
    quantity=st.decimals(min_value=D("0.00001"), max_value=1000, places=5),
    buy=prices,
    rise=st.decimals(min_value=D("0.0001"), max_value=1, places=4),
    fee=st.decimals(min_value=D("-0.0005"), max_value=D("0.01"), places=5),
)
def test_profit_is_what_the_sale_brings_less_what_the_purchase_costs(
    quantity: D, buy: D, rise: D, fee: D
) -> None:
    sell = buy * (1 + rise)
    brought = quantity * sell - quantity * sell * fee
    spent = quantity * buy + quantity * buy * fee
    assert cycle_profit(quantity, buy, sell, fee) == pytest.approx(brought - spent, abs=D("1e-15"))
    assert (cycle_profit(quantity, buy, sell, fee) > 0) is (sell / buy > break_even_ratio(fee))


@given(
    amount=prices,
    price=prices,
    lot=st.sampled_from([D("0.00001"), D("0.001"), D(1)]),
    least=st.sampled_from([D(0), D("0.01"), D(5)]),
    notional=st.sampled_from([D(0), D(5), D("10.5")]),
)
def test_a_quantity_costs_no_more_than_the_amount_and_the_least_is_taken_by_the_venue(
    amount: D, price: D, lot: D, least: D, notional: D
) -> None:
    instrument = Instrument("BTC/USDT", lot_size=lot, min_quantity=least, min_notional=notional)
    quantity = quantity_for(amount, price, instrument)
    assert quantity * price <= amount < (quantity + lot) * price
    assert quantity % lot == 0
    smallest = least_quantity(price, instrument)
    assert smallest % lot == 0
    assert instrument.size_problem(smallest, price) is None
    assert smallest == lot or instrument.size_problem(smallest - lot, price) is not None


def test_counter_prices_are_the_fill_and_the_profit_never_worse() -> None:
    assert counter_price(D("100.01"), Side.BUY, D("0.012"), CENT) == D("101.22")
    assert counter_price(D("100.01"), Side.SELL, D("0.012"), CENT) == D("98.80")
