from collections.abc import Callable
from decimal import Decimal as D

import pytest
from traderagent_core import At, Filled, FillTimes, Fixed, Instrument, Leg, Plan, Purpose, Side, Stop
from traderagent_grid.config import GridConfig
from traderagent_grid.layout import lay_out
from traderagent_grid.plan import closing_plan, grid_plan, plain, short
from traderagent_grid.ranges import Range

Make = Callable[..., GridConfig]
BUY, SELL = Side.BUY, Side.SELL
ENTRY, COUNTER = Purpose.ENTRY, Purpose.GRID_COUNTER


def plan_of(config: GridConfig, instrument: Instrument, price: str = "100", held: str = "0") -> Plan:
    layout = lay_out(config, instrument, Range(D(90), D(110)), D(price), D(held))
    return grid_plan(config, instrument, layout)


def fixed(leg: Leg) -> D:
    assert isinstance(leg.quantity, Fixed)
    return leg.quantity.quantity


@pytest.mark.parametrize("spacing", ["arithmetic", "geometric"])
@pytest.mark.parametrize(
    ("market", "direction", "side", "entries"),
    [
        ("spot", "neutral", BUY, 5),
        ("spot", "long", BUY, 5),
        ("linear", "long", BUY, 5),
        ("linear", "short", SELL, 5),
        ("linear", "neutral", None, 10),
    ],
)
def test_the_shape_of_a_plan(
    config: Make,
    instrument: Instrument,
    linear: Instrument,
    spacing: str,
    market: str,
    direction: str,
    side: Side | None,
    entries: int,
) -> None:
    chosen = linear if market == "linear" else instrument
    plan = plan_of(config(spacing=spacing, direction=direction), chosen)
    legs = {leg.name: leg for leg in plan.legs}
    assert len(plan.legs) == 30 + (side is not None)
    assert {leg.slot for leg in plan.legs if leg.name != "inventory"} == {f"grid:{i:02}" for i in range(10)}
    first = [legs[name] for name in plan.start if name != "inventory"]
    assert sum(leg.purpose is ENTRY for leg in first) == entries
    assert all(leg.name not in leg.then for leg in plan.legs)
    if side is None:
        assert "inventory" not in legs
    else:
        inventory = legs["inventory"]
        assert plan.start[0] == "inventory"
        assert (inventory.side, inventory.price, inventory.purpose) == (side, None, ENTRY)
        assert [legs[name].side for name in inventory.then] == [side.opposite] * 5
        assert inventory.quantity == Fixed(sum((fixed(legs[name]) for name in inventory.then), D(0)))
        assert all(legs[name].purpose is COUNTER for name in inventory.then)


def test_a_cell_goes_round_between_two_prices(config: Make, instrument: Instrument) -> None:
    legs = {leg.name: leg for leg in plan_of(config(), instrument).legs}
    buy, sell, again = legs["buy:02"], legs["sell:02"], legs["rebuy:02"]
    assert (buy.then, sell.then, again.then) == (("sell:02",), ("rebuy:02",), ("sell:02",))
    assert (buy.price, sell.price, again.price) == (At(D(94)), At(D(96)), At(D(94)))
    assert (buy.purpose, sell.purpose, again.purpose) == (ENTRY, COUNTER, COUNTER)
    assert (buy.quantity, sell.quantity, again.quantity) == (
        Fixed(D("1.0638")),
        Filled(),
        Fixed(D("1.0638")),
    )


def test_a_cell_that_starts_with_a_sale_buys_a_fixed_quantity_and_sells_what_it_bought(
    config: Make, instrument: Instrument
) -> None:
    legs = {leg.name: leg for leg in plan_of(config(), instrument).legs}
    sell, buy, again = legs["sell:07"], legs["buy:07"], legs["resell:07"]
    assert (sell.then, buy.then, again.then) == (("buy:07",), ("resell:07",), ("buy:07",))
    assert isinstance(sell.quantity, Fixed)
    assert buy.quantity == sell.quantity
    assert again.quantity == Filled()


def test_a_profit_per_grid_prices_the_counter_from_the_fill(config: Make, instrument: Instrument) -> None:
    legs = {leg.name: leg for leg in plan_of(config(profit_per_grid="0.012"), instrument).legs}
    assert legs["sell:02"].price == FillTimes(D("1.012"))
    assert legs["rebuy:02"].price == At(D(94))
    assert legs["buy:07"].price == FillTimes(D("0.988"))
    assert legs["resell:07"].price == At(D(106))


