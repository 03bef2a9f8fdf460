"""The routes of a file one by one, each as far as it is right, whatever else is wrong."""

from collections.abc import Iterator

from attrs import frozen
from pydantic import ValidationError

from traderagent_core.config.coordinator import DEFAULT_ROUTES, ReserveConfig
from traderagent_core.config.problems import KeyPath
from traderagent_core.config.tree import Node, is_empty
from traderagent_core.config.validate import valid_fields
from traderagent_core.model.regime import Regime

RESERVE = "reserve"


@frozen(eq=False)
class Way:
    """A route or its reserve, below `coordinator.router`; `node` has no keys where nothing is written.

    `strategy` and `change` are None where they are wrong. Default routes may name strategies that are not installed,
    also where they are written out.
    """

    path: tuple[str, ...]
    node: Node
    strategy: str | None
    change: ReserveConfig | None
    is_default: bool

    @property
    def regime(self) -> str:
        """The regime, as it is written."""
        return self.path[0]

    @property
    def full_path(self) -> KeyPath:
        """The whole key path."""
        return ("coordinator", "router", *self.path)


def ways_of(root: Node) -> list[Way]:
    """Every route, followed by its reserve where it has one; the default ones that are not replaced included."""
    router = (root.child("coordinator") or Node({})).child("router") or Node({})
    written = {name: node for name, node in router.children.items() if not is_empty(node)}
    found = [way for name, node in written.items() for way in _written(name, node)]
    for regime in Regime:
        if regime not in written:
            found += _default(regime)
    return found


def _default(regime: Regime) -> Iterator[Way]:
    route = DEFAULT_ROUTES[regime]
    yield Way((regime.value,), Node({}), route.strategy, route, is_default=True)
    if route.reserve is not None:
        path = (regime.value, RESERVE)
        yield Way(path, Node({}), route.reserve.strategy, route.reserve, is_default=True)


def _written(name: str, node: Node) -> Iterator[Way]:
    default = DEFAULT_ROUTES[Regime(name)] if name in set(Regime) else None
    yield _read((name,), node.without(RESERVE), default)
    reserve = node.child(RESERVE)
    if reserve is not None and not is_empty(reserve):
        yield _read((name, RESERVE), reserve, default.reserve if default else None)


def _read(path: tuple[str, ...], node: Node, default: ReserveConfig | None) -> Way:
    strategy = valid_fields(ReserveConfig, node).get("strategy")
    try:
        change = ReserveConfig.model_validate(node.plain())
    except ValidationError:
        return Way(path, node, strategy, None, is_default=False)
    is_default = default is not None and _content(change) == _content(default)
    return Way(path, node, strategy, change, is_default)


def _content(change: ReserveConfig) -> tuple[object, ...]:
    return change.strategy, change.parameters, change.factors
