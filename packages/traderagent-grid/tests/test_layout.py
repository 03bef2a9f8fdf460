from collections.abc import Callable
from decimal import Decimal as D

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from traderagent_core import Instrument, Side
from traderagent_grid.config import GridConfig
from traderagent_grid.layout import Layout, closing_orders, lay_out
from traderagent_grid.ranges import Range

Make = Callable[..., GridConfig]
BUY, SELL = Side.BUY, Side.SELL


def grid(config: GridConfig, instrument: Instrument, price: str = "100", held: str = "0") -> Layout:
    return lay_out(config, instrument, Range(D(90), D(110)), D(price), D(held))


def test_cells_below_the_waiting_level_buy_first_and_those_above_sell_first(
    config: Make, instrument: Instrument
) -> None:
    layout = grid(config(), instrument)
    assert layout.levels[layout.waiting] == 100
    assert [cell.starts for cell in layout.cells] == [BUY] * 5 + [SELL] * 5
    assert [cell.buy_price for cell in layout.cells[:5]] == [90, 92, 94, 96, 98]
    assert [cell.sell_price for cell in layout.cells[5:]] == [102, 104, 106, 108, 110]


def test_on_spot_the_sells_are_bought_beforehand(config: Make, instrument: Instrument) -> None:
    layout = grid(config(), instrument)
    sells = [cell for cell in layout.cells if cell.starts is SELL]
    assert all(cell.takes_inventory for cell in sells)
    assert layout.inventory == sum(cell.quantity for cell in sells)
    assert layout.inventory_side is BUY


def test_a_neutral_linear_grid_takes_no_inventory(config: Make, linear: Instrument) -> None:
    layout = grid(config(), linear)
    assert layout.inventory == 0
    assert [cell.adds for cell in layout.cells] == [BUY] * 5 + [SELL] * 5


def test_a_short_grid_sells_short_beforehand_what_its_buys_give_back(
    config: Make, linear: Instrument
) -> None:
    layout = grid(config(direction="short"), linear)
    assert layout.inventory_side is SELL
    assert layout.inventory == sum(cell.quantity for cell in layout.cells if cell.starts is BUY)


@pytest.mark.parametrize("direction", ["neutral", "long", "short"])
def test_no_order_that_adds_commits_more_than_the_amount(
    config: Make, linear: Instrument, direction: str
) -> None:
    for cell in grid(config(direction=direction, amount_per_grid=77), linear).cells:
        assert cell.notional(cell.adds) <= 77 < cell.notional(cell.adds) + D("0.0001") * 110


def test_a_holding_counts_towards_the_inventory_nearest_sells_first(
    config: Make, instrument: Instrument
) -> None:
    first = grid(config(), instrument)
    two = first.cells[5].quantity + first.cells[6].quantity
    layout = grid(config(), instrument, held=str(two + D("0.1")))
    assert layout.covered == {5, 6}
    assert layout.inventory == first.inventory - two - D("0.1")


def test_a_surplus_is_kept(config: Make, instrument: Instrument) -> None:
    layout = grid(config(), instrument, held="50")
    assert layout.inventory == 0
    assert layout.covered == {5, 6, 7, 8, 9}


def test_a_lack_below_the_minimum_is_bought_as_what_is_the_minimum_at_a_tenth_less(
    config: Make, instrument: Instrument
) -> None:
    first = grid(config(), instrument)
    layout = grid(config(), instrument, held=str(first.inventory - D("0.0001")))
    assert layout.inventory == D("0.0556")
    assert instrument.size_problem(layout.inventory, D(90)) is None


def test_a_price_above_the_range_makes_buys_only_and_one_below_sells_only(
    config: Make, instrument: Instrument
) -> None:
    assert {cell.starts for cell in grid(config(), instrument, "130").cells} == {BUY}
    assert {cell.starts for cell in grid(config(), instrument, "80").cells} == {SELL}


def test_funds_are_inventory_and_buys_with_taker_fees(config: Make, instrument: Instrument) -> None:
    layout = grid(config(), instrument)
    buys = sum(cell.quantity * cell.buy_price for cell in layout.cells[:5])
    assert layout.funds_needed(D("0.001")) == (layout.inventory * 100 + buys) * D("1.001")


def test_a_neutral_linear_grid_needs_money_for_its_larger_side_only(config: Make, linear: Instrument) -> None:
    layout = grid(config(), linear, "96")
    sells = sum(cell.quantity * cell.sell_price for cell in layout.cells if cell.starts is SELL)
    assert layout.largest_position() == sells
    assert layout.funds_needed(D(0)) == sells


def test_with_a_profit_per_grid_the_counter_price_follows_from_the_first_order(
    config: Make, instrument: Instrument
) -> None:
    layout = grid(config(profit_per_grid="0.012"), instrument)
    assert (layout.cells[0].buy_price, layout.cells[0].sell_price) == (D(90), D("91.08"))
    assert (layout.cells[9].buy_price, layout.cells[9].sell_price) == (D("108.68"), D(110))


def test_closing_orders_go_as_far_as_the_holding(config: Make, linear: Instrument) -> None:
    def orders(held: str) -> list[tuple[int, D]]:
        found = closing_orders(grid(config(), linear, held=held), linear)
        return [(cell.index, quantity) for cell, quantity in found]

    assert orders("2") == [(5, D("0.9803")), (6, D("0.9615")), (7, D("0.0582"))]
    assert orders("1.98") == [(5, D("0.9803")), (6, D("0.9615"))]
    assert orders("-0.9433") == [(4, D("0.9433"))]
    assert orders("-50")[-1] == (0, D("1.1111"))
    assert orders("0") == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    price=st.decimals(min_value=80, max_value=120, places=2),
    held=st.decimals(min_value=-20, max_value=20, places=4),
    direction=st.sampled_from(["neutral", "long", "short"]),
    is_linear=st.booleans(),
)
def test_what_is_held_and_taken_covers_every_order_that_gives_back(
    config: Make,
    instrument: Instrument,
    linear: Instrument,
    price: D,
    held: D,
    direction: str,
    is_linear: bool,
) -> None:
    layout = lay_out(
        config(direction=direction), linear if is_linear else instrument, Range(D(90), D(110)), price, held
    )
    usable = max(held if layout.inventory_side is BUY else -held, D(0))
    given_back = sum(cell.quantity for cell in layout.cells if cell.takes_inventory)
    assert usable + layout.inventory >= given_back
    covered = sum(cell.quantity for cell in layout.cells if cell.index in layout.covered)
    assert covered <= usable
    if layout.inventory:
        assert layout.inventory >= D("0.0001")
        assert usable + layout.inventory - given_back <= 5 / price / D("0.9") + D("0.0001")
