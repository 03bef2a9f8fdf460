"""What the host knows of a plugin: who it is, what it offers and whether it can be used."""

from enum import StrEnum

from attrs import frozen

from traderagent_core.specs import (
    CommandSpec,
    EntryFilterSpec,
    EventSinkSpec,
    ExchangeAdapterSpec,
    RiskModeSpec,
    Spec,
    StrategySpec,
)


class Kind(StrEnum):
    """The kinds of things a plugin can offer."""

    STRATEGY = "strategy"
    ENTRY_FILTER = "entry_filter"
    EXCHANGE_ADAPTER = "exchange_adapter"
    RISK_MODE = "risk_mode"
    EVENT_SINK = "event_sink"
    COMMAND = "command"

    @property
    def label(self) -> str:
        """The kind in words, for messages."""
        return self.value.replace("_", " ")


HOOKS: dict[str, tuple[Kind, type[Spec]]] = {
    "traderagent_strategies": (Kind.STRATEGY, StrategySpec),
    "traderagent_entry_filters": (Kind.ENTRY_FILTER, EntryFilterSpec),
    "traderagent_exchange_adapters": (Kind.EXCHANGE_ADAPTER, ExchangeAdapterSpec),
    "traderagent_risk_modes": (Kind.RISK_MODE, RiskModeSpec),
    "traderagent_event_sinks": (Kind.EVENT_SINK, EventSinkSpec),
    "traderagent_commands": (Kind.COMMAND, CommandSpec),
}


class Status(StrEnum):
    """Whether a plugin takes part in this run."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    UNLISTED = "not listed"
    BROKEN = "broken"


@frozen
class Offer:
    """One thing that a plugin registers."""

    kind: Kind
    spec: Spec

    @property
    def name(self) -> str:
        """The name that configurations use."""
        return self.spec.name

    def __str__(self) -> str:
        return f"{self.kind.label} {self.name!r}"


@frozen
class PluginInfo:
    """A plugin as it was found. `cause` says why it is not enabled, `remedy` what would help."""

    name: str
    distribution: str
    version: str
    module: str
    status: Status
    cause: str = ""
    remedy: str = ""
    offers: tuple[Offer, ...] = ()

    @property
    def is_enabled(self) -> bool:
        """Whether its offers can be used in this run."""
        return self.status is Status.ENABLED

    @property
    def label(self) -> str:
        """Name, distribution and version, as every message gives them."""
        source = f"{self.distribution} {self.version}".strip()
        return f"plugin {self.name!r} ({source})"

    def describe(self) -> str:
        """One or more lines: who, why not and what to do."""
        cause = f": {self.cause}" if self.cause else ""
        remedy = f"\n  To mend it: {self.remedy}" if self.remedy else ""
        return f"{self.label} is {self.status}{cause}{remedy}"

    def offering(self, name: str) -> tuple[Offer, ...]:
        """Its offers of that name, of any kind."""
        return tuple(offer for offer in self.offers if offer.name == name)
