"""What the configuration asks of the plugin host, and how to say that something is not there."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from traderagent_core.host.hints import did_you_mean, listed

if TYPE_CHECKING:
    from traderagent_core.host.records import PluginInfo
    from traderagent_core.specs import (
        EntryFilterSpec,
        EventSinkSpec,
        ExchangeAdapterSpec,
        RiskModeSpec,
        StrategySpec,
    )


class Installed(Protocol):
    """The part of PluginHost that is needed here."""

    @property
    def strategies(self) -> "Mapping[str, StrategySpec]": ...
    @property
    def entry_filters(self) -> "Mapping[str, EntryFilterSpec]": ...
    @property
    def exchange_adapters(self) -> "Mapping[str, ExchangeAdapterSpec]": ...
    @property
    def risk_modes(self) -> "Mapping[str, RiskModeSpec]": ...
    @property
    def event_sinks(self) -> "Mapping[str, EventSinkSpec]": ...
    @property
    def plugins(self) -> "Sequence[PluginInfo]": ...


def package_for(kind: str, name: str) -> str | None:
    """The distribution that offers a name; `kind` is a `host.records.Kind`."""
    from traderagent_core.host.known import package_offering

    return package_offering(kind, name)


def why_absent(
    host: Installed, kind: str, name: str, held: Iterable[str], also: Iterable[str] = ()
) -> tuple[str, str]:
    """Rule and hint for a name that no usable plugin offers; `also` are words of the core's own."""
    label = kind.replace("_", " ")
    for info in host.plugins:
        if not info.is_enabled and _would_offer(info, kind, name):
            return f"{label} {name!r} cannot be used", info.describe()
    package = package_for(kind, name)
    if package is not None:
        return f"{label} {name!r} is not installed", f"pip install {package}"
    for other, place, names in _others(host):
        if name in names and other != kind:
            return (
                f"{name!r} is no {label}, but {'an' if other[0] in 'aeiou' else 'a'} {other.replace('_', ' ')}",
                (f"it stands under {place}; installed here: {listed(held) or 'none'}"),
            )
    known = set(held)
    hint = f"installed: {listed(known) or 'none'}; to use another one, install the package that offers it"
    return f"unknown {label} {name!r}{did_you_mean(name, known.union(also))}", hint


def _others(host: Installed) -> Iterator[tuple[str, str, Iterable[str]]]:
    """What else a name may be: its kind, where it stands, and the names of that kind."""
    yield "strategy", "the bots", host.strategies
    yield "entry_filter", "`filters`, at the top of the file", host.entry_filters
    yield "risk_mode", "`risk_modes`, at the top of the file", host.risk_modes
    yield "event_sink", "`event_sinks`, at the top of the file", host.event_sinks


def why_absent_section(host: Installed, kind: str, name: str, held: Iterable[str]) -> tuple[str, str]:
    """The same for a section, which may as well be removed."""
    rule, hint = why_absent(host, kind, name, held)
    return rule, hint + ("\n" if "\n" in hint else ", ") + "or remove this section"


def _would_offer(info: "PluginInfo", kind: str, name: str) -> bool:
    """A plugin that could not be imported tells nothing but its own name."""
    return info.name == name or any(offer.kind == kind for offer in info.offering(name))
