"""Seats: the strategies that bots become inside the engine, and where each regime leads on a pair.

A bot of one strategy has one seat of its own name. A bot with `strategy: auto` has one for each strategy and
configuration that its routes can lead to, named after the bot, the strategy and, where that has several
configurations, the first regime that leads there: `btc:trend`, `btc:grid-tight-range`.
"""

from collections.abc import Mapping, Sequence

from attrs import evolve, frozen

from traderagent_core.config.loaded import Bot, Config
from traderagent_core.config.schema import AUTO
from traderagent_core.coordinator.router import Route, Router
from traderagent_core.model.regime import Regime


@frozen
class RoutedPair:
    """The pair of an auto bot: to which seats each regime leads, best first; to none without a route."""

    bot: Bot
    seats: tuple[str, ...]
    routes: Mapping[Regime, tuple[str, ...]]


@frozen
class Seating:
    """All seats in the order of the file, each a bot of one strategy, and the pairs that have several."""

    seats: tuple[Bot, ...]
    pairs: tuple[RoutedPair, ...]


@frozen
class _Found:
    """A seat without its name, and the first regime that leads to it."""

    regime: Regime
    bot: Bot


def seat(config: Config) -> Seating:
    """Every bot's seats; loading has shown that every auto bot has one at least."""
    seats: list[Bot] = []
    pairs: list[RoutedPair] = []
    router = Router(config.coordinator.router)
    for bot in config.bots:
        if bot.strategy != AUTO:
            seats.append(bot)
            continue
        own, pair = _seats_of(bot, router)
        seats += own
        pairs.append(pair)
    return Seating(tuple(seats), tuple(pairs))


def _seats_of(bot: Bot, router: Router) -> tuple[list[Bot], RoutedPair]:
    found: list[_Found] = []
    usable = {
        name for name, section in bot.sections.items() if section.is_enabled and section.config is not None
    }
    ways = {regime: router.choices(regime, usable) for regime in Regime}
    for regime, choices in ways.items():  # Before any reserve, so that a seat is named after its own regime.
        for route in choices[:1]:
            _place(bot, regime, route, found)
    places = {regime: [_place(bot, regime, route, found) for route in ways[regime]] for regime in ways}
    names = [_name(bot, own, found) for own in found]
    routes = {regime: tuple(dict.fromkeys(names[place] for place in places[regime])) for regime in places}
    own = [evolve(each.bot, name=name) for name, each in zip(names, found, strict=True)]
    return own, RoutedPair(bot, tuple(names), routes)


def _place(bot: Bot, regime: Regime, route: Route, found: list[_Found]) -> int:
    """The place of a route's seat among those found, where it is put if it is new."""
    section = bot.sections[route.strategy]
    assert section.config is not None
    config = route.applied(section.config)
    for place, each in enumerate(found):
        if (each.bot.strategy, each.bot.strategy_config) == (route.strategy, config):
            return place
    made = evolve(bot, strategy=route.strategy, spec=section.spec, strategy_config=config)
    found.append(_Found(regime, made))
    return len(found) - 1


def _name(bot: Bot, own: _Found, found: Sequence[_Found]) -> str:
    name = f"{bot.name}:{own.bot.strategy}"
    is_only = sum(each.bot.strategy == own.bot.strategy for each in found) == 1
    return name if is_only else f"{name}-{own.regime.value.lower().replace('_', '-')}"
