"""Test kit for authors of plugins: markets, a harness that runs a strategy, and conformance classes to inherit.

Names are loaded when they are first used: pytest imports this package at every start.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from traderagent_core.testing.conformance.entry_filter import EntryFilterConformance
    from traderagent_core.testing.conformance.risk_mode import RiskModeConformance
    from traderagent_core.testing.conformance.strategy import StrategyConformance, Subject
    from traderagent_core.testing.harness import Bot, Conditions, Run, run_bots, run_strategy
    from traderagent_core.testing.markets import market
    from traderagent_core.testing.prober import Prober, ProberConfig

_HOMES = {
    "Bot": "harness",
    "Conditions": "harness",
    "EntryFilterConformance": "conformance.entry_filter",
    "Prober": "prober",
    "ProberConfig": "prober",
    "RiskModeConformance": "conformance.risk_mode",
    "Run": "harness",
    "StrategyConformance": "conformance.strategy",
    "Subject": "conformance.strategy",
    "market": "markets",
    "run_bots": "harness",
    "run_strategy": "harness",
}

__all__ = [
    "Bot",
    "Conditions",
    "EntryFilterConformance",
    "Prober",
    "ProberConfig",
    "RiskModeConformance",
    "Run",
    "StrategyConformance",
    "Subject",
    "market",
    "run_bots",
    "run_strategy",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
