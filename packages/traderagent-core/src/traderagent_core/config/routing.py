"""Checks the routes of a file against the strategies that are installed and the bots that they lead to."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ValidationError

from traderagent_core.config.bots import HYBRID, Draft
from traderagent_core.config.installed import Installed, package_for, why_absent
from traderagent_core.config.problems import KeyPath
from traderagent_core.config.routed import FactorError, routed
from traderagent_core.config.routes import RESERVE, Way, ways_of
from traderagent_core.config.schema import AUTO
from traderagent_core.config.tree import Node, Problems
from traderagent_core.config.validate import note_unknown_key
from traderagent_core.config.words import words
from traderagent_core.host.hints import listed, nearest

Wrong = tuple[tuple[str | int, ...], str]
"""A key of a strategy's section, and what is wrong with it."""


def check_routes(
    root: Node, drafts: Sequence[Draft], host: Installed, problems: Problems, notes: Problems
) -> None:
    """What routes name must exist, and what they make of the sections of bots with `strategy: auto` must be valid."""
    ways = ways_of(root)
    autos = [draft for draft in drafts if draft.values.get("strategy") == AUTO]
    for number, way in enumerate(ways):
        if way.strategy is not None and not way.is_default:
            _check_strategy(way, way.strategy, ways[number - 1], host, problems)
        if way.change is not None:
            _check_sections(way, autos, problems)
    for draft in autos:
        _check_choice(draft, ways, host, problems)
    _note_idle(autos, ways, notes)


def _check_strategy(way: Way, name: str, before: Way, host: Installed, problems: Problems) -> None:
    node, path = way.node.children["strategy"], (*way.full_path, "strategy")
    spec = host.strategies.get(name)
    if way.path[1:] == (RESERVE,) and before.strategy == name:
        hint = f"it is for bots that cannot use {name!r}: name another strategy, or remove the reserve"
        problems.at_value(node, path, "the reserve is the same strategy as the route's own", hint)
    elif name in (AUTO, HYBRID):
        rule = f"a route leads to one strategy, and {name!r} is none"
        problems.at_value(node, path, rule, f"name one of: {listed(host.strategies)}", show=False)
    elif spec is None:
        problems.at_value(node, path, *why_absent(host, "strategy", name, host.strategies), show=False)
    else:
        known = set(spec.config_model.model_fields)
        for group in ("parameters", "factors"):
            keys = way.node.child(group)
            for key, value in keys.children.items() if keys else ():
                if key not in known:
                    note_unknown_key(value, (*way.full_path, group, key), known, problems)


# -- what a route makes of a section ------------------------------------------------------------------------


def _check_sections(way: Way, autos: Sequence[Draft], problems: Problems) -> None:
    """Told at the key of the route that does it, once for all bots; at the bot where no route is written."""
    found: dict[Wrong, list[Draft]] = defaultdict(list)
    for draft in autos:
        for wrong in _wrongs(way, draft):
            found[wrong].append(draft)
    for (location, said), bots in found.items():
        if way.node.children:
            _note_at_route(way, location, said, bots, problems)
        else:
            for draft in bots:
                _note_at_bot(way, said, draft, problems)


def _wrongs(way: Way, draft: Draft) -> Iterator[Wrong]:
    change = way.change
    section = None if change is None else draft.sections.get(change.strategy)
    if change is None or section is None or section.config is None or not section.is_enabled:
        return
    try:
        routed(section.config, change)
    except ValidationError as error:
        for entry in error.errors(include_url=False):
            said = ": ".join(part for part in words(entry) if part)
            yield entry["loc"], _told(entry["loc"], entry["input"], said)
    except FactorError as error:
        yield (error.key,), str(error)
    except Exception as error:
        yield (), f"its check failed with {type(error).__name__}: {error}; tell the plugin's author"


def _told(location: tuple[str | int, ...], value: object, said: str) -> str:
    """Key, what it becomes and what is wrong with that; only the last where it is a rule between keys."""
    if not location:
        return said
    key = ".".join(map(str, location))
    return (
        f"{key}: {said}" if isinstance(value, dict | list | BaseModel) else f"{key} becomes {value}: {said}"
    )


