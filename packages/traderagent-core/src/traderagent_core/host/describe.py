"""Describes plugins and their configuration keys as plain values, for text and JSON alike."""

from collections.abc import Iterator
from enum import Enum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from attrs import frozen

from traderagent_core.host.records import Offer, PluginInfo
from traderagent_core.specs import CommandSpec, Spec

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

WORDS = {"Decimal": "decimal", "str": "text", "bool": "true or false", "int": "integer", "float": "number"}


@frozen
class ConfigKey:
    """One key of a plugin's section; `default` is None when the key is required."""

    path: str
    type: str
    default: str | None
    description: str


def plugin_dict(info: PluginInfo) -> dict[str, Any]:
    """A plugin for JSON, with the configuration schema of all it offers."""
    return {
        "name": info.name,
        "version": info.version,
        "distribution": info.distribution,
        "module": info.module,
        "enabled": info.is_enabled,
        "status": info.status.value,
        "cause": info.cause,
        "remedy": info.remedy,
        "offers": [_offer_dict(offer) for offer in info.offers],
    }


def config_schema(spec: Spec) -> dict[str, Any] | None:
    """The JSON Schema of a section, or None: its types have none (see `schema_problem`), or it is a command."""
    found = _schema(spec)
    return None if isinstance(found, Exception) else found


def schema_problem(spec: Spec) -> str | None:
    """Why a configuration model gives no JSON Schema, or None when it gives one."""
    found = _schema(spec)
    return f"{type(found).__name__}: {' '.join(str(found).split())}" if isinstance(found, Exception) else None


def _schema(spec: Spec) -> dict[str, Any] | Exception | None:
    if isinstance(spec, CommandSpec):
        return None
    try:
        return spec.config_model.model_json_schema()
    except Exception as error:  # a plugin's model may run code of its own here
        return error


def config_keys(model: "type[BaseModel]") -> Iterator[ConfigKey]:
    """The keys of a section, those of inner sections as `outer.inner`."""
    yield from _keys(model, "", ())


def _keys(model: "type[BaseModel]", prefix: str, outer: tuple[type, ...]) -> Iterator[ConfigKey]:
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        inner = _inner_model(field.annotation)
        if inner is None or inner in (*outer, model):
            yield ConfigKey(path, type_text(field.annotation), _default(field), field.description or "")
        else:
            yield from _keys(inner, f"{path}.", (*outer, model))


def type_text(annotation: Any) -> str:
    """A type in a trader's words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_text(arguments[0])
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(type_text(argument) for argument in arguments))
    if origin is Literal:
        return " or ".join(str(_plain(argument)) for argument in arguments)
    if origin is tuple and arguments[-1] is ...:
        return f"list of {type_text(arguments[0])}"
    if origin is not None:
        inner = ", ".join("..." if argument is ... else type_text(argument) for argument in arguments)
        return f"{getattr(origin, '__name__', origin)}[{inner}]"
    if isinstance(annotation, type):
        return _class_text(annotation)
    return str(annotation)


def _class_text(annotation: type) -> str:
    if annotation is NoneType:
        return "none"
    if issubclass(annotation, Enum):
        return " or ".join(str(member.value) for member in annotation)
    return WORDS.get(annotation.__name__, annotation.__name__)


def _inner_model(annotation: Any) -> "type[BaseModel] | None":
    from pydantic import BaseModel

    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate if get_origin(annotation) in (None, Union, UnionType, Annotated) else None
    return None


def _default(field: "FieldInfo") -> str | None:
    if field.is_required():
        return None
    if field.default_factory is not None:
        return (
            "computed"
            if field.default_factory_takes_validated_data
            else str(_plain(field.get_default(call_default_factory=True)))
        )
    return str(_plain(field.default))


def _plain(value: Any) -> Any:
    if value is None:
        return "none"
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(str(_plain(each)) for each in value)}]"
    return value


def _offer_dict(offer: Offer) -> dict[str, Any]:
    return {
        "kind": offer.kind.value,
        "name": offer.name,
        "summary": offer.spec.summary,
        "config_schema": config_schema(offer.spec),
    }
