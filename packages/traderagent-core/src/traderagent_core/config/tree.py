"""The configuration as a tree of values that know where they stand in the file."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from attrs import Factory, define, evolve, frozen

from traderagent_core.config.environment import expand
from traderagent_core.config.lazy_text import LazyText
from traderagent_core.config.problems import (
    BOT_DEFAULTS,
    ConfigProblem,
    KeyPath,
    is_secret,
    key_text,
    shorten,
)

SHORTEST_MASKED = 4


@frozen
class Place:
    """A position in a file, counted from 1; None where there is no file.

    `file` is that of a preset, otherwise None; `is_default` says that it is below `bot_defaults`.
    """

    line: int | None = None
    column: int | None = None
    file: str | None = None
    is_default: bool = False


NOWHERE = Place()

Scalar = str | int | bool | Decimal | LazyText | None
Content = Scalar | dict[str, "Node"] | list["Node"]


@define(eq=False)
class Node:
    """A value, where it stands (`place`) and where its key stands (`key_place`).

    `text` is the scalar as written; `variables` and `missing` name the environment variables in it.
    """

    content: Content
    place: Place = NOWHERE
    key_place: Place = NOWHERE
    text: str = ""
    variables: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def children(self) -> dict[str, "Node"]:
        """What stands under the keys; nothing when this is no mapping."""
        return self.content if isinstance(self.content, dict) else {}

    @property
    def items(self) -> list["Node"]:
        """The elements; nothing when this is no list."""
        return self.content if isinstance(self.content, list) else []

    @property
    def aim_of_key(self) -> Place:
        """Where the key stands, or the value itself when it has none (list items, the whole file)."""
        return self.place if self.key_place.line is None else self.key_place

    def child(self, part: str | int) -> "Node | None":
        """The value under a key or at an index."""
        if isinstance(part, str):
            return self.children.get(part)
        return self.items[part] if 0 <= part < len(self.items) else None

    def shown(self, path: KeyPath) -> str:
        """The value for a message: secrets masked, values of variables never shown."""
        if isinstance(self.content, dict):
            return "keys and values"
        if isinstance(self.content, list):
            return "a list"
        if self.content is None and not self.variables:
            return "nothing"
        if is_secret(path) and not self.variables:
            return "***"
        return shorten(repr(self.text) if isinstance(self.content, str) else self.text)

    def without(self, *keys: str) -> "Node":
        """This mapping without some keys."""
        kept = {key: child for key, child in self.children.items() if key not in keys}
        return Node(kept, self.place, self.key_place)

    def plain(self) -> Any:
        """The value as dicts, lists and scalars."""
        if isinstance(self.content, dict):
            return {key: child.plain() for key, child in self.content.items()}
        if isinstance(self.content, list):
            return [child.plain() for child in self.content]
        return self.content

    def walk(self, path: KeyPath = ()) -> Iterator[tuple[KeyPath, "Node"]]:
        """Every value below and this one, with its key path."""
        yield path, self
        for key, child in self.children.items():
            yield from child.walk((*path, key))
        for index, child in enumerate(self.items):
            yield from child.walk((*path, index))


def is_empty(node: Node) -> bool:
    """Whether a key is written with nothing after it."""
    return node.content is None and not node.variables


def _aim(node: Node) -> Place:
    """Where a problem of this value is shown: a scalar itself, otherwise the key that holds the value."""
    is_scalar = not isinstance(node.content, dict | list)
    return node.place if is_scalar else node.aim_of_key


@define(eq=False)
class Problems:
    """Collects what is wrong in one file."""

    file: str
    found: list[ConfigProblem] = Factory(list)
    paths: set[KeyPath] = Factory(set)
    masks: dict[str, str] = Factory(dict)

    def at_value(self, node: Node, path: KeyPath, rule: str, hint: str = "", *, show: bool = True) -> None:
        """A problem of a value."""
        value = node.shown(path) if show else None
        self._add(_aim(node), path, rule, value, hint)

    def at_key(self, node: Node, path: KeyPath, rule: str, hint: str = "") -> None:
        """A problem of a key as such; the value is not shown."""
        self._add(node.aim_of_key, path, rule, None, hint)

    def at_place(self, place: Place, path: KeyPath, rule: str, hint: str = "") -> None:
        """A problem at a position."""
        self._add(place, path, rule, None, hint)

    def has(self, path: KeyPath) -> bool:
        """Whether something was already said about this key."""
        return path in self.paths

    def in_order(self) -> list[ConfigProblem]:
        """All problems as they follow each other in the file, then those of other files; none of them twice."""
        unique: dict[ConfigProblem, ConfigProblem] = {}
        for problem in self.found:
            unique.setdefault(self._identity(problem), problem)
        return sorted(unique.values(), key=self._place)

    def _place(self, problem: ConfigProblem) -> tuple[bool, str, int, int]:
        return problem.file != self.file, problem.file, problem.line or 0, problem.column or 0

    def _identity(self, problem: ConfigProblem) -> ConfigProblem:
        """One place in a file is one problem, although aliases lead to it by several keys."""
        return problem if problem.line is None else evolve(problem, key="")

    def record(self, place: Place, path: KeyPath, rule: str, value: str | None, hint: str) -> ConfigProblem:
        """A problem as a record, not collected."""
        if place.is_default:  # It belongs to the bots, and stands elsewhere.
            path = (BOT_DEFAULTS, *path[2:])
        file = place.file or self.file
        return ConfigProblem(file, place.line, place.column, key_text(path), rule, value, hint)

    def _add(self, place: Place, path: KeyPath, rule: str, value: str | None, hint: str) -> None:
        self.paths.add(path)
        self.found.append(self.record(place, path, rule, value, hint))

    def masked(self, text: str) -> str:
        """A message that somebody else worded, without secrets and values of variables."""
        for secret, written in self.masks.items():
            text = text.replace(secret, written)
        return text


def expand_variables(root: Node, environ: Mapping[str, str], problems: Problems) -> None:
    """Put environment variables into all texts of a tree, in place.

    A text with a variable that is not set becomes a LazyText which raises when it is asked for.
    """
    for path, node in root.walk():
        if isinstance(node.content, str) and "$" in node.content:
            _expand_node(node, path, environ, problems)
        elif is_secret(path) and isinstance(node.content, str):
            _mask(node.content, "***", problems)


def _expand_node(node: Node, path: KeyPath, environ: Mapping[str, str], problems: Problems) -> None:
    expansion = expand(str(node.content), environ)
    if expansion.malformed:
        problems.at_value(
            node,
            path,
            f"{expansion.malformed[0]!r} is not a variable",
            "write ${NAME} or ${NAME:-default}, and $$ for a dollar sign",
        )
        return
    node.variables, node.missing = expansion.names, expansion.missing
    if expansion.missing:
        node.content = LazyText(problem=_unset(node, path, problems))
        return
    if expansion.names or is_secret(path):
        _mask(expansion.text, node.text if expansion.names else "***", problems)
    node.content = expansion.text


def _mask(secret: str, written: str, problems: Problems) -> None:
    """Keep a value out of messages that others word, such as a plugin's."""
    if len(secret) >= SHORTEST_MASKED:
        problems.masks[secret] = written


