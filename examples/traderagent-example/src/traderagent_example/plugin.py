"""Registers what the package offers; nothing else stands here."""

from collections.abc import Iterable

from traderagent_core import EntryFilterSpec, EventSinkSpec, RiskModeSpec, StrategySpec, hookimpl

from traderagent_example.bad_day import BadDay
from traderagent_example.breakout import Breakout
from traderagent_example.config import BadDayConfig, BreakoutConfig, StreakConfig, TailConfig
from traderagent_example.streak import StreakFilter
from traderagent_example.tail import Tail


@hookimpl
def traderagent_strategies() -> Iterable[StrategySpec]:
    """One strategy."""
    yield StrategySpec(
        name="breakout",
        summary="Buys new highs and follows them with a trailing stop.",
        config_model=BreakoutConfig,
        factory=Breakout,
    )


@hookimpl
def traderagent_entry_filters() -> Iterable[EntryFilterSpec]:
    """One entry filter."""
    yield EntryFilterSpec(
        name="streak",
        summary="Refuses entries while closes fall in a row.",
        config_model=StreakConfig,
        factory=StreakFilter,
    )


@hookimpl
def traderagent_risk_modes() -> Iterable[RiskModeSpec]:
    """One risk mode."""
    yield RiskModeSpec(
        name="bad-day",
        summary="Halves sizes on a bad day, and ends a very bad one.",
        config_model=BadDayConfig,
        factory=BadDay,
        priority=20,
    )


@hookimpl
def traderagent_event_sinks() -> Iterable[EventSinkSpec]:
    """One event sink."""
    yield EventSinkSpec(
        name="tail",
        summary="Writes what happens in a live run to a file.",
        config_model=TailConfig,
        factory=Tail,
    )
