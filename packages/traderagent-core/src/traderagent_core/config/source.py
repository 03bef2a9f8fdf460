"""Reads a configuration from a file or from Python values into a tree."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from traderagent_core.config.problems import InvalidConfigError
from traderagent_core.config.tree import Node, Place, Problems, from_mapping
from traderagent_core.config.yaml_text import parse_yaml
from traderagent_core.host.hints import did_you_mean, listed

LARGEST_BYTES = 1_000_000
IN_MEMORY = "configuration"

_SMALLEST = "the smallest one has `bots:` with name, symbol and strategy"


def read_source(source: str | Path | Mapping[Any, Any]) -> tuple[Node, Problems]:
    """The tree of a configuration, and where its problems are collected.

    Raises InvalidConfigError when nothing can be read.
    """
    if isinstance(source, Mapping):
        problems = Problems(IN_MEMORY)
        return _root(from_mapping(source, problems), problems), problems
    problems = Problems(str(source))
    text = _decode(_read_bytes(Path(source), problems), problems)
    return _root(parse_yaml(text, problems), problems), problems


def _root(node: Node | None, problems: Problems) -> Node:
    if node is not None and isinstance(node.content, dict):
        return node
    if not problems.found and (node is None or node.content is None):
        problems.at_place(Place(1, 1), (), "the file has no keys", _SMALLEST)
    elif node is not None:
        rule = "a configuration consists of keys and values"
        problems.at_value(node, (), rule, _SMALLEST)
    raise InvalidConfigError(problems.in_order())


def _read_bytes(path: Path, problems: Problems) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise _refusal(problems, "there is no such file", _near(path)) from None
    except IsADirectoryError:
        raise _refusal(problems, "this is a folder", f"name a file, such as {path / 'config.yaml'}") from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise _refusal(problems, f"the file cannot be read: {why}", "check its permissions") from None
    if len(data) > LARGEST_BYTES:
        raise _refusal(problems, "the file is larger than 1 MB", "is this a configuration?")
    return data


def _near(path: Path) -> str:
    try:
        others = sorted(found.name for found in path.parent.iterdir() if found.suffix in (".yaml", ".yml"))
    except OSError:
        return f"there is no folder {path.parent} either"
    if not others:
        return "check the path"
    return f"configurations in that folder: {listed(others)}{did_you_mean(path.name, others)}"


def _decode(data: bytes, problems: Problems) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _refusal(problems, "the file is UTF-16", "save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = error.start - (before.rfind(b"\n") + 1) + 1
        place = Place(before.count(b"\n") + 1, column)
        problems.at_place(place, (), "the file is not UTF-8", "save it as UTF-8, or remove this character")
        raise InvalidConfigError(problems.in_order()) from None


def _refusal(problems: Problems, rule: str, hint: str) -> InvalidConfigError:
    return InvalidConfigError([problems.record(Place(), (), rule, None, hint)])
