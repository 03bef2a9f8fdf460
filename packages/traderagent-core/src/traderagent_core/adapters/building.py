"""Builds the adapter that a name stands for, and refuses what is none."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve
from pydantic import BaseModel, ValidationError

from traderagent_core.contract.exchange_adapter import ExchangeAdapter, Surroundings
from traderagent_core.errors import ConfigError, PluginError
from traderagent_core.host.hints import did_you_mean, listed
from traderagent_core.host.known import package_offering
from traderagent_core.specs import ExchangeAdapterSpec


def build_adapter(
    specs: Mapping[str, ExchangeAdapterSpec],
    name: str,
    section: BaseModel | Mapping[str, Any],
    surroundings: Surroundings,
) -> ExchangeAdapter:
    """The adapter called `name`. `section` is its configuration, checked or not; `paper` builds its source likewise.

    Raises PluginError when no such adapter is installed or its factory gives something else, ConfigError when the
    section is wrong or an adapter stands on itself.
    """
    spec = specs.get(name)
    if spec is None:
        package = package_offering("exchange_adapter", name)
        raise PluginError(
            f"exchange {name!r} is not installed{did_you_mean(name, specs) or ';'} pip install {package}, or choose "
            f"one of those that are: {listed(specs)}",
            plugin=name,
            distribution=package or "",
        )

    def build(inner: str, settings: Mapping[str, Any]) -> ExchangeAdapter:
        if inner == name:
            raise ConfigError(f"exchange {name!r} cannot be its own source; name another exchange")
        others = {other: found for other, found in specs.items() if other != name}
        return build_adapter(others, inner, settings, surroundings)

    adapter: Any = spec.factory(_checked(spec, section), evolve(surroundings, build=build))
    if not isinstance(adapter, ExchangeAdapter):
        raise PluginError(
            f"exchange adapter {name!r}: its factory gave an object of {type(adapter).__name__}, not an "
            "ExchangeAdapter; tell the plugin's author",
            plugin=name,
        )
    return adapter


def _checked(spec: ExchangeAdapterSpec, section: BaseModel | Mapping[str, Any]) -> BaseModel:
    if isinstance(section, BaseModel):
        return section
    try:
        return spec.config_model.model_validate(dict(section))
    except ValidationError as error:
        told = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise ConfigError(f"exchange {spec.name!r}: {'; '.join(told)}") from error
