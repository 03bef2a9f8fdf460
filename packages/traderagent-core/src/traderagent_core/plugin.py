"""Registers what the core itself brings: two exchanges that trade in the venue model, and risk modes."""

from collections.abc import Iterable

from traderagent_core.hookspecs import hookimpl
from traderagent_core.specs import ExchangeAdapterSpec, RiskModeSpec


@hookimpl
def traderagent_exchange_adapters() -> Iterable[ExchangeAdapterSpec]:
    """Recorded candles, and live prices of another exchange, both with simulated fills."""
    from traderagent_core.adapters.built_in import (
        PaperConfig,
        SimulatedConfig,
        paper_adapter,
        simulated_adapter,
    )

    yield ExchangeAdapterSpec(
        name="simulated",
        summary="Plays recorded candles back, with simulated fills, fees, slippage, latency and funding.",
        config_model=SimulatedConfig,
        factory=simulated_adapter,
    )
    yield ExchangeAdapterSpec(
        name="paper",
        summary="Follows the prices of another exchange, with simulated fills; no order reaches it.",
        config_model=PaperConfig,
        factory=paper_adapter,
    )


@hookimpl
def traderagent_risk_modes() -> Iterable[RiskModeSpec]:
    """Halt, reduced, stress and drawdown, in the order of their priorities."""
    from traderagent_core.coordinator.risk_modes import (
        DrawdownConfig,
        DrawdownMode,
        HaltConfig,
        HaltMode,
        ReducedConfig,
        ReducedMode,
        StressConfig,
        StressMode,
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
    yield RiskModeSpec(
        name="stress",
        summary="Makes new exposure smaller while most traded symbols move alike.",
        config_model=StressConfig,
        factory=StressMode,
        priority=20,
    )
    yield RiskModeSpec(
        name="halt",
        summary="Bars everything that adds exposure once the drawdown is too deep, until that is acknowledged.",
        config_model=HaltConfig,
        factory=HaltMode,
        priority=40,
    )
