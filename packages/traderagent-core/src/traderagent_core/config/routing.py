"""Reads the section `coordinator`, and checks its routes and weights against the bots of the file."""

from collections.abc import Iterator, Sequence

from attrs import frozen
from pydantic import ValidationError

from traderagent_core.config.bots import Draft
from traderagent_core.config.coordinator import DEFAULT_ROUTES, CoordinatorConfig, ReserveConfig
from traderagent_core.config.installed import Installed, why_absent
from traderagent_core.config.problems import KeyPath
from traderagent_core.config.routed import routed
from traderagent_core.config.schema import AUTO
from traderagent_core.config.tree import Node, Problems
from traderagent_core.config.validate import check_model, note_unknown_key
from traderagent_core.config.words import words
from traderagent_core.host.hints import did_you_mean, listed


def read_coordinator(root: Node, problems: Problems) -> CoordinatorConfig | None:
    """The section `coordinator`, or None with the problems noted; groups with nothing in them are not written."""
    node = root.child("coordinator")
    if node is None or _is_empty(node):
        return CoordinatorConfig()
    if node.children:
        node = _without_empty(node)
        if "router" in node.children and node.children["router"].children:
            node.children["router"] = _without_empty(node.children["router"])
    return check_model(CoordinatorConfig, node, ("coordinator",), problems)


def _is_empty(node: Node) -> bool:
    return node.content is None and not node.variables


def _without_empty(node: Node) -> Node:
    return node.without(*(key for key, child in node.children.items() if _is_empty(child)))


def check_coordinator(
    config: CoordinatorConfig, root: Node, drafts: Sequence[Draft], host: Installed, problems: Problems
) -> None:
    """Routes against the strategies that are installed and the bots that may be routed, weights against bots."""
    for way in _ways(config):
        node = _node(root, way.full_path)
        if not way.is_default:
            _check_written(way, node, host, problems)
        for draft in drafts:
            if draft.values.get("strategy") == AUTO:
                _check_routed(way, node, draft, problems)
    _check_weights(config, root, drafts, problems)


def _check_weights(
    config: CoordinatorConfig, root: Node, drafts: Sequence[Draft], problems: Problems
) -> None:
    path: KeyPath = ("coordinator", "allocator", "weights")
    names = {str(draft.values.get("name")) for draft in drafts}
    weights = config.allocator.weights
    if names and not any(weights.get(name, 1) for name in names):
        hint = "give at least one bot a weight above 0"
        problems.at_key(_node(root, path), path, "the weights of the bots add up to 0", hint)
    for name in [name for name in weights if name not in names]:
        rule = f"there is no bot {name!r}{did_you_mean(name, names)}"
        problems.at_key(_node(root, (*path, name)), (*path, name), rule, f"bots: {listed(names)}")


def _node(node: Node, path: KeyPath) -> Node:
    """The value at a path; an empty one where nothing is written."""
    for part in path:
        node = node.child(part) or Node({})
    return node


@frozen
class _Way:
    """A route or its reserve, and where it is written below `router`.

    Default routes may name strategies that are not installed, also where they are written out.
    """

    path: tuple[str, ...]
    route: ReserveConfig
    is_default: bool

    @property
    def full_path(self) -> KeyPath:
        return ("coordinator", "router", *self.path)


def _ways(config: CoordinatorConfig) -> Iterator[_Way]:
    for regime, route in config.router.items():
        is_default = route == DEFAULT_ROUTES[regime]
        yield _Way((regime.value,), route, is_default)
        if route.reserve is not None:
            yield _Way((regime.value, "reserve"), route.reserve, is_default)


def _check_written(way: _Way, node: Node, host: Installed, problems: Problems) -> None:
    name = way.route.strategy
    spec = host.strategies.get(name)
    if spec is None:
        rule, hint = why_absent(host, "strategy", name, host.strategies)
        problems.at_value(node.children["strategy"], (*way.full_path, "strategy"), rule, hint, show=False)
        return
    known = set(spec.config_model.model_fields)
    for group in ("parameters", "factors"):
        keys = node.child(group)
        for key, value in keys.children.items() if keys else ():
            if key not in known:
                note_unknown_key(value, (*way.full_path, group, key), known, problems)


def _check_routed(way: _Way, node: Node, draft: Draft, problems: Problems) -> None:
    """Whether the bot's section can be changed as the route says; told at the route, if it is written."""
    section = draft.sections.get(way.route.strategy)
    if section is None or section.config is None or not section.is_enabled:
        return
    try:
        routed(section.config, way.route)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        said = ".".join(map(str, first["loc"])), ": ".join(part for part in words(first) if part)
        wrong = ": ".join(part for part in said if part)
    except ValueError as error:
        wrong = str(error)
    else:
        return
    bot = f"the section {way.route.strategy!r} of the bot {draft.values.get('name')!r}"
    rule = problems.masked(f"{bot} cannot be changed so in {way.path[0]}: {wrong}")
    if node.children:
        problems.at_key(node, way.full_path, rule, "change this route, or the bot's section")
    else:
        path = (*draft.path, way.route.strategy)
        hint = f"change it, or write a route of your own under coordinator.router.{way.path[0]}"
        problems.at_key(draft.node.children[way.route.strategy], path, rule, hint)
