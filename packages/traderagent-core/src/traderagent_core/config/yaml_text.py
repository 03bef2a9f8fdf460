"""YAML text to a tree with positions: YAML 1.2, numbers kept as written, syntax errors in plain words."""

from decimal import Decimal, InvalidOperation
from typing import Any

from attrs import Factory, define
from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.scanner import Scanner, ScannerError

from traderagent_core.config.problems import KeyPath
from traderagent_core.config.syntax_words import OTHER_VERSION, syntax_words
from traderagent_core.config.tree import NOWHERE, Node, Place, Problems, Scalar

DEEPEST = 40
MOST_VALUES = 50_000
LONGEST_NUMBER = 60
LARGEST_EXPONENT = 40
VERSION = (1, 2)

_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = {f"{_TAG}str", f"{_TAG}timestamp"}
_TRUE = {"true", "yes", "on", "y"}
_OUT_OF_RANGE = "this number is out of range"


class _StopReading(Exception):
    """Reading cannot go on; the problem is already noted."""


def parse_yaml(text: str, problems: Problems) -> Node | None:
    """The tree of a YAML text, or None when a problem (noted) forbids to read on."""
    try:
        root = _yaml(problems).compose(text)
        return None if root is None else _Builder(problems).build(root, ())
    except _StopReading:
        return None
    except ReaderError as error:
        _note_bad_character(error, text, problems)
    except MarkedYAMLError as error:
        _note_syntax(error, text, problems)
    except YAMLError as error:
        problems.at_place(Place(1, 1), (), f"this is not YAML: {error}")
    return None


class _Scanner(Scanner):
    """Refuses files that say they are another YAML, which would read some values in another way."""

    def scan_yaml_directive_value(self, start_mark: Any) -> Any:
        version = super().scan_yaml_directive_value(start_mark)
        if version != VERSION:
            raise ScannerError(None, None, OTHER_VERSION, start_mark)
        return version


class _LimitedComposer(Composer):
    """Refuses huge nesting and sizes before they become a recursion error."""

    problems: Problems
    levels = 0
    seen = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.levels += 1
        self.seen += 1
        if self.levels > DEEPEST or self.seen > MOST_VALUES:
            rule = f"nested deeper than {DEEPEST} levels" if self.levels > DEEPEST else "too many values"
            place = _place(self.parser.peek_event().start_mark)
            self.problems.at_place(place, (), rule, "look for a bracket that is not closed")
            raise _StopReading
        node = super().compose_node(parent, index)
        self.levels -= 1
        return node


def _yaml(problems: Problems) -> Any:
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = _Scanner
    yaml.Composer = _LimitedComposer
    yaml.composer.warn_double_anchors = False
    yaml.composer.problems = problems
    return yaml


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _start(node: Any, key_place: Place) -> Place:
    """Where a value begins; nothing at all stands at its key."""
    is_empty = isinstance(node, ScalarNode) and not node.value and node.style is None
    return key_place if is_empty and key_place is not NOWHERE else _place(node.start_mark)


