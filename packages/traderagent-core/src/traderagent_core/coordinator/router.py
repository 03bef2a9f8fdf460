"""The strategy router: which strategy trades a pair in a regime, and with which changes to its section."""

import json
from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

from attrs import define, frozen
from pydantic import BaseModel

from traderagent_core.config.coordinator import ReserveConfig, RouteConfig
from traderagent_core.config.routed import routed
from traderagent_core.model.regime import Regime


@frozen
class Route:
    """One strategy, never two, as a regime changes it.

    `key` is what states and records keep: equal for routes that ask for the same, so that a change of regime between
    them changes nothing at work. It reads like `grid(range_ratio*0.7)`.
    """

    key: str
    change: ReserveConfig
    is_reserve: bool = False

    @property
    def strategy(self) -> str:
        """The strategy's name."""
        return self.change.strategy

    def applied(self, section: BaseModel) -> BaseModel:
        """The bot's section of this strategy, changed; loading a configuration has shown that it is valid."""
        return routed(section, self.change)


@define(slots=False, eq=False)
class Router:
    """The routes of a configuration; one for each regime, some with a reserve."""

    config: Mapping[Regime, RouteConfig]

    def route(self, regime: Regime, usable: Collection[str]) -> Route | None:
        """The route of a regime, or its reserve, whichever first names a usable strategy; None when neither does.

        Usable are strategies whose section the bot has switched on and that are not in quarantine.
        """
        return next(iter(self.choices(regime, usable)), None)

    def choices(self, regime: Regime, usable: Collection[str]) -> tuple[Route, ...]:
        """The route of a regime and its reserve, as far as their strategies are usable, best first."""
        return tuple(route for route in self._choices[regime] if route.strategy in usable)

    @cached_property
    def routes(self) -> Mapping[str, Route]:
        """All routes that a pair may come to have, by key."""
        return {route.key: route for choices in self._choices.values() for route in choices}

    @cached_property
    def _choices(self) -> Mapping[Regime, tuple[Route, ...]]:
        return {regime: _choices(route) for regime, route in self.config.items()}


def _choices(route: RouteConfig) -> tuple[Route, ...]:
    first = Route(_key(route), route)
    if route.reserve is None:
        return (first,)
    return (first, Route(_key(route.reserve), route.reserve, is_reserve=True))


def _key(change: ReserveConfig) -> str:
    parts = [f"{name}={_text(value)}" for name, value in sorted(change.parameters.items())]
    parts += [f"{name}*{_number(factor)}" for name, factor in sorted(change.factors.items())]
    return f"{change.strategy}({', '.join(parts)})" if parts else change.strategy


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=_number, ensure_ascii=False)


def _number(value: Decimal) -> str:
    """0.7 and 0.70 are one factor."""
    return format(value.normalize(), "f")
