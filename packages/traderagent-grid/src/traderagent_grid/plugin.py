"""Registers the grid strategy."""

from collections.abc import Iterable

from traderagent_core import StrategySpec, hookimpl

from traderagent_grid.config import GridConfig
from traderagent_grid.strategy import GridStrategy


@hookimpl
def traderagent_strategies() -> Iterable[StrategySpec]:
    """The grid."""
    yield StrategySpec(
        name="grid",
        summary="Buys below and sells above on a ladder of limit orders.",
        config_model=GridConfig,
        factory=GridStrategy,
    )
