"""Checks one part of the tree against a pydantic model and notes every problem at its position."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, TypeVar

from attrs import Factory, define
from pydantic import BaseModel, TypeAdapter, ValidationError

from traderagent_core.config.fields import RULE_ERROR
from traderagent_core.config.keys import allowed_keys, annotations_at, models_at
from traderagent_core.config.lazy_text import LazyText
from traderagent_core.config.problems import KeyPath
from traderagent_core.config.tree import Node, Problems, unset_hint
from traderagent_core.config.words import boolean_words, is_worded_elsewhere, words
from traderagent_core.errors import told
from traderagent_core.host.hints import did_you_mean, listed, nearest

Model = TypeVar("Model", bound=BaseModel)


def check_model(
    model: type[Model], node: Node, path: KeyPath, problems: Problems, *, is_partial: bool = False
) -> Model | None:
    """The model of a section, or None with the problems noted.

    `is_partial` leaves missing keys and rules between keys alone, for a section that is switched off.
    """
    if not isinstance(node.content, dict):
        keys = listed(allowed_keys((model,)))
        hint = f"write {{key: value}}; keys that may stand here: {keys}"
        problems.at_value(node, path, "expected keys and values", hint)
        return None
    before = len(problems.found)
    _note_unset(model, node, path, problems)
    _note_odd_scalars(model, node, path, problems)
    _note_ignored_keys(model, node, path, problems)
    checked = _validate(model, node, path, problems, is_partial=is_partial)
    return checked if len(problems.found) == before else None


def valid_fields(model: type[BaseModel], node: Node) -> dict[str, Any]:
    """The fields of a section that are right by themselves, defaults included, whatever the others are."""
    written = {key: child.plain() for key, child in node.children.items()}
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if name in written:
            try:
                values[name] = _adapter(model, name).validate_python(written[name])
            except ValidationError:
                continue
        elif not field.is_required():
            values[name] = field.get_default(call_default_factory=True)
    return values


@cache
def _adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    field = model.model_fields[name]
    annotation: Any = field.annotation
    for extra in field.metadata:
        annotation = Annotated[annotation, extra]
    return TypeAdapter(annotation)


def note_unknown_key(
    node: Node, path: KeyPath, known: Iterable[str], problems: Problems, hint: str = ""
) -> None:
    """A key that nobody knows: the nearest one, and all that are allowed."""
    key, allowed = str(path[-1]), set(known)
    may = f"keys that may stand here: {listed(allowed)}" if allowed else "no key may stand here"
    problems.at_key(node, path, f"unknown key{did_you_mean(key, allowed)}", hint or may)


def _validate(
    model: type[Model], node: Node, path: KeyPath, problems: Problems, *, is_partial: bool
) -> Model | None:
    try:
        return model.model_validate(node.plain())
    except ValidationError as error:
        _note_errors(model, error, node, path, problems, is_partial=is_partial)
    except (Exception, SystemExit) as error:
        what = problems.masked(told(error))
        problems.at_key(
            node, path, f"the check of this section failed with {what}", "tell the plugin's author"
        )
    return None


def _note_unset(model: type[BaseModel], node: Node, path: KeyPath, problems: Problems) -> None:
    """Variables that are not set, except where the value is asked for late."""
    for inner, value in node.walk():
        if value.missing and LazyText not in annotations_at(model, inner):
            rule = f"environment variable {value.missing[0]} is not set"
            problems.at_value(value, path + inner, rule, unset_hint(value.missing[0]))


def _note_odd_scalars(model: type[BaseModel], node: Node, path: KeyPath, problems: Problems) -> None:
    """What pydantic would take for something else: `yes` for true, true for the number 1."""
    for inner, value in node.walk():
        if isinstance(value.content, dict | list) or value.content is None or problems.has(path + inner):
            continue
        types = {each for each in annotations_at(model, inner) if each is not type(None)}
        if types == {bool} and not _is_boolean(value.content):
            problems.at_value(value, path + inner, *boolean_words(value.content))
        elif types and types <= {int, float, Decimal} and isinstance(value.content, bool):
            problems.at_value(value, path + inner, "expected a number", "write a number")


def _note_ignored_keys(model: type[BaseModel], node: Node, path: KeyPath, problems: Problems) -> None:
    """Keys that a model would pass over in silence because its author did not forbid them."""
    for inner, value in node.walk():
        models = models_at(model, inner)
        if not models or any(each.model_config.get("extra", "ignore") != "ignore" for each in models):
            continue
        known = allowed_keys(models)
        for key in [key for key in value.children if key not in known]:
            unused = known - set(value.children)
            note_unknown_key(value.children[key], (*path, *inner, key), unused, problems)


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and value.lower() in ("true", "false"))


def _note_errors(
    model: type[BaseModel],
    error: ValidationError,
    node: Node,
    path: KeyPath,
    problems: Problems,
    *,
    is_partial: bool,
) -> None:
    notes = _Notes(model, node, path, problems)
    at_values: dict[KeyPath, list[Mapping[str, Any]]] = defaultdict(list)
    missing: list[KeyPath] = []
    for entry in error.errors(include_url=False):
        inner = _locate(node, _written(node, entry))
        if entry["type"] == "missing":
            missing.append((*inner, *entry["loc"][-1:]))
        elif entry["type"] == "extra_forbidden":
            notes.extra(inner)
        elif inner or not is_partial:
            at_values[inner].append(entry)
    for inner in () if is_partial else missing:
        notes.missing(inner)
    for inner, entries in at_values.items():
        if not _is_left_empty(inner, entries, at_values) and not problems.has(path + inner):
            notes.values(inner, entries)


def _is_left_empty(inner: KeyPath, entries: list[Mapping[str, Any]], wrong: Iterable[KeyPath]) -> bool:
    """Whether a list counts as empty only because what stands in it is wrong: that is one mistake, not two."""
    depth = len(inner)
    return entries[0]["type"] == "too_short" and any(len(at) > depth and at[:depth] == inner for at in wrong)


def _written(node: Node, entry: Mapping[str, Any]) -> tuple[str | int, ...]:
    """Where an error is: at the other key that a rule names, where the field has its default."""
    location, other = entry["loc"], entry.get("ctx", {}).get("other")
    is_default = other and _descend(node, location[:-1]).child(location[-1]) is None
    return (*location[:-1], other) if is_default else location


def _locate(node: Node, location: tuple[str | int, ...]) -> KeyPath:
    """The part of pydantic's location that is in the tree: union tags and the like are passed over."""
    found: list[str | int] = []
    for part in location:
        child = node.child(part)
        if child is not None:
            found.append(part)
            node = child
    return tuple(found)


