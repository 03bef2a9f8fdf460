"""What is said before the start: with numbers, and with a remedy that mends it."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core import Instrument, Market, Problem
from traderagent_dca.config import DcaConfig
from traderagent_dca.strategy import DcaStrategy
from traderagent_dca.viability import least_notional

Make = Callable[..., DcaConfig]


def said(
    config: DcaConfig, instrument: Instrument, price: str = "100", power: str = "10000"
) -> list[Problem]:
    return list(DcaStrategy.check(config, instrument, D(price), D(power)))


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize("direction", ["long", "short"])
def test_a_position_of_hedge_mode_takes_deals_of_its_side(
    config: Make, linear: Instrument, side: str, direction: str
) -> None:
    told = said(config(direction=direction), evolve(linear, symbol=f"{linear.symbol}:{side}"))
    assert bool(told) is (direction != side)
    assert all(f"set direction: {side}" in each.remedy and each.is_fatal for each in told)


def test_nothing_is_said_of_what_works(config: Make, instrument: Instrument, linear: Instrument) -> None:
    assert said(config(), instrument) == []
    assert said(config(direction="short"), linear) == []


@pytest.mark.parametrize(
    ("keys", "words", "remedy"),
    [
        ({"direction": "short"}, "short needs a linear market", "market: linear"),
        ({"amount_per_step": 3}, "the base order of 3 USDT at 100 is too small: notional", "must commit 5 or more"),
        ({"volume_scale": "0.1"}, "safety order 3 of 1 USDT at 94 is too small", "must commit 5.01 or more"),
        ({"take_profit_percentage": "0.002"}, "eaten up by the fees of both ways, 0.002002", "above 0.002002"),
        ({"take_profit_percentage": "0.02", "trailing_deviation": "0.018"}, "may close at 0.00164", "lower trail"),
        ({"break_even_percentage": "0.001"}, "not above the fees of both ways", "raise it"),
        ({"amount_per_step": 3000}, "a deal needs 15014.977978 USDT with fees for its 5", "amounts by 0.66"),
        ({"price_deviation": "0.00001"}, "2 would lie at 99.99, no further than", "raise price_dev"),
        ({"take_profit_steps": [{"gain": "0.01", "share": "0.01"}]}, "less than the exchange takes", "share"),
        ({"take_profit_steps": [{"gain": "0.001", "share": "0.5"}]}, "take_profit_steps 1 0.001 is eaten", "above"),
    ],
)  # fmt: skip
def test_what_does_not_work_is_fatal(
    config: Make, instrument: Instrument, keys: dict[str, Any], words: str, remedy: str
) -> None:
    found = said(config(**keys), instrument)
    assert [problem.is_fatal for problem in found] == [True]
    assert words in found[0].message
    assert remedy in found[0].remedy


def test_a_stop_before_the_ladder_ends_is_a_warning(config: Make, instrument: Instrument) -> None:
    made = config(stop_loss_percentage="0.03", price_deviation="0.02", max_steps=5)
    (found,) = said(made, instrument)
    # Held at 98.99 on the average after the first safety order, the stop stands at 96.01 and the next at 96.
    assert not found.is_fatal
    assert "after safety order 1 the stop-loss stands at 96" in found.message
    assert said(config(stop_loss_percentage="0.12", price_deviation="0.02", max_steps=5), instrument) == []
    from_base = config(
        stop_loss_percentage="0.05", stop_loss_from="base", price_deviation="0.02", max_steps=5
    )
    assert "after safety order 2 the stop-loss stands at 95" in said(from_base, instrument)[0].message


def test_a_linear_part_may_be_small_but_not_nothing(config: Make, linear: Instrument) -> None:
    made = config(take_profit_steps=[{"gain": "0.01", "share": "0.01"}])
    assert said(made, linear) == []
    assert said(made, evolve(linear, lot_size=D("0.1"))) != []


def test_the_remedy_for_too_little_money_works(config: Make, instrument: Instrument) -> None:
    (found,) = said(config(amount_per_step=100), instrument, power="333")
    share = D(found.remedy.split("by ")[1].split(",")[0])
    assert said(config(amount_per_step=100 * share), instrument, power="333") == []


@given(
    st.decimals(D("0.01"), D(50_000), places=2),
    st.sampled_from([D(0), D(5), D(10)]),
    st.sampled_from([D("0.00001"), D("0.01"), D(1)]),
)
def test_the_least_amount_is_taken_and_a_cent_less_is_not(price: D, min_notional: D, lot: D) -> None:
    instrument = Instrument("BTC/USDT", Market.SPOT, lot_size=lot, min_notional=min_notional)
    least = least_notional(instrument, price)
    quantity = instrument.round_quantity(least / price)
    assert instrument.size_problem(quantity, price) is None
    below = instrument.round_quantity((least - D("0.02")) / price) if least > D("0.02") else D(0)
    assert instrument.size_problem(below, price) is not None


@pytest.mark.parametrize("price", ["0.0001", "1000000"])
def test_unreasonable_prices_are_problems_and_no_errors(
    config: Make, instrument: Instrument, price: str
) -> None:
    found = said(config(max_steps=3), instrument, price)
    assert all(problem.message for problem in found)
