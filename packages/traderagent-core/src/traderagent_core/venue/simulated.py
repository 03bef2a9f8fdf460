"""Builds the simulated exchange from its configuration."""

from collections.abc import Iterable
from decimal import Decimal

from traderagent_core.config.schema import SimulationConfig
from traderagent_core.model.instrument import Instrument
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.path import PathPolicy


def simulated_exchange(
    config: SimulationConfig, instruments: Iterable[Instrument], forced_slippage: Decimal = Decimal(0)
) -> SimulatedExchange:
    """An account with the configured balance and no positions; `forced_slippage` is a ratio on top of the usual."""
    return SimulatedExchange(
        instruments,
        balance=config.balance,
        slippage_ratio=config.slippage,
        forced_slippage_ratio=forced_slippage,
        defers_orders=PathPolicy(config.path) is PathPolicy.NEXT_CANDLE,
    )
