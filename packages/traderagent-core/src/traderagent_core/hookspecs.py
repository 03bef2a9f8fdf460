"""The hooks a plugin may implement. They register and are called once; the engine calls bound methods."""

from collections.abc import Iterable

import pluggy

from traderagent_core.specs import (
    CommandSpec,
    EntryFilterSpec,
    EventSinkSpec,
    ExchangeAdapterSpec,
    RiskModeSpec,
    StrategySpec,
)

PROJECT = "traderagent"
HOOK_API_VERSION = 1

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def traderagent_strategies() -> Iterable[StrategySpec]:  # type: ignore[empty-body]
    """Strategies that this plugin offers."""


@hookspec
def traderagent_entry_filters() -> Iterable[EntryFilterSpec]:  # type: ignore[empty-body]
    """Entry filters that this plugin offers."""


@hookspec
def traderagent_exchange_adapters() -> Iterable[ExchangeAdapterSpec]:  # type: ignore[empty-body]
    """Exchange adapters that this plugin offers."""


@hookspec
def traderagent_risk_modes() -> Iterable[RiskModeSpec]:  # type: ignore[empty-body]
    """Risk modes that this plugin offers."""


@hookspec
def traderagent_event_sinks() -> Iterable[EventSinkSpec]:  # type: ignore[empty-body]
    """Event sinks that this plugin offers."""


@hookspec
def traderagent_commands() -> Iterable[CommandSpec]:  # type: ignore[empty-body]
    """Commands that this plugin adds to the command line."""
