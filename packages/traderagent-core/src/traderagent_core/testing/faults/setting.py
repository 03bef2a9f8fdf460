"""What is traded in a simulated world: bots by a configuration, or the scripted strategies."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from traderagent_core.config.load import load_config
from traderagent_core.config.loaded import Config
from traderagent_core.host import PluginHost
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.specs import (
    EntryFilterSpec,
    EventSinkSpec,
    ExchangeAdapterSpec,
    RiskModeSpec,
    StrategySpec,
)
from traderagent_core.testing.faults.strategies import SCRIPTS

BALANCE = Decimal(10_000)
LARGEST_POSITION = Decimal(6_000)
EXCESS = 4
"""Times as much as a script asks for is more than the largest position."""

SYMBOL = "BTC/USDT"
HISTORY_MS = 30 * 60_000
NEVER_SLOW_MS = 3_600_000
"""How long the machine takes over a call is no part of the world, and would tell one run of a seed from another."""


@frozen
class WithScripts:
    """A plugin host that knows the scripted strategies too."""

    host: PluginHost

    @property
    def strategies(self) -> Mapping[str, StrategySpec]:
        """Installed strategies and scripts."""
        return {**self.host.strategies, **SCRIPTS}

    @property
    def entry_filters(self) -> Mapping[str, EntryFilterSpec]:
        """As installed."""
        return self.host.entry_filters

    @property
    def exchange_adapters(self) -> Mapping[str, ExchangeAdapterSpec]:
        """As installed."""
        return self.host.exchange_adapters

    @property
    def risk_modes(self) -> Mapping[str, RiskModeSpec]:
        """As installed."""
        return self.host.risk_modes

    @property
    def event_sinks(self) -> Mapping[str, EventSinkSpec]:
        """As installed."""
        return self.host.event_sinks

    @property
    def plugins(self) -> Sequence[Any]:
        """As installed."""
        return self.host.plugins


@frozen
class Setting:
    """A configuration with the instruments that its bots trade. With `has_stops` all that they hold has a stop.

    `history_ms` is how far back candles are read at a start.
    """

    config: Config
    instruments: tuple[Instrument, ...]
    has_stops: bool = False
    history_ms: int = HISTORY_MS


@lru_cache(maxsize=8)
def scripted(strategy: str, *, is_greedy: bool = False) -> Setting:
    """One of the scripted strategies on one linear contract. A greedy one asks for more than it may hold, too."""
    bot = {
        "name": "bot",
        "symbol": SYMBOL,
        "strategy": strategy,
        "market": "linear",
        "timeframe": "1m",
        "leverage": 5,
        "risk_management": {"max_position_size": str(LARGEST_POSITION)},
        strategy: {"excess": EXCESS} if is_greedy else {},
    }
    return setting_of(load_config({"bots": [bot]}, host=WithScripts(PluginHost.discover(()))), has_stops=True)


def scripted_many(symbols: int) -> Setting:
    """The scripted strategies in turns on many linear contracts, each of which is to be traded for minutes.

    They trade little of their money, so that fees have not taken all of it after months.
    """
    names = list(SCRIPTS)
    slow = {"pause_seconds": 60, "shift_seconds": 300, "share": "0.005"}
    bots = [
        {
            "name": f"bot-{number}",
            "symbol": f"C{number}/USDT",
            "strategy": names[number % len(names)],
            "market": "linear",
            "timeframe": "1m",
            "leverage": 5,
            names[number % len(names)]: slow,
        }
        for number in range(symbols)
    ]
    return setting_of(load_config({"bots": bots}, host=WithScripts(PluginHost.discover(()))), has_stops=True)


@lru_cache(maxsize=8)
def configured(file: Path) -> Setting:
    """The bots of a configuration; its exchange, balance and candles do not count."""
    return setting_of(load_config(file))


def setting_of(config: Config, *, has_stops: bool = False) -> Setting:
    """What the bots of a configuration trade; its exchange and balance do not count."""
    simulation = config.simulation.model_copy(update={"balance": BALANCE})
    instruments = tuple(
        Instrument(
            bot.symbol,
            bot.market,
            lot_size=Decimal("0.001"),
            min_notional=Decimal(5),
            maker_fee_ratio=simulation.maker_fee_ratio(bot.market),
            taker_fee_ratio=simulation.taker_fee_ratio(bot.market),
            max_leverage=Decimal(50) if bot.market is Market.LINEAR else Decimal(1),
        )
        for bot in config.bots
    )
    return Setting(evolve(config, simulation=simulation, slow_call_ms=NEVER_SLOW_MS), instruments, has_stops)