def _descend(node: Node, path: KeyPath) -> Node:
    for part in path:
        node = node.child(part) or node
    return node


@define(eq=False)
class _Notes:
    """Notes what pydantic said of one section; key paths are relative to it."""

    model: type[BaseModel]
    node: Node
    path: KeyPath
    problems: Problems
    meant: set[KeyPath] = Factory(set)

    def extra(self, inner: KeyPath) -> None:
        """A key that the model does not have."""
        parent = _descend(self.node, inner[:-1])
        known = allowed_keys(models_at(self.model, inner[:-1])) - set(parent.children)
        note_unknown_key(_descend(self.node, inner), self.path + inner, known, self.problems)
        meant = nearest(str(inner[-1]), known)
        if meant is not None:
            self.meant.add((*inner[:-1], meant))

    def missing(self, inner: KeyPath) -> None:
        """A required key, unless a misspelt one was taken for it: that is one mistake, not two."""
        if inner in self.meant:
            return
        name = str(inner[-1])
        fields = [each.model_fields.get(name) for each in models_at(self.model, inner[:-1])]
        meaning = next((field.description for field in fields if field and field.description), "")
        hint = f"add `{name}: …`" + (f" ({meaning.rstrip('.')})" if meaning else "")
        holder = _descend(self.node, inner[:-1])
        self.problems.at_key(holder, self.path + inner, "this key is required and missing", hint)

    def values(self, inner: KeyPath, entries: list[Mapping[str, Any]]) -> None:
        """All that the members of a union say of one value is one problem."""
        value = _descend(self.node, inner)
        said = [_worded(entry, value, self.problems) for entry in entries]
        rule = " or ".join(dict.fromkeys(rule for rule, _ in said)).replace(" or expected ", " or ")
        hint = self._keys_hint(inner, entries) or next((hint for _, hint in said if hint), "")
        if entries[0]["loc"][-1:] == ("[key]",):
            self.problems.at_key(value, self.path + inner, f"this key is wrong: {rule}", hint)
            return
        is_whole = isinstance(value.content, dict) and _is_rule_between_keys(entries)
        self.problems.at_value(value, self.path + inner, rule, hint, show=not is_whole)

    def _keys_hint(self, inner: KeyPath, entries: list[Mapping[str, Any]]) -> str:
        if not any(entry["type"] in ("model_type", "model_attributes_type") for entry in entries):
            return ""
        return f"write {{key: value}}; keys: {listed(allowed_keys(models_at(self.model, inner)))}"


def _is_rule_between_keys(entries: list[Mapping[str, Any]]) -> bool:
    """Whether there is no single value to show."""
    return all(entry["type"] in ("value_error", "assertion_error", RULE_ERROR) for entry in entries)


def _worded(entry: Mapping[str, Any], value: Node, problems: Problems) -> tuple[str, str]:
    rule, hint = words(entry)
    if is_worded_elsewhere(entry):
        return problems.masked(rule), problems.masked(hint)
    repeats = bool(value.variables) and str(value.content) in hint
    return rule, "" if repeats else hint
