"""The grid keeps what every strategy promises."""

from decimal import Decimal as D
from typing import Any

from traderagent_core.testing import LINEAR, SPOT, StrategyConformance
from traderagent_grid.config import GridConfig
from traderagent_grid.strategy import GridStrategy

RANGE: dict[str, Any] = {"lower_price": 85, "upper_price": 115, "grid_levels": 16, "amount_per_grid": 100}


def grid(**keys: Any) -> GridConfig:
    return GridConfig.model_validate({**RANGE, **keys})


class TestSpotGrid(StrategyConformance):
    strategy_class = GridStrategy
    instruments = (SPOT,)
    configs = (
        grid(),
        grid(
            spacing="geometric",
            profit_per_grid="0.015",
            stop_loss_price=70,
            take_profit_price=140,
            trailing_enabled=True,
            trailing_recenter_mode="atr",
            trailing_cooldown_candles=2,
            trend_guard_enabled=True,
            max_drawdown="0.3",
        ),
        grid(bounds="atr", lower_price=None, upper_price=None, atr_multiplier=6, max_position=3000),
    )


class TestLinearGrid(StrategyConformance):
    strategy_class = GridStrategy
    instruments = (LINEAR,)
    stop_placement = "attached"
    leverage = D(3)
    configs = (
        grid(stop_loss_price=70, upper_stop_loss_price=130, trend_guard_enabled=True),
        grid(direction="long", stop_loss_price=75, trailing_enabled=True, max_drawdown="0.2"),
        grid(direction="short", stop_loss_price=130, take_profit_price=75),
    )
