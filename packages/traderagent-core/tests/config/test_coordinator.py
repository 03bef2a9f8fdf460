"""The section `coordinator`: defaults, routes that replace defaults, and every mistake at its place."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from traderagent_core.config.coordinator import DEFAULT_ROUTES, CoordinatorConfig, ReserveConfig, RouteConfig
from traderagent_core.config.effective import effective
from traderagent_core.config.load import Config, load_config
from traderagent_core.config.routed import routed
from traderagent_core.model.regime import Regime

Problems = Callable[[str | bytes], list[dict[str, Any]]]

BOT = """\
bots:
  - name: a
    symbol: BTC/USDT
    strategy: auto
    grid: {lower_price: 1, upper_price: 2, grid_levels: 5, recenter: atr}
"""
GRID = {"lower_price": 1, "upper_price": 2, "grid_levels": 5}


def load(host: Any, coordinator: Any) -> Config:
    bot = {"name": "a", "symbol": "BTC/USDT", "strategy": "auto", "grid": GRID}
    return load_config({"bots": [bot], "coordinator": coordinator}, host=host, environ={"N": "5"})


@pytest.mark.parametrize("nothing", [None, {}, {"regime": None, "router": {"BULL_TREND": None}}])
def test_nothing_written_means_the_defaults(host: Any, nothing: Any) -> None:
    config = load(host, nothing)
    assert config.coordinator == CoordinatorConfig()
    assert config.coordinator.router == DEFAULT_ROUTES


def test_a_written_route_replaces_the_default_of_its_regime(host: Any) -> None:
    route = {"strategy": "grid", "factors": {"amount_per_grid": "0.5"}, "reserve": {"strategy": "quiet"}}
    router = load(host, {"router": {"BEAR_TREND": route}}).coordinator.router
    assert router[Regime.BEAR_TREND] == RouteConfig(
        strategy="grid",
        factors={"amount_per_grid": Decimal("0.5")},
        reserve=ReserveConfig(strategy="quiet"),
    )
    assert {regime: router[regime] for regime in Regime if regime is not Regime.BEAR_TREND} == {
        regime: route for regime, route in DEFAULT_ROUTES.items() if regime is not Regime.BEAR_TREND
    }


def test_it_loads_again_to_the_same(host: Any) -> None:
    written = {
        "regime": {"confirmations": "${N}", "regime_timeframe": "4h"},
        "router": {"TIGHT_RANGE": {"strategy": "grid", "parameters": {"weights": [1, "2.50"], "label": "x"}}},
        "allocator": {"weights": {"a": "2"}},
        "correlation": {"window": 24},
    }
    config = load(host, written)
    content = effective(config)
    assert content["coordinator"]["router"]["BULL_TREND"]["strategy"] == "trend"
    again = load(host, content["coordinator"])
    assert again.coordinator == config.coordinator
    assert again.sha256 == config.sha256 != load(host, None).sha256


def route(text: str, regime: str = "WIDE_RANGE") -> str:
    return f"coordinator: {{router: {{{regime}: {{{text}}}}}}}\n"


BROKEN: dict[str, tuple[str, int, int, str, str]] = {
    "no mapping in a group": (
        "coordinator: {allocator: 5}\n",
        1,
        26,
        "coordinator.allocator",
        "keys: cold_start_factor",
    ),
    "no mapping": ("coordinator: 5\n", 1, 14, "coordinator", "keys that may stand here: allocator"),
    "unknown group": ("coordinator: {regimes: {}}\n", 1, 15, "coordinator.regimes", "did you mean 'regime'"),
    "unknown key": (
        "coordinator:\n  regime: {trend_adxx: 5}\n",
        2,
        12,
        "coordinator.regime.trend_adxx",
        "did you mean 'trend_adx'",
    ),
    "wrong order": (
        "coordinator: {regime: {trend_adx: 20}}\n",
        1,
        35,
        "coordinator.regime.trend_adx",
        "expected trend_adx 20 to be at least trend_exit_adx 28",
    ),
    "wrong order with a default": (
        "coordinator: {regime: {range_adx: 25}}\n",
        1,
        35,
        "coordinator.regime.range_adx",
        "expected transition_adx 22 to be at least range_adx 25",
    ),
    "unknown regime": (
        route("strategy: grid", "WIDE_RAGNE"),
        1,
        24,
        "coordinator.router.WIDE_RAGNE",
        "did you mean WIDE_RANGE",
    ),
    "unknown strategy": (
        route("strategy: gird"),
        1,
        47,
        "coordinator.router.WIDE_RANGE.strategy",
        "did you mean 'grid'",
    ),
    "unknown strategy of a reserve": (
        route("strategy: grid, reserve: {strategy: gird}"),
        1,
        73,
        "coordinator.router.WIDE_RANGE.reserve.strategy",
        "did you mean 'grid'",
    ),
    "unknown parameter": (
        route("strategy: grid, parameters: {spacin: x}"),
        1,
        66,
        "coordinator.router.WIDE_RANGE.parameters.spacin",
        "did you mean 'spacing'",
    ),
    "unknown factor": (
        route("strategy: grid, factors: {grid_level: 2}"),
        1,
        63,
        "coordinator.router.WIDE_RANGE.factors.grid_level",
        "did you mean 'grid_levels'",
    ),
    "factor of no size": (
        route("strategy: grid, factors: {grid_levels: 0}"),
        1,
        76,
        "coordinator.router.WIDE_RANGE.factors.grid_levels",
        "must be above 0",
    ),
    "value and factor": (
        route("strategy: grid, parameters: {grid_levels: 5}, factors: {grid_levels: 2}"),
        1,
        83,
        "coordinator.router.WIDE_RANGE.factors",
        "has a value and a factor",
    ),
    "value that the strategy refuses": (
        route("strategy: grid, parameters: {spacing: round}"),
        1,
        75,
        "coordinator.router.WIDE_RANGE.parameters.spacing",
        "makes the section 'grid' of the bot 'a' wrong: spacing becomes round: expected one of",
    ),
    "factor on a text": (
        route("strategy: grid, factors: {recenter: 2}"),
        1,
        73,
        "coordinator.router.WIDE_RANGE.factors.recenter",
        "recenter is 'atr', which is no number",
    ),
    "result out of bounds": (
        route("strategy: grid, factors: {grid_levels: '0.1'}"),
        1,
        76,
        "coordinator.router.WIDE_RANGE.factors.grid_levels",
        "grid_levels becomes 0: must be at least 2",
    ),
    "rule between keys broken by a route": (
        route("strategy: grid, factors: {lower_price: 3}"),
        1,
        24,
        "coordinator.router.WIDE_RANGE",
        "lower_price 3 must be below upper_price 2",
    ),
    "reserve of itself": (
        route("strategy: grid, reserve: {strategy: grid}"),
        1,
        73,
        "coordinator.router.WIDE_RANGE.reserve.strategy",
        "the reserve is the same strategy as the route's own",
    ),
    "two strategies in a route": (
        route("strategy: [grid, quiet]"),
        1,
        37,
        "coordinator.router.WIDE_RANGE.strategy",
        "two never trade a pair together",
    ),
    "two strategies in a text": (
        route("strategy: grid + quiet"),
        1,
        47,
        "coordinator.router.WIDE_RANGE.strategy",
        "below `reserve:`",
    ),
    "a name for a route": (
        "coordinator: {router: {WIDE_RANGE: grid}}\n",
        1,
        36,
        "coordinator.router.WIDE_RANGE",
        "write {strategy: grid}",
    ),
    "a filter for a strategy": (
        route("strategy: volume"),
        1,
        47,
        "coordinator.router.WIDE_RANGE.strategy",
        "'volume' is no strategy, but an entry filter it stands under `filters`",
    ),
    "per cent for a ratio": (
        "coordinator: {regime: {volatile_atr_ratio: 2}}\n",
        1,
        44,
        "coordinator.regime.volatile_atr_ratio",
        "2 % is 0.02",
    ),
    "hybrid in a route": (
        route("strategy: hybrid"),
        1,
        47,
        "coordinator.router.WIDE_RANGE.strategy",
        "name one of: grid, quiet",
    ),
    "weights of nothing": (
        "coordinator: {allocator: {weights: {a: 0}}}\n",
        1,
        27,
        "coordinator.allocator.weights",
        "the weights of the bots add up to 0",
    ),
    "negative weight": (
        "coordinator: {allocator: {weights: {a: -1}}}\n",
        1,
        40,
        "coordinator.allocator.weights.a",
        "must be at least 0",
    ),
    "weight that is no number": (
        "coordinator: {allocator: {weights: {a: .nan}}}\n",
        1,
        40,
        "coordinator.allocator.weights.a",
        "expected a number of ordinary size",
    ),
    "weight of nobody": (
        "coordinator: {allocator: {weights: {b: 1}}}\n",
        1,
        37,
        "coordinator.allocator.weights.b",
        "there is no bot 'b'",
    ),
    "no reserve left": (
        "coordinator: {allocator: {reserve_ratio: 1}}\n",
        1,
        42,
        "coordinator.allocator.reserve_ratio",
        "must be below 1",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_mistakes_are_told_at_their_place(problems: Problems, case: str) -> None:
    text, line, column, key, words = BROKEN[case]
    (found,) = problems(text + BOT)
    assert (found["line"], found["column"], found["key"]) == (line, column, key)
    assert words in f"{found['rule']} {found['hint']}"


ALL = """\
coordinator:
  regime: {trend_adx: 20}
  router:
    WIDE_RAGNE: {strategy: gird}
    TIGHT_RANGE: {strategy: grid, factor: {grid_levels: 2}, reserve: {strategy: dca_}}
    WIDE_RANGE: {strategy: grid, factors: {grid_levels: "0.1"}, parameters: 5}
    BULL_TREND: {strategy: grid, parameters: {spacing: round}}
  allocator: {weights: {a: 0, b: 1, c: -1}}
  correlation: {window: 1}