def _unset(node: Node, path: KeyPath, problems: Problems) -> ConfigProblem:
    name = node.missing[0]
    rule = f"environment variable {name} is not set"
    return problems.record(node.place, path, rule, node.shown(path), unset_hint(name))


def unset_hint(name: str) -> str:
    """How to mend an unset variable."""
    return f"set {name} in the environment, or write ${{{name}:-default}}"


def from_mapping(source: Mapping[Any, Any], problems: Problems) -> Node:
    """A tree of a configuration given as Python values. Floats are taken by their shortest text."""
    return _from_value(source, (), problems)


def _from_value(value: Any, path: KeyPath, problems: Problems) -> Node:
    if isinstance(value, Mapping):
        children: dict[str, Node] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                problems.at_place(NOWHERE, (*path, repr(key)), f"keys are texts, not {type(key).__name__}")
                continue
            children[key] = _from_value(item, (*path, key), problems)
        return Node(children)
    if isinstance(value, list | tuple):
        return Node([_from_value(item, (*path, index), problems) for index, item in enumerate(value)])
    if isinstance(value, float):
        return Node(Decimal(repr(value)), text=repr(value))
    if value is None or isinstance(value, str | int | Decimal | LazyText):
        return Node(value, text=str(value).lower() if isinstance(value, bool) else str(value))
    problems.at_place(NOWHERE, path, f"a {type(value).__name__} is no value of a configuration")
    return Node(None)
