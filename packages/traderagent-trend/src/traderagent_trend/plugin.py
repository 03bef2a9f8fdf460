"""Registers the trend strategy."""

from collections.abc import Iterable

from traderagent_core import StrategySpec, hookimpl

from traderagent_trend.config import TrendConfig
from traderagent_trend.strategy import TrendStrategy


@hookimpl
def traderagent_strategies() -> Iterable[StrategySpec]:
    """The trend follower."""
    yield StrategySpec(
        name="trend",
        summary="Follows two moving averages, with stop, target and trailing from the average true range.",
        config_model=TrendConfig,
        factory=TrendStrategy,
    )
