"""Test kit for authors of plugins: markets, a harness that runs a strategy, and conformance classes to inherit.

Names are loaded when they are first used: pytest imports this package at every start.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from traderagent_core.testing.conditions import Bot, Conditions
    from traderagent_core.testing.conformance.entry_filter import EntryFilterConformance
    from traderagent_core.testing.conformance.exchange_adapter import ExchangeAdapterConformance
    from traderagent_core.testing.conformance.risk_mode import RiskModeConformance
    from traderagent_core.testing.conformance.strategy import StrategyConformance, Subject
    from traderagent_core.testing.exchange_rig import ExchangeRig
    from traderagent_core.testing.faults.exploring import Share, explore, play
    from traderagent_core.testing.faults.scenario import Scenario
    from traderagent_core.testing.hand_made import LINEAR, SPOT, candles_from_closes, candles_from_rows
    from traderagent_core.testing.harness import run_bots, run_strategy, start_bots, start_strategy
    from traderagent_core.testing.markets import market
    from traderagent_core.testing.prober import Prober, ProberConfig
    from traderagent_core.testing.run import Run
    from traderagent_core.testing.turns import Holder, HolderConfig, start_turns
    from traderagent_core.testing.venue_rig import VenueRig

_HOMES = {
    "LINEAR": "hand_made",
    "SPOT": "hand_made",
    "Bot": "conditions",
    "Conditions": "conditions",
    "EntryFilterConformance": "conformance.entry_filter",
    "ExchangeAdapterConformance": "conformance.exchange_adapter",
    "ExchangeRig": "exchange_rig",
    "Holder": "turns",
    "HolderConfig": "turns",
    "Prober": "prober",
    "ProberConfig": "prober",
    "RiskModeConformance": "conformance.risk_mode",
    "Run": "run",
    "Scenario": "faults.scenario",
    "Share": "faults.exploring",
    "StrategyConformance": "conformance.strategy",
    "Subject": "conformance.strategy",
    "VenueRig": "venue_rig",
    "candles_from_closes": "hand_made",
    "candles_from_rows": "hand_made",
    "explore": "faults.exploring",
    "market": "markets",
    "play": "faults.exploring",
    "run_bots": "harness",
    "run_strategy": "harness",
    "start_bots": "harness",
    "start_strategy": "harness",
    "start_turns": "turns",
}

__all__ = [
    "LINEAR",
    "SPOT",
    "Bot",
    "Conditions",
    "EntryFilterConformance",
    "ExchangeAdapterConformance",
    "ExchangeRig",
    "Holder",
    "HolderConfig",
    "Prober",
    "ProberConfig",
    "RiskModeConformance",
    "Run",
    "Scenario",
    "Share",
    "StrategyConformance",
    "Subject",
    "VenueRig",
    "candles_from_closes",
    "candles_from_rows",
    "explore",
    "market",
    "play",
    "run_bots",
    "run_strategy",
    "start_bots",
    "start_strategy",
    "start_turns",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
