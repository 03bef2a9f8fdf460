"""Builds the simulated exchange from its configuration."""

from collections.abc import Iterable

from traderagent_core.config.schema import SimulationConfig
from traderagent_core.model.instrument import Instrument
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.path import PathPolicy


def simulated_exchange(config: SimulationConfig, instruments: Iterable[Instrument]) -> SimulatedExchange:
    """An account with the configured balance and no positions."""
    return SimulatedExchange(
        instruments,
        balance=config.balance,
        slippage_ratio=config.slippage,
        defers_orders=PathPolicy(config.path) is PathPolicy.NEXT_CANDLE,
    )