def _note_at_route(
    way: Way, location: tuple[str | int, ...], said: str, bots: Sequence[Draft], problems: Problems
) -> None:
    names = [repr(str(draft.values.get("name"))) for draft in bots]
    who = f"the bot {names[0]}" + (f" (and {len(names) - 1} more)" if len(names) > 1 else "")
    rule = problems.masked(f"makes the section {way.strategy!r} of {who} wrong: {said}")
    hint = "change this route, or the section"
    path, node = _place(way, location)
    if node is way.node:
        problems.at_key(node, path, f"this route {rule}", hint)
    else:
        problems.at_value(node, path, f"this {rule}", hint)


def _place(way: Way, location: tuple[str | int, ...]) -> tuple[KeyPath, Node]:
    """The parameter or factor that a message is about; the route where it is about neither."""
    for group in ("parameters", "factors"):
        node = (way.node.child(group) or Node({})).child(location[0]) if location else None
        if node is not None:
            return (*way.full_path, group, location[0]), node
    return way.full_path, way.node


def _note_at_bot(way: Way, said: str, draft: Draft, problems: Problems) -> None:
    strategy = str(way.strategy)
    rule = problems.masked(f"the route of {way.regime} makes this section wrong: {said}")
    hint = f"change the section, or write a route of your own under coordinator.router.{way.regime}"
    problems.at_key(draft.node.children[strategy], (*draft.path, strategy), rule, hint)


# -- what a bot can choose from -----------------------------------------------------------------------------


def _check_choice(draft: Draft, ways: Sequence[Way], host: Installed, problems: Problems) -> None:
    """An auto bot needs a section that a route leads to; what is told elsewhere already is not told again."""
    usable = {name for name, section in draft.sections.items() if section.is_enabled}
    names = {way.strategy for way in ways}
    if usable & names or (usable and _is_any_unknown(ways, host)) or _is_told(draft, host, problems):
        return
    there = sorted(str(name) for name in names if name in host.strategies)
    off = [name for name in there if name in draft.sections]
    if off:
        hint = f"switch one on by `enabled: true` in its section: {listed(off)}"
    else:
        hint = f"routes lead to {listed(there)}: write a section for one of them below the bot, with its keys"
    path = (*draft.path, "strategy")
    rule = "strategy 'auto' has nothing to choose from"
    problems.at_value(draft.node.children["strategy"], path, rule, hint, show=False)


def _note_idle(autos: Sequence[Draft], ways: Sequence[Way], notes: Problems) -> None:
    """Regimes in which bots have nothing to trade by, which may be meant."""
    regimes = list(dict.fromkeys(way.regime for way in ways))
    found: dict[tuple[str, ...], list[Draft]] = defaultdict(list)
    for draft in autos:
        usable = {way.regime for way in ways if _is_usable(draft, way)}
        found[tuple(regime for regime in regimes if regime not in usable)].append(draft)
    for idle, drafts in found.items():
        if idle:
            first, more = drafts[0], f" (nor have {len(drafts) - 1} more)" if len(drafts) > 1 else ""
            wanted = {str(way.strategy) for way in ways if way.regime in idle}
            hint = (
                f"routes lead there to {' or '.join(sorted(wanted))}, of which this bot has no section{more}"
            )
            node, path = first.node.children["strategy"], (*first.path, "strategy")
            notes.at_value(node, path, f"in {', '.join(idle)} nothing trades", hint, show=False)


def _is_usable(draft: Draft, way: Way) -> bool:
    section = draft.sections.get(str(way.strategy))
    return section is not None and section.is_enabled


def _is_any_unknown(ways: Sequence[Way], host: Installed) -> bool:
    return any(way.strategy not in host.strategies for way in ways if not way.is_default)


def _is_told(draft: Draft, host: Installed, problems: Problems) -> bool:
    """Whether a key of the bot that is meant as a section is a problem already."""
    return any(
        problems.has((*draft.path, key)) and (package_for("strategy", key) or nearest(key, host.strategies))
        for key in draft.node.children
        if key not in draft.sections
    )
