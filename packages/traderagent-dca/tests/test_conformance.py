"""DCA keeps what every strategy promises."""

from decimal import Decimal as D
from typing import Any

from traderagent_core.testing import LINEAR, SPOT, StrategyConformance
from traderagent_dca.config import DcaConfig
from traderagent_dca.strategy import DcaStrategy


def dca(**keys: Any) -> DcaConfig:
    usual = {"amount_per_step": 150, "price_deviation": "0.02", "take_profit_percentage": "0.015"}
    return DcaConfig.model_validate({**usual, **keys})


class TestSpotDca(StrategyConformance):
    strategy_class = DcaStrategy
    instruments = (SPOT,)
    configs = (
        dca(trigger_percentage="0.04"),
        dca(
            max_steps=8, max_active_safety_orders=2, volume_scale="1.3", step_scale="1.1", cooldown_candles=3
        ),
        dca(
            start="rsi",
            rsi_threshold=40,
            take_profit_percentage="0.03",
            take_profit_steps=[{"gain": "0.01", "share": "0.4"}, {"gain": "0.02", "share": "0.3"}],
            break_even_percentage="0.012",
            stop_loss_percentage="0.1",
        ),
        dca(
            start="ema_cross",
            ema_fast=5,
            ema_slow=15,
            trailing_deviation="0.004",
            stop_loss_percentage="0.08",
            stop_loss_from="base",
            max_deals=6,
        ),
        dca(take_profit_from="base", deviation_from="previous", max_safety_orders=0),
    )


class TestLinearDca(StrategyConformance):
    strategy_class = DcaStrategy
    instruments = (LINEAR,)
    stop_placement = "attached"
    leverage = D(3)
    configs = (
        dca(trigger_percentage="0.03", stop_loss_percentage="0.12", max_steps=6),
        dca(direction="short", trigger_percentage="0.03", stop_loss_percentage="0.1", cooldown_candles=2),
        dca(
            direction="short",
            overlap="0.08",
            price_deviation=None,
            total_amount=1000,
            amount_per_step=None,
            volume_scale="1.2",
            trailing_deviation="0.005",
            break_even_percentage="0.01",
        ),
        dca(
            start="rsi",
            rsi_threshold=45,
            max_active_safety_orders=1,
            take_profit_steps=[{"gain": "0.008", "share": "0.5"}],
        ),
    )
