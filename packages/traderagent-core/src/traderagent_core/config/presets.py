"""Presets: files with the keys that several configurations share, laid under the configuration that names them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from traderagent_core.config.layers import laid_over, stamped
from traderagent_core.config.problems import BOT_DEFAULTS, InvalidConfigError, KeyPath
from traderagent_core.config.schema import FileConfig, GeneralConfig
from traderagent_core.config.source import read_source
from traderagent_core.config.tree import Node, Problems, expand_variables, is_empty
from traderagent_core.config.validate import note_unknown_key, valid_fields
from traderagent_core.host.hints import listed

PRESET = "preset"
KEYS = (BOT_DEFAULTS, "coordinator", "filters", "risk_modes")
NOT_FOR_PRESETS = ("exchange", "dry_run", "auto_start")
"""Keys of a bot that say where orders go, and whether they are real: nobody shall get them from another file."""


@frozen
class _Named:
    """A preset, and the value in the configuration that names it; None for one that was given beside it."""

    file: Path
    node: Node | None = None
    path: KeyPath = (PRESET,)


def lay_presets(
    root: Node,
    folder: Path,
    given: Sequence[str | Path],
    environ: Mapping[str, str],
    problems: Problems,
) -> Node:
    """The tree over the presets that it names, and over those given beside it; of several presets the last counts.

    Raises InvalidConfigError when one cannot be read, since what it holds may be all that is missing.
    """
    named = [*_named(root, folder), *(_Named(Path(file)) for file in given)]
    parts = [_read(each, environ, problems) for each in named]
    if None in parts:
        raise InvalidConfigError(problems.in_order())
    below = Node({})
    for part in parts:
        below = laid_over(part or Node({}), below)
    return laid_over(root, below)


def _named(root: Node, folder: Path) -> Iterator[_Named]:
    node = root.child(PRESET)
    if node is None or not valid_fields(GeneralConfig, Node({PRESET: node})).get(PRESET):
        return  # what is wrong with it is told with the other keys
    for path, item in node.walk((PRESET,)):
        if isinstance(item.content, str):
            yield _Named(folder / Path(item.content).expanduser(), item, path)


def _read(named: _Named, environ: Mapping[str, str], problems: Problems) -> Node | None:
    try:
        root, own = read_source(named.file)
    except InvalidConfigError as error:
        first = error.problems[0]
        if named.node is not None and first.line is None:
            rule = f"{first.rule}: {named.file}"
            problems.at_value(named.node, named.path, rule, first.hint, show=False)
        else:
            problems.found += error.problems
        return None
    problems.found += own.found
    expand_variables(stamped(root, file=str(named.file)), environ, problems)
    return _checked(root, problems)


def _checked(root: Node, problems: Problems) -> Node:
    """The preset without keys that it may not have, which are told."""
    strangers = [key for key in root.children if key not in KEYS]
    for key in strangers:
        node = root.children[key]
        if key in FileConfig.model_fields:
            rule = "a preset does not have this key"
            problems.at_key(node, (key,), rule, f"write it in the configuration; a preset has {listed(KEYS)}")
        else:
            hint = f"keys of a preset: {listed(KEYS)}; keys and sections of bots stand below {BOT_DEFAULTS}"
            note_unknown_key(node, (key,), set(KEYS) - root.children.keys(), problems, hint)
    odd = [key for key in root.children if key in KEYS and _is_value(root.children[key])]
    for key in odd:
        hint = "write {key: value}, or one indented `key: value` a line"
        problems.at_value(root.children[key], (key,), "expected keys and values", hint)
    kept = root.without(*strangers, *odd)
    defaults = kept.child(BOT_DEFAULTS) or Node({})
    wrong = [key for key in NOT_FOR_PRESETS if key in defaults.children]
    for key in wrong:
        rule = "a preset does not say where orders go, nor whether they are real"
        problems.at_key(defaults.children[key], (BOT_DEFAULTS, key), rule, "write it in the configuration")
    if wrong:
        kept.children[BOT_DEFAULTS] = defaults.without(*wrong)
    return kept


def _is_value(node: Node) -> bool:
    return not isinstance(node.content, dict) and not is_empty(node)
