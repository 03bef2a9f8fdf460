"""Registers what the core itself brings: the simulated exchange and two risk modes."""

from collections.abc import Iterable

from traderagent_core.hookspecs import hookimpl
from traderagent_core.specs import ExchangeAdapterSpec, RiskModeSpec


@hookimpl
def traderagent_exchange_adapters() -> Iterable[ExchangeAdapterSpec]:
    """The simulated exchange."""
    from traderagent_core.config.schema import SimulationConfig
    from traderagent_core.venue.simulated import simulated_exchange

    yield ExchangeAdapterSpec(
        name="simulated",
        summary="Fills orders from candles, with fees, slippage, latency, funding and liquidation.",
        config_model=SimulationConfig,
        factory=simulated_exchange,
    )


@hookimpl
def traderagent_risk_modes() -> Iterable[RiskModeSpec]:
    """Drawdown and daily loss; the order of priorities is halt, reduced, stress, drawdown."""
    from traderagent_core.coordinator.risk_modes import (
        DrawdownConfig,
        DrawdownMode,
        ReducedConfig,
        ReducedMode,
    )

    yield RiskModeSpec(
        name="drawdown",
        summary="Makes new exposure smaller while equity is far below its peak.",
        config_model=DrawdownConfig,
        factory=DrawdownMode,
        priority=10,
    )
    yield RiskModeSpec(
        name="reduced",
        summary="Makes new exposure smaller, then bars entries until UTC midnight, as the daily loss grows.",
        config_model=ReducedConfig,
        factory=ReducedMode,
        priority=30,
    )
