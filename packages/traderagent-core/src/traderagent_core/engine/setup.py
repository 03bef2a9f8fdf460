"""What an engine is built from: its bots with their strategies, filters, limits and instruments."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from attrs import Factory, frozen

from traderagent_core.contract.entry_filter import EntryFilter
from traderagent_core.contract.risk_mode import RiskMode
from traderagent_core.contract.strategy import Strategy
from traderagent_core.model.instrument import Instrument

StopPlacement = Literal["attached", "resting", "engine"]
"""How stops are held: travelling with the entry, as an order of their own, or as a price watch of the engine."""


@frozen
class Limits:
    """Limits of one bot: position and daily loss in quote currency, stop as a ratio of the average entry price."""

    max_position_size: Decimal | None = None
    stop_loss_ratio: Decimal | None = None
    max_daily_loss: Decimal | None = None


@frozen
class BotSetup:
    """One bot: a strategy on an instrument. `budget` is in quote currency, before leverage."""

    name: str
    strategy_name: str
    strategy: Strategy
    instrument: Instrument
    timeframe: str
    budget: Decimal
    leverage: Decimal = Decimal(1)
    limits: Limits = Limits()
    stop_placement: StopPlacement = "engine"


@frozen
class EngineSetup:
    """Everything that an engine needs beside the market view; `run_id` starts every client order id."""

    bots: tuple[BotSetup, ...]
    balance: Decimal
    filters: Mapping[str, EntryFilter] = Factory(dict)
    modes: tuple[tuple[str, RiskMode], ...] = ()
    run_id: str = "sim"
    options: Mapping[str, Any] = Factory(dict)
