from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from traderagent_core import Instrument
from traderagent_grid.config import GridConfig
from traderagent_grid.finding import Finding
from traderagent_grid.layout import lay_out
from traderagent_grid.ranges import Range
from traderagent_grid.strategy import GridStrategy
from traderagent_grid.viability import findings_before_start

Make = Callable[..., GridConfig]


def found(
    config: GridConfig, instrument: Instrument, price: object = 100, power: object = 10_000
) -> dict[str, Finding]:
    findings = findings_before_start(config, instrument, D(str(price)), D(str(power)))
    return {finding.code: finding for finding in findings}


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize("direction", ["neutral", "long", "short"])
def test_a_position_of_hedge_mode_takes_a_grid_of_its_side(
    config: Make, linear: Instrument, side: str, direction: str
) -> None:
    one = evolve(linear, symbol=f"{linear.symbol}:{side}")
    told = found(config(direction=direction), one).get("other_side")
    assert (told is None) is (direction == side)
    assert told is None or f"set direction: {side}" in told.remedy


def test_an_ordinary_grid_has_no_problem(config: Make, instrument: Instrument) -> None:
    assert found(config(), instrument) == {}


@pytest.mark.parametrize(
    ("keys", "changes", "code", "numbers", "remedy"),
    [
        ({"direction": "short"}, {}, "short_on_spot", "is spot", "market: linear"),
        ({"upper_stop_loss_price": 120}, {}, "upper_stop_without_short_side", "120", "remove it"),
        ({"stop_loss_price": 90}, {}, "stop_inside_range", "stop_loss_price 90 is not below", "below 90"),
        ({"take_profit_price": 100}, {}, "take_profit_passed", "100 is not above the price 100", "above 100"),
        ({"max_position": 900}, {}, "max_position", "max_position is 900", "raise max_position"),
        ({"amount_per_grid": 4}, {}, "below_minimum", "is below the minimum 5", "to 5.01 or more"),
        ({"amount_per_grid": 4}, {"lot_size": D("0.1")}, "below_minimum", "lot size", "to 10.8 or more"),
        ({"amount_per_grid": 100}, {"min_quantity": D(2)}, "below_minimum", "minimum 2", "to 216 or more"),
        (
            {"grid_levels": 103},
            {},
            "fees_exceed_step",
            "after fees of 0.001 a side",
            "at most 91 grid_levels",
        ),
        (
            {"grid_levels": 103, "spacing": "geometric"},
            {},
            "fees_exceed_step",
            "after fees of 0.001 a side",
            "at most 101 grid_levels",
        ),
        (
            {"profit_per_grid": "0.002"},
            {},
            "fees_exceed_step",
            "a cycle from",
            "profit_per_grid above 0.002002",
        ),
        ({"grid_levels": 11}, {"tick_size": D(3)}, "levels_collapse", "are both 90", "the range has 6 ticks"),
    ],
)
def test_each_problem_says_its_numbers_and_how_to_mend_it(
    config: Make,
    instrument: Instrument,
    keys: dict[str, Any],
    changes: dict[str, Any],
    code: str,
    numbers: str,
    remedy: str,
) -> None:
    finding = found(config(**keys), evolve(instrument, **changes))[code]
    assert numbers in finding.message
    assert remedy in finding.remedy
    assert finding.is_fatal


def test_too_little_money_is_told_with_fees(config: Make, instrument: Instrument) -> None:
    needed = lay_out(config(), instrument, Range(D(90), D(110)), D(100)).funds_needed(D("0.001"))
    assert found(config(), instrument, power=needed) == {}
    finding = found(config(), instrument, power=needed - D("0.01"))["over_budget"]
    assert str(needed.normalize()) in finding.message
    assert "set amount_per_grid to about 99.99" in finding.remedy


@pytest.mark.parametrize("spacing", ["arithmetic", "geometric"])
@pytest.mark.parametrize("fee", ["0.0012", "0.0003", "0.004"])
def test_the_levels_a_fee_remedy_names_work_and_one_more_does_not(
    config: Make, instrument: Instrument, spacing: str, fee: str
) -> None:
    step = D("0.0000001")
    fine = evolve(instrument, tick_size=step, lot_size=step, maker_fee_ratio=D(fee))

    def problem(levels: int) -> Finding | None:
        keys = config(grid_levels=levels, spacing=spacing, amount_per_grid=10_000)
        return found(keys, fine, power=10**9).get("fees_exceed_step")

    first = problem(500)
    assert first is not None
    levels = int(first.remedy.partition("at most ")[2].partition(" ")[0])
    assert problem(levels) is None
    assert problem(levels + 1) is not None


