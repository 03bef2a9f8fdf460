"""Default routes speak of strategies and keys that exist, and suit the usual sections of a bot."""

from decimal import Decimal
from typing import Any

import pytest
from traderagent_core.config.coordinator import DEFAULT_ROUTES, CoordinatorConfig
from traderagent_core.config.load import load_config
from traderagent_core.config.routed import routed
from traderagent_core.host import PluginHost
from traderagent_core.model.regime import Regime

SECTIONS: dict[str, Any] = {
    "grid": {
        "upper_price": "72000",
        "lower_price": "65000",
        "grid_levels": 6,
        "amount_per_grid": "150",
        "profit_per_grid": "0.012",
    },
    "dca": {
        "trigger_percentage": "0.04",
        "amount_per_step": "150",
        "max_steps": 4,
        "take_profit_percentage": "0.08",
    },
    "trend": {"directions": ["long", "short"]},
}


@pytest.fixture(scope="module")
def host() -> PluginHost:
    return PluginHost.discover(None)


def section(host: PluginHost, regime: Regime, *, of_reserve: bool = False) -> Any:
    route: Any = CoordinatorConfig().router[regime]
    route = route.reserve if of_reserve else route
    model = host.strategies[route.strategy].config_model
    return routed(model.model_validate(SECTIONS[route.strategy]), route)


@pytest.mark.parametrize("regime", Regime)
def test_every_strategy_and_key_exists(host: PluginHost, regime: Regime) -> None:
    route = DEFAULT_ROUTES[regime]
    for each in (route, route.reserve) if route.reserve else (route,):
        fields = host.strategies[each.strategy].config_model.model_fields
        assert {*each.parameters, *each.factors} <= set(fields)


def test_routes_change_what_the_table_of_regimes_says(host: PluginHost) -> None:
    assert section(host, Regime.TIGHT_RANGE).spacing == "arithmetic"
    assert section(host, Regime.WIDE_RANGE).spacing == "geometric"
    assert section(host, Regime.QUIET_TRANSITION).range_ratio == Decimal("0.7")
    assert section(host, Regime.VOLATILE_TRANSITION).amounts == (Decimal(75),) * 4
    assert section(host, Regime.QUIET_TRANSITION, of_reserve=True).amounts == (Decimal(75),) * 4
    assert [each.value for each in section(host, Regime.BULL_TREND).directions] == ["long"]
    accumulating = section(host, Regime.BEAR_TREND)
    assert (accumulating.take_profit_percentage, accumulating.is_long) == (Decimal("0.16"), True)


def test_a_bot_with_all_three_sections_loads(host: PluginHost) -> None:
    bot = {"name": "a", "symbol": "BTC/USDT", "strategy": "auto", **SECTIONS}
    assert load_config({"bots": [bot]}, host=host).coordinator.router == DEFAULT_ROUTES
