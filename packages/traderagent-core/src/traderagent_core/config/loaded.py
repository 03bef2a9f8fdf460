"""A loaded configuration: checked values that nobody changes any more."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from attrs import field, frozen
from pydantic import BaseModel

from traderagent_core.config.coordinator import CoordinatorConfig
from traderagent_core.config.installed import Installed
from traderagent_core.config.lazy_text import LazyText
from traderagent_core.config.problems import ConfigProblem, KeyPath
from traderagent_core.config.schema import ExchangeConfig, RiskManagementConfig, SimulationConfig
from traderagent_core.model.instrument import Market
from traderagent_core.specs import (
    EntryFilterSpec,
    EventSinkSpec,
    ExchangeAdapterSpec,
    RiskModeSpec,
    StrategySpec,
)


class FilterPart(NamedTuple):
    """An entry filter that is switched on."""

    name: str
    spec: EntryFilterSpec
    config: BaseModel


class RiskModePart(NamedTuple):
    """A risk mode that is switched on."""

    name: str
    spec: RiskModeSpec
    config: BaseModel


class SinkPart(NamedTuple):
    """An event sink that is switched on."""

    name: str
    spec: EventSinkSpec
    config: BaseModel


@frozen
class StrategySection:
    """A strategy's section of a bot; `config` is None when it is switched off and incomplete."""

    spec: StrategySpec
    config: BaseModel | None
    is_enabled: bool = True


@frozen
class Bot:
    """One bot, checked. `spec` and `strategy_config` are None when `strategy` is auto.

    `exchange_config` holds the keys of `exchange` that are the adapter's own; None when it is not installed.
    """

    name: str
    symbol: str
    strategy: str
    spec: StrategySpec | None
    strategy_config: BaseModel | None
    sections: Mapping[str, StrategySection]
    exchange: ExchangeConfig
    timeframe: str
    market: Market
    leverage: Decimal
    risk: RiskManagementConfig
    dry_run: bool
    auto_start: bool
    capital_share: Decimal
    exchange_config: BaseModel | None = None


@frozen
class Config:
    """A configuration that may be used. `path` is None when it came from Python values.

    `sha256` identifies the effective values, secrets left out; `notes` are what a person should know.
    `exchanges` are the adapters at hand, `distributions` gave the plugins in use: name, version.
    `presets` are those given beside the file. `origins` say where each value is written, in a file or a preset; what
    is not among them is a default.
    `host` is where its plugins were found. Who watches, `event_sinks`, is no part of what it means.
    `plugins` are the names and paths of the file's allow-list, None when the bots' own names are the list.
    """

    path: Path | None
    sha256: str
    simulation: SimulationConfig
    coordinator: CoordinatorConfig
    bots: tuple[Bot, ...]
    filters: tuple[FilterPart, ...]
    risk_modes: tuple[RiskModePart, ...]
    plugins: tuple[str, ...] | None
    disabled_plugins: tuple[str, ...]
    log_level: str
    slow_call_ms: int
    hung_call_ms: int
    database_url: LazyText | None
    encryption_key: LazyText | None
    exchanges: Mapping[str, ExchangeAdapterSpec] = field(factory=dict, eq=False)
    distributions: Mapping[str, str] = field(factory=dict, eq=False)
    notes: tuple[ConfigProblem, ...] = field(default=(), eq=False)
    origins: Mapping[KeyPath, str] = field(factory=dict, eq=False, repr=False)
    presets: tuple[Path, ...] = field(default=(), eq=False)
    event_sinks: tuple[SinkPart, ...] = field(default=(), eq=False)
    host: Installed | None = field(default=None, eq=False, repr=False)