def _note_bad_character(error: Any, text: str, problems: Problems) -> None:
    before = text[: error.position]
    place = Place(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
    problems.at_place(
        place, (), f"character {text[error.position]!r} is not allowed in YAML", "remove the character"
    )


def _note_syntax(error: Any, text: str, problems: Problems) -> None:
    # What is never closed is shown where it was opened.
    is_open = any(end in str(error.problem) for end in ("end of stream", "<stream end>"))
    mark = (error.context_mark if is_open else None) or error.problem_mark or error.context_mark
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    rule, hint = syntax_words(error, line)
    problems.at_place(_place(mark), (), rule, hint)


@define(eq=False)
class _Builder:
    """Turns ruamel's nodes into ours: aliases and merge keys followed, duplicate keys noted."""

    problems: Problems
    open_nodes: list[int] = Factory(list)
    count: int = 0

    def build(self, node: Any, path: KeyPath, key_place: Place = NOWHERE) -> Node:
        built = Node(None, _start(node, key_place), key_place)
        self._enter(node, built, path)
        if isinstance(node, ScalarNode):
            built.text = node.value
            built.content = self._scalar(node, built, path)
        elif isinstance(node, SequenceNode):
            built.content = [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        else:
            built.content = self._mapping(node, path)
        if not isinstance(node, ScalarNode) and node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
            self._note_tag(node.tag, built, path)
        self.open_nodes.pop()
        return built

    def _enter(self, node: Any, built: Node, path: KeyPath) -> None:
        self.count += 1
        if id(node) in self.open_nodes:
            self.problems.at_key(built, path, "this alias contains itself", "write the values out")
            raise _StopReading
        if self.count > MOST_VALUES:
            self.problems.at_key(built, path, "too many values", "use fewer aliases")
            raise _StopReading
        self.open_nodes.append(id(node))

    def _mapping(self, node: Any, path: KeyPath) -> dict[str, Node]:
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAG}merge":
                self._merge(value_node, path, merged)
            else:
                self._add_key(key_node, value_node, path, own)
        return own | {key: child for key, child in merged.items() if key not in own}

    def _add_key(self, key_node: Any, value_node: Any, path: KeyPath, own: dict[str, Node]) -> None:
        place = _place(key_node.start_mark)
        if not isinstance(key_node, ScalarNode) or key_node.tag not in _TEXT_TAGS:
            hint = "put the key in quotes" if isinstance(key_node, ScalarNode) and key_node.value else ""
            self.problems.at_place(place, path, "a key is not a text", hint or "write `key: value`")
            return
        key = key_node.value
        if key in own:
            first = own[key].key_place.line
            rule = f"this key is written twice, first in line {first}"
            self.problems.at_place(place, (*path, key), rule, "remove one of them")
            return
        own[key] = self.build(value_node, (*path, key), place)

    def _merge(self, node: Any, path: KeyPath, merged: dict[str, Node]) -> None:
        """`<<: *name` or `<<: [*a, *b]`; of several sources the first that has a key wins."""
        sources = node.value if isinstance(node, SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, MappingNode):
                rule = "`<<` merges keys and values"
                self.problems.at_place(_place(source.start_mark), (*path, "<<"), rule, "write `<<: *name`")
                continue
            for key, child in self.build(source, path).children.items():
                merged.setdefault(key, child)

    def _scalar(self, node: Any, built: Node, path: KeyPath) -> Scalar:
        text: str = node.value
        if node.tag in _TEXT_TAGS:
            return text
        if node.tag == f"{_TAG}null":
            return None
        if node.tag == f"{_TAG}bool":
            return text.lower() in _TRUE
        if node.tag in (f"{_TAG}int", f"{_TAG}float"):
            return self._number(text, built, path)
        self._note_tag(node.tag, built, path)
        return text

    def _number(self, text: str, built: Node, path: KeyPath) -> Scalar:
        """The number that the text says, to the last digit: never by way of a float."""
        try:
            value = read_number(text)
        except (ValueError, InvalidOperation):
            return text
        if isinstance(value, Decimal) and not value.is_finite():
            return value
        if len(text) > LONGEST_NUMBER or abs(Decimal(value).adjusted()) > LARGEST_EXPONENT:
            self.problems.at_value(built, path, _OUT_OF_RANGE, f"at most {LARGEST_EXPONENT} digits")
            return 0
        return value

    def _note_tag(self, tag: Any, built: Node, path: KeyPath) -> None:
        name = str(tag).replace(_TAG, "!!")
        self.problems.at_place(built.place, path, f"the YAML tag {name} is not understood", "remove the tag")


def read_number(text: str) -> int | Decimal:
    """A YAML number as int or Decimal; raises ValueError or InvalidOperation when it is none."""
    digits = text.replace("_", "")
    lowered = digits.lower().lstrip("+-")
    if lowered in (".inf", ".nan"):
        sign = "-" if digits.startswith("-") else ""
        return Decimal("NaN") if lowered == ".nan" else Decimal(f"{sign}Infinity")
    if lowered[:2] in ("0x", "0o", "0b"):
        return int(digits, 0) if len(digits) <= LONGEST_NUMBER else Decimal("1e99")
    number = Decimal(digits)
    is_whole = lowered.isdecimal() and len(digits) <= LONGEST_NUMBER
    return int(number) if is_whole else number
