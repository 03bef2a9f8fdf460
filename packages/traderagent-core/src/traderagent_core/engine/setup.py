"""What an engine is built from: its bots with their strategies, filters, limits and instruments."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import Factory, frozen

from traderagent_core.config.coordinator import AllocatorConfig
from traderagent_core.contract.capabilities import StopPlacement as StopPlacement
from traderagent_core.contract.entry_filter import EntryFilter
from traderagent_core.contract.risk_mode import RiskMode
from traderagent_core.contract.strategy import Problem, Strategy
from traderagent_core.errors import asking
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.regime import Regime


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
class PairSetup:
    """A pair on which several bots of the engine take turns, chosen by its regime.

    `members` are the names of those bots; `routes` say to which of them each regime leads, the first that is not in
    quarantine. `timeout_ms` is the time that one has to let go; with `hands_over` its position may go to the next.
    """

    bot: str
    symbol: str
    members: tuple[str, ...]
    routes: Mapping[Regime, tuple[str, ...]]
    timeout_ms: int
    hands_over: bool = True


@frozen
class AllocationSetup:
    """How equity is shared: the allocator's configuration, and each bot's own share of what it is given."""

    config: AllocatorConfig
    capital_shares: Mapping[str, Decimal]


@frozen
class EngineSetup:
    """Everything that an engine needs beside the market view; `run_id` starts every client order id."""

    bots: tuple[BotSetup, ...]
    balance: Decimal
    filters: Mapping[str, EntryFilter] = Factory(dict)
    modes: tuple[tuple[str, RiskMode], ...] = ()
    pairs: tuple[PairSetup, ...] = ()
    allocation: AllocationSetup | None = None
    freeze_timeout_ms: int = 30_000
    run_id: str = "sim"
    options: Mapping[str, Any] = Factory(dict)


def problems_of(bot: BotSetup, price: Decimal) -> list[Problem]:
    """What a strategy itself says against starting at a price."""
    funds = bot.budget * bot.leverage
    with asking(bot.strategy_name, "check"):
        found = list(type(bot.strategy).check(bot.strategy.config, bot.instrument, price, funds))
        strange = [each for each in found if not isinstance(each, Problem)]
        if strange:
            raise TypeError(f"expected Problems, not {type(strange[0]).__name__}")
    return found