@pytest.mark.parametrize(
    ("price", "side", "way"), [(130, "above", "falls to 110"), (80, "below", "rises to 90")]
)
def test_a_price_outside_the_range_is_a_warning(
    config: Make, instrument: Instrument, price: int, side: str, way: str
) -> None:
    finding = found(config(), instrument, price)["price_outside"]
    assert not finding.is_fatal
    assert f"is {side} the range" in finding.message
    assert way in finding.message


def test_inventory_bought_below_the_range_is_told(config: Make, instrument: Instrument) -> None:
    assert "BTC would be bought at once" in found(config(), instrument, 80)["price_outside"].message


def test_a_neutral_linear_grid_takes_two_stops_and_no_take_profit(config: Make, linear: Instrument) -> None:
    assert found(config(stop_loss_price=80, upper_stop_loss_price=120), linear) == {}
    assert "take_profit_of_two_sides" in found(config(take_profit_price=120), linear)
    assert "upper_stop_loss_price 110 is not above" in (
        found(config(upper_stop_loss_price=110), linear)["stop_inside_range"].message
    )


def test_a_short_grid_has_its_stop_above_and_its_target_below(config: Make, linear: Instrument) -> None:
    keys = {"direction": "short"}
    assert found(config(stop_loss_price=120, take_profit_price=80, **keys), linear) == {}
    wrong = found(config(stop_loss_price=80, take_profit_price=120, **keys), linear)
    assert set(wrong) == {"stop_inside_range", "take_profit_passed"}


def test_a_range_from_atr_is_measured_at_the_start_so_its_problems_are_warnings(
    config: Make, instrument: Instrument
) -> None:
    keys = config(bounds="atr", lower_price=None, upper_price=None, atr_multiplier=200)
    finding = found(keys, instrument)["range_below_zero"]
    assert not finding.is_fatal
    assert finding.message.startswith("with an ATR of 1 % of the price, the range -100 to 300 reaches")


def test_the_strategy_shows_findings_as_problems(config: Make, instrument: Instrument) -> None:
    (problem,) = GridStrategy.check(config(direction="short"), instrument, D(100), D(1000))
    assert problem.is_fatal
    assert "BTC/USDT is spot" in problem.message


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    amount=st.decimals(min_value=1, max_value=1000, places=2),
    count=st.integers(2, 60),
    price=st.decimals(min_value=85, max_value=115, places=2),
    lot=st.sampled_from([D("0.0001"), D("0.01"), D(1)]),
    direction=st.sampled_from(["neutral", "long", "short"]),
)
def test_a_grid_without_fatal_problem_sends_orders_the_venue_takes_at_a_profit(
    config: Make, linear: Instrument, amount: D, count: int, price: D, lot: D, direction: str
) -> None:
    instrument = evolve(linear, lot_size=lot)
    keys = config(amount_per_grid=amount, grid_levels=count, direction=direction)
    if any(finding.is_fatal for finding in found(keys, instrument, price).values()):
        return
    layout = lay_out(keys, instrument, Range(D(90), D(110)), price)
    for cell in layout.cells:
        assert instrument.size_problem(cell.quantity, cell.buy_price) is None
        assert cell.profit(instrument.maker_fee_ratio) > 0
    assert layout.largest_position() <= 10_000


def test_the_amount_a_size_remedy_names_is_enough(config: Make, instrument: Instrument) -> None:
    for lot, minimum in (("0.0001", "5"), ("0.1", "10"), ("1", "5"), ("0.001", "7.77")):
        rough = evolve(instrument, lot_size=D(lot), min_notional=D(minimum))
        remedy = found(config(amount_per_grid="0.5"), rough, power=10**6)["below_minimum"].remedy
        amount = remedy.removeprefix("set amount_per_grid to ").removesuffix(" or more")
        assert "below_minimum" not in found(config(amount_per_grid=amount), rough, power=10**6)
        less = D(amount) - D("0.01")
        assert "below_minimum" in found(config(amount_per_grid=less), rough, power=10**6)