risk_modes: {reduced: {period: x}}
bots:
  - {name: a, symbol: BTC/USDT, strategy: auto, grid: &grid {lower_price: 1, upper_price: 2, grid_levels: 5}}
  - {name: d, symbol: BTC/USDT, strategy: auto, grid: *grid}
  - {name: e, symbol: ETH/USDT, strategy: auto}
  - {name: f, symbol: XRP/USDT, strategy: "grid, quiet"}
"""


def test_all_mistakes_of_routes_weights_and_bots_are_told_together(problems: Problems) -> None:
    assert [(problem["line"], problem["key"]) for problem in problems(ALL)] == [
        (2, "coordinator.regime.trend_adx"),
        (4, "coordinator.router.WIDE_RAGNE"),
        (4, "coordinator.router.WIDE_RAGNE.strategy"),
        (5, "coordinator.router.TIGHT_RANGE.factor"),
        (5, "coordinator.router.TIGHT_RANGE.reserve.strategy"),
        (6, "coordinator.router.WIDE_RANGE.parameters"),
        (7, "coordinator.router.BULL_TREND.parameters.spacing"),
        (8, "coordinator.allocator.weights.b"),
        (8, "coordinator.allocator.weights.c"),
        (8, "coordinator.allocator.weights.c"),
        (9, "coordinator.correlation.window"),
        (10, "risk_modes.reduced.period"),
        (13, "bots[1].symbol"),
        (14, "bots[2].strategy"),
        (15, "bots[3].strategy"),
    ]


def test_one_mistake_of_a_route_is_told_once_for_all_bots(problems: Problems) -> None:
    bots = BOT + BOT.replace("bots:\n", "").replace("name: a", "name: b").replace("BTC", "ETH")
    (found,) = problems(route("strategy: grid, parameters: {spacing: round}") + bots)
    assert "of the bot 'a' (and 1 more) wrong" in found["rule"]


@pytest.mark.parametrize(
    ("section", "hint"),
    [
        ("", "routes lead to grid: write a section"),
        ("quiet: {}", "routes lead to grid: write a section"),
        ("grid: {enabled: false}", "switch one on by `enabled: true` in its section: grid"),
        ("max_daily_loss: 5", "routes lead to grid"),
    ],
)
def test_auto_with_nothing_to_choose_from_is_told_at_the_bot(
    problems: Problems, section: str, hint: str
) -> None:
    text = f"bots:\n  - name: a\n    symbol: BTC/USDT\n    strategy: auto\n    {section}\n"
    found = problems(text)[0]
    assert (found["line"], found["column"], found["key"]) == (4, 15, "bots[0].strategy")
    assert found["rule"] == "strategy 'auto' has nothing to choose from"
    assert hint in found["hint"]


def test_a_misspelt_section_is_one_mistake(problems: Problems) -> None:
    text = "bots:\n  - name: a\n    symbol: BTC/USDT\n    strategy: auto\n    gird: {grid_levels: 5}\n"
    (found,) = problems(text)
    assert "did you mean 'grid'" in found["rule"]


def test_a_default_route_that_does_not_suit_the_bot_is_told_at_the_bot(problems: Problems) -> None:
    bot = BOT.replace("recenter: atr", "stops: {distance: 5}")
    found = problems(bot)
    assert [problem["key"] for problem in found] == ["bots[0].grid.stops.distance"]


class Inner(BaseModel):
    """A strategy's section."""

    amount: Decimal | None = None
    levels: int = 10
    share: float = 0.1
    spacing: str = "arithmetic"
    width: Decimal = Decimal(1)


def test_factors_multiply_what_is_there() -> None:
    factors = {"amount": "0.5", "levels": "0.25", "share": "3", "width": "0.7", "elsewhere": "2"}
    route = ReserveConfig(strategy="x", parameters={"spacing": "geometric", "other": 1}, factors=factors)
    assert routed(Inner(), route) == Inner(levels=2, share=0.3, spacing="geometric", width=Decimal("0.7"))
    assert routed(Inner(amount=Decimal(30), levels=1), route).model_dump()["amount"] == Decimal(15)
    assert routed(Inner(), ReserveConfig(strategy="x")) == Inner()


def test_what_a_route_makes_of_a_section_is_checked_by_its_model() -> None:
    with pytest.raises(ValidationError):
        routed(Inner(), ReserveConfig(strategy="x", parameters={"levels": "many"}))
    with pytest.raises(ValueError, match="spacing is 'arithmetic'"):
        routed(Inner(), ReserveConfig(strategy="x", factors={"spacing": 2}))
