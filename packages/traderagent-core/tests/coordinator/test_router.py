"""The router: one strategy for a regime, its reserve where it cannot be used, and keys that equal routes share."""

from decimal import Decimal

import pytest
from pydantic import BaseModel
from traderagent_core.config.coordinator import CoordinatorConfig, RouteConfig
from traderagent_core.coordinator.router import Router
from traderagent_core.model.regime import Regime

ALL = ("grid", "dca", "trend")


def router(**routes: dict[str, object]) -> Router:
    return Router(CoordinatorConfig.model_validate({"router": routes}).router)


@pytest.mark.parametrize(
    ("regime", "key"),
    [
        ("TIGHT_RANGE", 'grid(spacing="arithmetic")'),
        ("WIDE_RANGE", 'grid(spacing="geometric")'),
        ("QUIET_TRANSITION", "grid(range_ratio*0.7)"),
        (
            "VOLATILE_TRANSITION",
            "dca(amount_per_step*0.5, base_order_amount*0.5, safety_order_amount*0.5, total_amount*0.5)",
        ),
        ("BULL_TREND", 'trend(directions=["long"])'),
        ("BEAR_TREND", 'dca(direction="long", take_profit_percentage*2)'),
    ],
)
def test_the_table_of_regimes_is_the_default(regime: str, key: str) -> None:
    route = router().route(Regime(regime), ALL)
    assert route is not None
    assert (route.key, route.is_reserve) == (key, False)


def test_the_reserve_trades_only_where_the_strategy_cannot() -> None:
    both = router().route(Regime.QUIET_TRANSITION, ALL)
    alone = router().route(Regime.QUIET_TRANSITION, ("dca", "trend"))
    assert both is not None
    assert alone is not None
    assert (both.strategy, both.is_reserve) == ("grid", False)
    assert (alone.strategy, alone.is_reserve) == ("dca", True)


def test_nothing_trades_where_nothing_can() -> None:
    assert router().route(Regime.BULL_TREND, ("grid", "dca")) is None
    assert router().route(Regime.QUIET_TRANSITION, ()) is None


def test_routes_that_ask_for_the_same_share_their_key() -> None:
    made = router(
        TIGHT_RANGE={"strategy": "grid", "factors": {"range_ratio": "0.70", "amount_per_grid": 2}},
        WIDE_RANGE={"strategy": "grid", "factors": {"amount_per_grid": "2.0", "range_ratio": "0.7"}},
        BULL_TREND={"strategy": "grid", "factors": {"range_ratio": "0.7"}},
        BEAR_TREND={"strategy": "grid", "parameters": {"range_ratio": "0.7"}},
    )
    keys = [made.route(regime, ALL).key for regime in Regime]  # type: ignore[union-attr]
    assert keys[0] == keys[1] == "grid(amount_per_grid*2, range_ratio*0.7)"
    assert len(set(keys)) == 4
    assert set(made.routes) == {*keys, made.route(Regime.QUIET_TRANSITION, ("dca",)).key}  # type: ignore[union-attr]
    assert all(route.key == key for key, route in made.routes.items())


class Section(BaseModel):
    amount: Decimal = Decimal(10)
    kind: str = "a"


def test_a_route_changes_the_bots_section() -> None:
    route = Router(
        dict.fromkeys(Regime, RouteConfig(strategy="x", parameters={"kind": "b"}, factors={"amount": "0.5"}))
    ).route(Regime.BULL_TREND, {"x"})
    assert route is not None
    assert route.applied(Section(amount=Decimal(3))) == Section(amount=Decimal("1.5"), kind="b")
