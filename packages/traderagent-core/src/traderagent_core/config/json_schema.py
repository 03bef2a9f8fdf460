"""The JSON Schema of a configuration, with the sections of the installed plugins, for editors."""

from collections.abc import Iterable, Mapping
from typing import Any

from traderagent_core.config.installed import Installed
from traderagent_core.config.layers import OWN_KEYS
from traderagent_core.config.problems import BOT_DEFAULTS
from traderagent_core.config.schema import AUTO, FileConfig
from traderagent_core.config.sections import ENABLED
from traderagent_core.specs import PartSpec

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_VARIABLE = {"type": "string", "pattern": r"\$\{[^{}]+\}"}
_ENABLED = {
    "type": "boolean",
    "default": True,
    "description": "Whether this section is in use.",
}
_SCALARS = ("boolean", "integer", "number")
_NARROWED_TEXTS = ("enum", "const", "pattern")


def config_schema(host: Installed) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a configuration file for what `host` has installed.

    Wherever a value is narrower than any text, `${NAME}` is allowed too.
    """
    schema = FileConfig.model_json_schema()
    definitions: dict[str, Any] = schema.setdefault("$defs", {})
    _add_strategies(definitions, host)
    _add_exchanges(definitions, host)
    properties = schema["properties"]
    properties[BOT_DEFAULTS] |= _bot_defaults(definitions["BotConfig"])
    properties["filters"] |= _named(host.entry_filters.values(), "filter", definitions)
    properties["risk_modes"] |= _named(host.risk_modes.values(), "risk_mode", definitions)
    properties["event_sinks"] |= _named(host.event_sinks.values(), "event_sink", definitions)
    allowed: dict[str, Any] = _with_variables(schema)
    return {"$schema": DRAFT, **allowed, "title": "TraderAgent configuration"}


def _add_strategies(definitions: dict[str, Any], host: Installed) -> None:
    bot = definitions["BotConfig"]["properties"]
    bot["strategy"] = {**bot["strategy"], "enum": [AUTO, *sorted(host.strategies)]}
    sections = _named(host.strategies.values(), "strategy", definitions)
    bot.update(sections["properties"])


def _bot_defaults(bot: dict[str, Any]) -> dict[str, Any]:
    """The keys of a bot without those that are its own. What may stand there need not stand at the bot."""
    bot["required"] = list(OWN_KEYS)
    properties = {key: value for key, value in bot["properties"].items() if key not in OWN_KEYS}
    return {"properties": properties, "additionalProperties": False}


def _add_exchanges(definitions: dict[str, Any], host: Installed) -> None:
    """The own keys of all adapters, beside those that all exchanges share; a key of two may be either."""
    keys = definitions["ExchangeConfig"]["properties"]
    common = set(keys)
    for spec in host.exchange_adapters.values():
        section = _section(spec, f"exchange.{spec.name}", definitions)
        for key, described in section["properties"].items():
            if key in common or key == ENABLED:
                continue
            either = [*keys.get(key, {}).get("anyOf", [keys[key]] if key in keys else []), described]
            keys[key] = (
                described if len(either) == 1 else {"anyOf": either, "description": described["description"]}
            )


def _named(specs: Iterable[PartSpec], kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """`{name: section}` with nothing else in it; the plugins' definitions move to the common ones."""
    properties = {spec.name: _section(spec, f"{kind}.{spec.name}", definitions) for spec in specs}
    return {"properties": properties, "additionalProperties": False}


def _section(spec: PartSpec, prefix: str, definitions: dict[str, Any]) -> dict[str, Any]:
    template = f"#/$defs/{prefix}.{{model}}"
    schema = spec.config_model.model_json_schema(ref_template=template)
    for name, definition in schema.pop("$defs", {}).items():
        definitions[f"{prefix}.{name}"] = definition
    own = schema.pop("$ref", None)
    if own is not None:  # a model that contains itself is given by reference
        schema = definitions.pop(own.removeprefix("#/$defs/"))
        definitions[f"{prefix}.{spec.config_model.__name__}"] = schema
    schema["properties"] = {ENABLED: _ENABLED, **schema.get("properties", {})}
    schema["description"] = spec.summary or schema.get("description", "")
    return {**schema, "type": ["object", "null"]}


def _with_variables(schema: Any) -> Any:
    """The schema with `${NAME}` allowed for every value that is not a plain text."""
    if isinstance(schema, list):
        return [_with_variables(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _inner(key, value) for key, value in schema.items()}
    return _or_variable(inner) if _is_narrow(inner) else inner


def _inner(key: str, value: Any) -> Any:
    """What stands under a key of a schema: values, schemas by name, or a schema."""
    if key in ("enum", "const", "default", "examples", "discriminator"):
        return value
    if key in ("properties", "$defs"):
        return {name: _with_variables(schema) for name, schema in value.items()}
    return _with_variables(value)


def _is_narrow(schema: Mapping[str, Any]) -> bool:
    if schema.get("type", "string") == "string":
        return any(key in schema for key in _NARROWED_TEXTS)
    return schema["type"] in _SCALARS


def _or_variable(schema: Mapping[str, Any]) -> dict[str, Any]:
    about = {key: schema[key] for key in ("title", "description", "default") if key in schema}
    rest = {key: value for key, value in schema.items() if key not in about}
    return {**about, "anyOf": [rest, _VARIABLE]}
