"""What is said before anything starts, with numbers and a remedy."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from attrs import evolve
from traderagent_core import ConfigError, Instrument, Problem, generate_candles, simulate
from traderagent_trend.config import TrendConfig
from traderagent_trend.strategy import TrendStrategy

Make = Callable[..., TrendConfig]


def problems(
    instrument: Instrument, price: object = 100, power: object = 10_000, **keys: Any
) -> list[Problem]:
    config = TrendConfig.model_validate(keys)
    return list(TrendStrategy.check(config, instrument, D(str(price)), D(str(power))))


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize("directions", [["long"], ["short"], ["long", "short"]])
def test_a_position_of_hedge_mode_takes_trades_of_its_side(
    linear: Instrument, side: str, directions: list[str]
) -> None:
    told = problems(evolve(linear, symbol=f"{linear.symbol}:{side}"), directions=directions)
    assert bool(told) is (directions != [side])
    assert all(f"set directions: [{side}]" in each.remedy and each.is_fatal for each in told)


def test_an_ordinary_bot_has_no_problem(spot: Instrument, linear: Instrument) -> None:
    assert problems(spot) == []
    assert problems(linear, directions=["long", "short"]) == []


@pytest.mark.parametrize(
    ("keys", "power", "changes", "says", "remedy"),
    [
        (
            {"directions": ["short"]},
            10_000,
            {},
            "coins that are not held cannot be sold",
            "set market: linear",
        ),
        ({"directions": ["long", "short"]}, 10_000, {}, "BTC/USDT is spot", "directions: [long]"),
        ({}, 4, {}, "all of the 4 USDT that may be used is too little", "more capital"),
        ({}, 0, {}, "rounds to zero", "more capital"),
        ({}, 10_000, {"lot_size": D(1000)}, "lot size", "more capital"),
        ({}, 10_000, {"min_quantity": D(101)}, "below the minimum 101", "more capital"),
    ],
)
def test_what_can_never_work_stops_the_start(
    spot: Instrument, keys: dict[str, Any], power: int, changes: dict[str, Any], says: str, remedy: str
) -> None:
    found = problems(evolve(spot, **changes), power=power, **keys)
    (fatal,) = [each for each in found if each.is_fatal]
    assert says in fatal.message
    assert remedy in fatal.remedy


@pytest.mark.parametrize(
    ("keys", "power", "changes", "says", "remedy"),
    [
        ({}, 9, {}, "risking 0.01 of 9 USDT on a stop 2 away is too small an order", "raise risk_per_trade"),
        (
            {"stop_atr": "0.5"},
            10_000,
            {},
            "needs 2 times the equity, and spot has no leverage",
            "market: linear",
        ),
        ({"risk_per_trade": "0.05"}, 10_000, {}, "five losses in a row cost about 22.6219", "0.01 to 0.02"),
        (
            {"target_atr": "0.2", "stop_atr": "1"},
            10_000,
            {},
            "more than its target brings",
            "raise target_atr",
        ),
        ({"break_even_from_r": "0.1"}, 10_000, {}, "so that it never does", "raise break_even_from_r"),
        ({}, 10_000, {"tick_size": D(5)}, "the stop would be 2 away, less than the tick 5", "finer tick"),
        ({"trailing_from_r": "1.5"}, 10_000, {}, "never reached: the target is 1.5 R away", "above 3"),
        ({"target_atr": 2}, 10_000, {}, "break_even_from_r 1 is never reached", "set it to null"),
    ],
)
def test_what_depends_on_the_market_is_a_warning(
    spot: Instrument, keys: dict[str, Any], power: int, changes: dict[str, Any], says: str, remedy: str
) -> None:
    found = problems(evolve(spot, **changes), power=power, **keys)
    assert not any(each.is_fatal for each in found)
    (told,) = [each for each in found if says in each.message]
    assert remedy in told.remedy


def test_leverage_is_not_asked_for_where_there_is_some(linear: Instrument) -> None:
    assert problems(linear, stop_atr="0.5", target_atr=2, break_even_from_r=1) == []


@pytest.mark.parametrize("price", ["0.00000001", "100000000"])
@pytest.mark.parametrize("power", ["0", "0.01", "1000000000000"])
def test_unreasonable_prices_and_budgets_are_answered(spot: Instrument, price: str, power: str) -> None:
    assert all(each.message for each in problems(spot, price, power))


def test_a_back_test_that_cannot_work_is_refused() -> None:
    candles = generate_candles(symbol="BTC/USDT", timeframe="1h", rows=300, seed=1, start_ms=0)
    bot = {"name": "b", "symbol": "BTC/USDT", "strategy": "trend", "trend": {"directions": ["short"]}}
    with pytest.raises(
        ConfigError, match=r"bot 'b': directions: short needs a linear market.*set market: linear"
    ):
        simulate({"bots": [bot]}, candles)
