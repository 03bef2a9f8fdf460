"""The records that hooks yield: small, typed, and all that the host knows of a plugin's parts."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from attrs.validators import instance_of

if TYPE_CHECKING:
    from click import Command
    from pydantic import BaseModel

    from traderagent_core.contract.entry_filter import EntryFilter
    from traderagent_core.contract.event_sink import EventSink
    from traderagent_core.contract.exchange_adapter import ExchangeAdapter, Surroundings
    from traderagent_core.contract.risk_mode import RiskMode
    from traderagent_core.contract.strategy import Strategy

NAME_PATTERN = r"^[a-z][a-z0-9_-]{0,39}\Z"


def _check_name(_instance: Any, _attribute: Any, value: Any) -> None:
    if not isinstance(value, str) or not re.match(NAME_PATTERN, value):
        raise ValueError(
            f"name must begin with a small letter and hold at most 40 of a-z, 0-9, _ and -, not {value!r}"
        )


@frozen
class StrategySpec:
    """A strategy: the name that configurations use, its configuration model and what builds it."""

    name: str = field(validator=_check_name)
    summary: str = field(validator=instance_of(str))
    config_model: "type[BaseModel]" = field(validator=instance_of(type))
    factory: "type[Strategy]" = field(validator=instance_of(type))


@frozen
class EntryFilterSpec:
    """An entry filter."""

    name: str = field(validator=_check_name)
    summary: str = field(validator=instance_of(str))
    config_model: "type[BaseModel]" = field(validator=instance_of(type))
    factory: "Callable[[Any], EntryFilter]" = field()


@frozen
class ExchangeAdapterSpec:
    """An exchange adapter; `factory` builds it from its configuration and its surroundings, without any I/O."""

    name: str = field(validator=_check_name)
    summary: str = field(validator=instance_of(str))
    config_model: "type[BaseModel]" = field(validator=instance_of(type))
    factory: "Callable[[Any, Surroundings], ExchangeAdapter]" = field()


@frozen
class RiskModeSpec:
    """A risk mode; a higher priority is asked and shown first."""

    name: str = field(validator=_check_name)
    summary: str = field(validator=instance_of(str))
    config_model: "type[BaseModel]" = field(validator=instance_of(type))
    factory: "Callable[[Any], RiskMode]" = field()
    priority: int = 0


@frozen
class EventSinkSpec:
    """An event sink of live runs; `factory` builds it from its configuration, before the run begins."""

    name: str = field(validator=_check_name)
    summary: str = field(validator=instance_of(str))
    config_model: "type[BaseModel]" = field(validator=instance_of(type))
    factory: "Callable[[Any], EventSink]" = field()


@frozen
class CommandSpec:
    """A command of `traderagent`; `factory` imports what it needs and gives the click command."""

    name: str = field(validator=_check_name)
    summary: str = field(validator=instance_of(str))
    factory: "Callable[[], Command]" = field()


PartSpec = StrategySpec | EntryFilterSpec | ExchangeAdapterSpec | RiskModeSpec | EventSinkSpec
"""What a configuration can name: it has a section of its own."""

Spec = PartSpec | CommandSpec
