"""Sections that plugins own: `enabled` is the core's, the rest is checked by the plugin's model."""

from collections.abc import Mapping
from typing import TypeVar

from attrs import frozen
from pydantic import BaseModel, ValidationError

from traderagent_core.config.installed import Installed, why_absent_section
from traderagent_core.config.problems import KeyPath
from traderagent_core.config.tree import Node, Problems, unset_hint
from traderagent_core.config.validate import check_model, note_unknown_key
from traderagent_core.config.words import boolean_words
from traderagent_core.errors import told
from traderagent_core.host.hints import listed
from traderagent_core.specs import EntryFilterSpec, EventSinkSpec, PartSpec, RiskModeSpec

ENABLED = "enabled"
TOP = "at the top of the file"
"""Where keys belong that are under no other."""

NamedSpec = TypeVar("NamedSpec", EntryFilterSpec, RiskModeSpec, EventSinkSpec)


@frozen
class Checked:
    """A section after its check; `config` is None when it is wrong, or switched off and incomplete."""

    config: BaseModel | None
    is_enabled: bool


def check_section(spec: PartSpec, node: Node, path: KeyPath, problems: Problems) -> Checked:
    """Check a section by its plugin's model. An empty section takes all defaults."""
    node = _filled(node)
    is_enabled = _read_enabled(node, path, problems)
    rest = node.without(ENABLED) if node.children else node
    config = check_model(spec.config_model, rest, path, problems, is_partial=not is_enabled)
    return Checked(config, is_enabled)


def check_absent_section(spec: PartSpec, holder: Node, path: KeyPath, problems: Problems) -> BaseModel | None:
    """The plugin's defaults where the file has no section; a problem when it needs one."""
    try:
        return spec.config_model.model_validate({})
    except ValidationError as error:
        needed = [
            str(entry["loc"][0]) for entry in error.errors() if entry["type"] == "missing" and entry["loc"]
        ]
        what = f"with these keys at least: {listed(needed)}" if needed else ""
        hint = f"add a section `{path[-1]}: {{…}}` {what}".rstrip()
        problems.at_value(holder, path, f"the section of {spec.name!r} is missing", hint, show=False)
    except (Exception, SystemExit) as error:
        rule = f"the check of this section failed with {told(error)}"
        problems.at_value(holder, path, rule, "tell the plugin's author", show=False)
    return None


def check_named(
    node: Node | None,
    path: KeyPath,
    kind: str,
    specs: Mapping[str, NamedSpec],
    host: Installed,
    problems: Problems,
) -> list[tuple[str, NamedSpec, BaseModel]]:
    """`{name: section}` of filters, modes or sinks: those that are right and switched on, as in the file."""
    if node is None or node.content is None:
        return []
    if not isinstance(node.content, dict):
        problems.at_value(node, path, "expected names with their sections", "write {name: {key: value}}")
        return []
    parts = []
    for name, section in node.children.items():
        spec = specs.get(name)
        if spec is None:
            problems.at_key(section, (*path, name), *why_absent_section(host, kind, name, specs))
            continue
        checked = check_section(spec, section, (*path, name), problems)
        if checked.config is not None and checked.is_enabled:
            parts.append((name, spec, checked.config))
    return parts


def note_stray_key(
    node: Node, path: KeyPath, known: set[str], places: Mapping[str, str], problems: Problems
) -> None:
    """An unknown key, with the place where it belongs when it is known elsewhere."""
    place = places.get(str(path[-1]))
    under = "" if place == TOP else "under "
    hint = f"{path[-1]!r} belongs {under}{place}" if place else ""
    note_unknown_key(node, path, known, problems, hint)


def _filled(node: Node) -> Node:
    return Node({}, node.place, node.key_place) if node.content is None and not node.variables else node


def _read_enabled(node: Node, path: KeyPath, problems: Problems) -> bool:
    value = node.children.get(ENABLED)
    if value is None or isinstance(value.content, bool):
        return value is None or bool(value.content)
    if value.missing:
        rule = f"environment variable {value.missing[0]} is not set"
        problems.at_value(value, (*path, ENABLED), rule, unset_hint(value.missing[0]))
    elif isinstance(value.content, str) and value.content.lower() in ("true", "false"):
        return value.content.lower() == "true"
    else:
        problems.at_value(value, (*path, ENABLED), *boolean_words(value.content))
    return True
