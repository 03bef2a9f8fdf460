"""Registers the DCA strategy."""

from collections.abc import Iterable

from traderagent_core import StrategySpec, hookimpl

from traderagent_dca.config import DcaConfig
from traderagent_dca.strategy import DcaStrategy


@hookimpl
def traderagent_strategies() -> Iterable[StrategySpec]:
    """Dollar-cost averaging in deals."""
    yield StrategySpec(
        name="dca",
        summary="Opens deals, averages down with safety orders, takes profit from the average price.",
        config_model=DcaConfig,
        factory=DcaStrategy,
    )