def test_covered_sells_go_out_at_once_and_the_others_wait_for_the_inventory(
    config: Make, instrument: Instrument
) -> None:
    plan = plan_of(config(), instrument, held="2")
    legs = {leg.name: leg for leg in plan.legs}
    assert {"sell:05", "sell:06"} <= set(plan.start)
    assert legs["inventory"].then == ("sell:07", "sell:08", "sell:09")
    surplus = plan_of(config(), instrument, held="9")
    assert "inventory" not in {leg.name for leg in surplus.legs}
    assert len(surplus.start) == 10


@pytest.mark.parametrize(
    ("direction", "is_linear", "stops", "expected"),
    [
        ("neutral", False, {"stop_loss_price": 80}, Stop(long=At(D(80)))),
        ("long", True, {"stop_loss_price": 80}, Stop(long=At(D(80)))),
        ("short", True, {"stop_loss_price": 120}, Stop(short=At(D(120)))),
        (
            "neutral",
            True,
            {"stop_loss_price": 80, "upper_stop_loss_price": 120},
            Stop(long=At(D(80)), short=At(D(120))),
        ),
        ("neutral", True, {"upper_stop_loss_price": 120}, Stop(short=At(D(120)))),
        ("neutral", True, {}, None),
    ],
)
def test_the_stop_is_on_the_sides_that_are_held(
    config: Make, instrument: Instrument, linear: Instrument, direction: str, is_linear: bool,
    stops: dict[str, int], expected: Stop | None,
) -> None:  # fmt: skip
    plan = plan_of(config(direction=direction, **stops), linear if is_linear else instrument)
    assert plan.stop == expected


def test_evidence_names_levels_step_profit_funds_and_inventory(config: Make, instrument: Instrument) -> None:
    evidence = plan_of(config(), instrument).evidence
    assert evidence["levels"] == tuple(str(price) for price in range(90, 111, 2))
    assert evidence["step"] == "2"
    assert evidence["level_without_order"] == "100"
    assert evidence["profit_per_cycle"]["grid:02"] == plain(
        D("1.0638") * 2 - D("1.0638") * (94 + 96) * D("0.001")
    )
    assert D(evidence["funds_needed"]) < 1001
    assert D(evidence["inventory"]) == D("4.811")


def test_a_geometric_step_is_a_ratio(config: Make, instrument: Instrument) -> None:
    evidence = plan_of(config(spacing="geometric", grid_levels=2), instrument).evidence
    assert evidence["step"] == "× 1.22222222222"


def test_names_sort_as_prices_do_with_many_levels(config: Make, instrument: Instrument) -> None:
    plan = plan_of(config(grid_levels=500), instrument)
    assert len(plan.legs) == 499 * 3 + 1
    assert {"buy:007", "sell:498"} <= {leg.name for leg in plan.legs}


def test_closing_orders_only_reduce_and_place_nothing_after_them(config: Make, linear: Instrument) -> None:
    layout = lay_out(config(), linear, Range(D(90), D(110)), D(100), D("1.98"))
    plan = closing_plan(config(stop_loss_price=80), linear, layout)
    assert plan is not None
    assert [(leg.slot, leg.side, leg.purpose, leg.then) for leg in plan.legs] == [
        ("grid:05", SELL, Purpose.TAKE_PROFIT, ()),
        ("grid:06", SELL, Purpose.TAKE_PROFIT, ()),
    ]
    assert plan.stop == Stop(long=At(D(80)))


def test_nothing_held_is_nothing_to_close(config: Make, linear: Instrument) -> None:
    layout = lay_out(config(), linear, Range(D(90), D(110)), D(100))
    assert closing_plan(config(), linear, layout) is None


@pytest.mark.parametrize(
    ("number", "text"),
    [("1E+3", "1000"), ("0.100", "0.1"), ("0", "0"), ("1E-8", "0.00000001"), ("-2.50", "-2.5")],
)
def test_numbers_are_written_plainly(number: str, text: str) -> None:
    assert plain(D(number)) == text


def test_short_numbers_have_twelve_digits() -> None:
    assert short(D(2) / 3) == "0.666666666667"
    assert short(D("123456789012345")) == "123456789012000"
