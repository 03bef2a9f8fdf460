"""docs/reference/strategy-context.md has every callback, verb and value that a strategy meets, as the code has it."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from traderagent_core import Context, MarketView, Strategy, indicators, ports
from traderagent_core.contract.strategy import Needs, OrderNews, Problem, Release, Wake
from traderagent_core.indicators import Indicator
from traderagent_core.model import plan
from traderagent_core.model.event import OrderFilled, TimerFired, WatchCrossed

PAGE = "docs/reference/strategy-context.md"
Tables = Mapping[str, Callable[..., Any]]


@pytest.mark.parametrize("owner", [Strategy, Context, MarketView])
def test_every_member_is_described(owner: type, page: Callable[[str], Any], tables: Tables) -> None:
    page(PAGE).check_table(f"`{owner.__name__}`", tables["members"](owner))


def test_every_number_of_a_position_is_described(page: Callable[[str], Any], tables: Tables) -> None:
    rows = [line.removesuffix("  |") for line in tables["members"](ports.PositionView)]
    page(PAGE).check_table("`PositionView`", rows, told=True)


@pytest.mark.parametrize(
    "value",
    [
        Needs,
        Problem,
        OrderNews,
        plan.Plan,
        plan.Leg,
        plan.Stop,
        plan.Trail,
        OrderFilled,
        TimerFired,
        WatchCrossed,
    ],
)
def test_every_field_is_described(value: type, page: Callable[[str], Any], tables: Tables) -> None:
    page(PAGE).check_table(f"`{value.__name__}`", tables["fields"](value), told=True)


@pytest.mark.parametrize("words", [Wake, Release])
def test_every_word_is_named(words: Any, page: Callable[[str], Any]) -> None:
    text = page(PAGE).text
    assert [word for word in words if f"`{words.__name__}.{word.name}`" not in text] == []


def test_every_rule_of_prices_and_quantities_is_described(page: Callable[[str], Any], tables: Tables) -> None:
    rules = [plan.At, plan.FillTimes, plan.AverageTimes, plan.Fixed, plan.Filled, plan.Held]
    rows = [
        tables["row"](f"`{rule.__name__}({parameters(rule)})`", tables["summary"](rule)) for rule in rules
    ]
    page(PAGE).check_table("Rules of price and quantity", rows)


def parameters(owner: type) -> str:
    """Names of what a constructor takes, defaults left out."""
    return ", ".join(inspect.signature(owner).parameters)


def test_every_indicator_is_described(page: Callable[[str], Any], tables: Tables) -> None:
    found = [getattr(indicators, name) for name in indicators.__all__]
    found = [thing for thing in found if issubclass(thing, Indicator) and thing is not Indicator]
    rows = [
        tables["row"](f"`{each.__name__}({parameters(each)})`", tables["summary"](each)) for each in found
    ]
    page(PAGE).check_table("Indicators", rows)
