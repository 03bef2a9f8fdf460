"""Layers of a configuration: what is written counts, key by key, before what a layer below says."""

from attrs import evolve

from traderagent_core.config.problems import BOT_DEFAULTS, KeyPath
from traderagent_core.config.tree import Node, Place, Problems, is_empty

_ROUTES: KeyPath = ("coordinator", "router")
OWN_KEYS = ("name", "symbol")
"""What every bot has for itself."""


def laid_over(upper: Node, lower: Node, path: KeyPath = ()) -> Node:
    """One tree of two. Groups are joined, and so are groups inside them; a route, a list or a value is one thing."""
    if not lower.children or path[:-1] == _ROUTES:
        return upper
    if not upper.children:
        return lower if is_empty(upper) or upper.content == {} else upper
    joined = {
        key: laid_over(child, lower.children[key], (*path, key)) if key in lower.children else child
        for key, child in upper.children.items()
    }
    joined |= {key: child for key, child in lower.children.items() if key not in joined}
    return Node(joined, upper.place, upper.key_place)


def stamped(root: Node, *, file: str | None = None, is_default: bool = False) -> Node:
    """The same tree, in which every value knows its file, or that it stands in `bot_defaults`."""

    def stamp(place: Place) -> Place:
        return evolve(place, file=file or place.file, is_default=is_default or place.is_default)

    for _, node in root.walk():
        node.place = stamp(node.place)
        if node.key_place.line is not None:
            node.key_place = stamp(node.key_place)
    return root


def origins_of(root: Node, file: str) -> dict[KeyPath, str]:
    """Where every value and every list is written, as `file:line`, with the variables in it."""
    return {
        path: _origin(node, file)
        for path, node in root.walk()
        if not isinstance(node.content, dict) and not is_empty(node)
    }


def _origin(node: Node, file: str) -> str:
    place = node.place.file or file
    at = place if node.place.line is None else f"{place}:{node.place.line}"
    return " ".join([at, *(f"${{{name}}}" for name in node.variables)])


def with_defaults(root: Node, problems: Problems) -> Node:
    """The tree with `bot_defaults` laid under every bot."""
    node, bots = root.child(BOT_DEFAULTS), root.child("bots")
    if node is None:
        return root
    rest = root.without(BOT_DEFAULTS)
    if not node.children:
        if not is_empty(node) and node.content != {}:
            hint = "write the keys that every bot shall have, such as {timeframe: 4h}"
            problems.at_value(node, (BOT_DEFAULTS,), "expected keys and values", hint)
        return rest
    for key in [key for key in OWN_KEYS if key in node.children]:
        rule, hint = "every bot has its own", "write it at the bots"
        problems.at_key(node.children[key], (BOT_DEFAULTS, key), rule, hint)
    defaults = stamped(node.without(*OWN_KEYS), is_default=True)
    if bots is not None:
        items = [laid_over(bot, defaults) if bot.children else bot for bot in bots.items]
        rest.children["bots"] = Node(items, bots.place, bots.key_place) if items else bots
    return rest
