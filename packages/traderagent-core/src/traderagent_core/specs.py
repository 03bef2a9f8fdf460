"""The records that hooks yield: small, typed, and all that the host knows of a plugin's parts."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from attrs.validators import instance_of, matches_re

if TYPE_CHECKING:
    from pydantic import BaseModel

    from traderagent_core.contract.entry_filter import EntryFilter
    from traderagent_core.contract.risk_mode import RiskMode
    from traderagent_core.contract.strategy import Strategy

NAME_PATTERN = r"^[a-z][a-z0-9_-]{0,39}$"


def _name() -> Any:
    return field(validator=[instance_of(str), matches_re(NAME_PATTERN)])


@frozen
class StrategySpec:
    """A strategy: the name that configurations use, its configuration model and what builds it."""

    name: str = _name()
    summary: str = field(validator=instance_of(str))
    config_model: "type[BaseModel]" = field(validator=instance_of(type))
    factory: "type[Strategy]" = field(validator=instance_of(type))


@frozen
class EntryFilterSpec:
    """An entry filter."""

    name: str = _name()
    summary: str = field(validator=instance_of(str))
    config_model: "type[BaseModel]" = field(validator=instance_of(type))
    factory: "Callable[[Any], EntryFilter]" = field()


@frozen
class ExchangeAdapterSpec:
    """An exchange adapter; `factory` takes the configuration and the instruments."""

    name: str = _name()
    summary: str = field(validator=instance_of(str))
    config_model: "type[BaseModel]" = field(validator=instance_of(type))
    factory: "Callable[..., Any]" = field()


@frozen
class RiskModeSpec:
    """A risk mode; a higher priority is asked and shown first."""

    name: str = _name()
    summary: str = field(validator=instance_of(str))
    config_model: "type[BaseModel]" = field(validator=instance_of(type))
    factory: "Callable[[Any], RiskMode]" = field()
    priority: int = 0


Spec = StrategySpec | EntryFilterSpec | ExchangeAdapterSpec | RiskModeSpec
