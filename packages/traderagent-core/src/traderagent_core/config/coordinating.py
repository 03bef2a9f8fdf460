"""Reads the section `coordinator`, and checks it against the bots of the file."""

from collections.abc import Sequence

from traderagent_core.config.bots import Draft
from traderagent_core.config.coordinator import AllocatorConfig, CoordinatorConfig
from traderagent_core.config.installed import Installed
from traderagent_core.config.problems import KeyPath
from traderagent_core.config.routing import check_routes
from traderagent_core.config.tree import Node, Problems, is_empty
from traderagent_core.config.validate import check_model, valid_fields
from traderagent_core.host.hints import did_you_mean, listed

COORDINATOR = "coordinator"


def read_coordinator(root: Node, problems: Problems) -> CoordinatorConfig | None:
    """The section `coordinator`, or None with the problems noted; groups with nothing in them are not written."""
    node = root.child(COORDINATOR)
    if node is None or is_empty(node):
        return CoordinatorConfig()
    if node.children:
        node = _without_empty(node)
        if "router" in node.children and node.children["router"].children:
            node.children["router"] = _without_empty(node.children["router"])
    return check_model(CoordinatorConfig, node, (COORDINATOR,), problems)


def _without_empty(node: Node) -> Node:
    return node.without(*(key for key, child in node.children.items() if is_empty(child)))


def check_coordinator(
    root: Node, drafts: Sequence[Draft], host: Installed, problems: Problems, notes: Problems
) -> None:
    """Routes and weights against bots and strategies, as far as they are right by themselves."""
    check_routes(root, drafts, host, problems, notes)
    _check_weights(root, drafts, problems)


def _check_weights(root: Node, drafts: Sequence[Draft], problems: Problems) -> None:
    path: KeyPath = (COORDINATOR, "allocator", "weights")
    allocator = (root.child(COORDINATOR) or Node({})).child("allocator") or Node({})
    node = allocator.child("weights") or Node({})
    names = {str(draft.values["name"]) for draft in drafts if "name" in draft.values}
    for name in [name for name in node.children if name not in names]:
        rule = f"there is no bot {name!r}{did_you_mean(name, names)}"
        problems.at_key(node.children[name], (*path, name), rule, f"bots: {listed(names)}")
    weights = valid_fields(AllocatorConfig, allocator).get("weights")
    if names and weights is not None and not any(weights.get(name, 1) for name in names):
        hint = "give at least one bot a weight above 0; only proportions matter"
        problems.at_key(node, path, "the weights of the bots add up to 0", hint)
