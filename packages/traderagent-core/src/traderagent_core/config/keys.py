"""Which keys and types a model has at a key path: for hints on unknown keys and on odd booleans."""

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

from traderagent_core.config.problems import KeyPath


def allowed_keys(models: Sequence[type[BaseModel]]) -> set[str]:
    """The keys that may be written in a section of any of these models."""
    return {
        key
        for model in models
        for name, field in model.model_fields.items()
        for key in _written_as(name, field)
    }


def _written_as(name: str, field: FieldInfo) -> list[str]:
    """The key of a field: its name, or the aliases that are read instead."""
    alias = field.validation_alias or field.alias
    if isinstance(alias, AliasChoices):
        return [choice for choice in alias.choices if isinstance(choice, str)] or [name]
    return [alias] if isinstance(alias, str) else [name]


def annotations_at(model: type[BaseModel], path: KeyPath) -> tuple[Any, ...]:
    """The types that may stand at a key path; empty when the path leads nowhere."""
    found: tuple[Any, ...] = (model,)
    for part in path:
        found = tuple(inner for each in found for inner in _step(each, part))
    return found


def models_at(model: type[BaseModel], path: KeyPath) -> tuple[type[BaseModel], ...]:
    """The models whose keys may stand under a key path."""
    return tuple(each for each in annotations_at(model, path) if is_model(each))


def is_model(annotation: Any) -> bool:
    """Whether an annotation is a pydantic model."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _step(annotation: Any, part: str | int) -> Iterator[Any]:
    """The types under one key or index of a value of this type."""
    if is_model(annotation):
        for name, field in annotation.model_fields.items():
            if part == name or part in _written_as(name, field):
                yield from _alternatives(field.annotation)
        return
    origin, arguments = get_origin(annotation), get_args(annotation)
    if not isinstance(origin, type) or not arguments:
        return
    if issubclass(origin, Mapping) and isinstance(part, str):
        yield from _alternatives(arguments[-1])
    elif issubclass(origin, Sequence) and isinstance(part, int):
        yield from _alternatives(arguments[0])


def _alternatives(annotation: Any) -> Iterator[Any]:
    """The members of a union, annotations stripped."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from _alternatives(member)
    else:
        yield annotation
