"""The host that one run owns: the plugins it found, which take part, and what they offer."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar, cast

import pluggy

from traderagent_core import hookspecs
from traderagent_core.errors import PluginError
from traderagent_core.host.candidate import Candidate
from traderagent_core.host.discovery import core_version, find
from traderagent_core.host.examine import Found, disable, examine
from traderagent_core.host.hints import did_you_mean
from traderagent_core.host.known import package_offering
from traderagent_core.host.records import Kind, PluginInfo, Status
from traderagent_core.host.selection import select_all, select_listed
from traderagent_core.specs import (
    CommandSpec,
    EntryFilterSpec,
    EventSinkSpec,
    ExchangeAdapterSpec,
    RiskModeSpec,
    Spec,
    StrategySpec,
)

S = TypeVar("S", StrategySpec, EntryFilterSpec, ExchangeAdapterSpec, RiskModeSpec)


class PluginHost:
    """Finds, checks and holds the plugins of one run. Build it with `discover`."""

    def __init__(self, plugins: Sequence[PluginInfo]) -> None:
        self.plugins = tuple(plugins)
        self._offers: dict[Kind, dict[str, Spec]] = {kind: {} for kind in Kind}
        self._origins: dict[tuple[type[Spec], str], PluginInfo] = {}
        for info in self.plugins:
            if info.is_enabled:
                self._hold(info)

    @classmethod
    def discover(
        cls,
        allow: Iterable[str] | None,
        disabled: Iterable[str] = (),
        local: Iterable[str | Path] = (),
        entry_points: Iterable[EntryPoint] | None = None,
    ) -> "PluginHost":
        """Find plugins and enable those that `allow` names: plugins, or things that they offer.

        None enables all that work. `disabled` plugins are not even imported; the core's own always takes part.
        `local` paths are files or folders of plugins and count as listed. `entry_points` replaces the installed
        ones. Unlisted plugins are imported, so that a broken one is told in `failures`, but offer nothing.
        Raises PluginError, with all problems at once, when a listed plugin cannot be used.
        """
        found = _examine_all(find(entry_points, local), frozenset(disabled))
        chosen = select_all(found) if allow is None else select_listed(found, allow)
        return cls([item.info for item in chosen])

    @property
    def failures(self) -> tuple[PluginInfo, ...]:
        """Broken plugins that the configuration does not list; `describe()` tells cause and remedy."""
        return tuple(info for info in self.plugins if info.status is Status.BROKEN)

    @property
    def strategies(self) -> Mapping[str, StrategySpec]:
        """Strategies that can be used, by name."""
        return cast("Mapping[str, StrategySpec]", self._of(Kind.STRATEGY))

    @property
    def entry_filters(self) -> Mapping[str, EntryFilterSpec]:
        """Entry filters that can be used, by name."""
        return cast("Mapping[str, EntryFilterSpec]", self._of(Kind.ENTRY_FILTER))

    @property
    def exchange_adapters(self) -> Mapping[str, ExchangeAdapterSpec]:
        """Exchange adapters that can be used, by name."""
        return cast("Mapping[str, ExchangeAdapterSpec]", self._of(Kind.EXCHANGE_ADAPTER))

    @property
    def risk_modes(self) -> Mapping[str, RiskModeSpec]:
        """Risk modes that can be used, by name."""
        return cast("Mapping[str, RiskModeSpec]", self._of(Kind.RISK_MODE))

    @property
    def event_sinks(self) -> Mapping[str, EventSinkSpec]:
        """Event sinks that can be used, by name."""
        return cast("Mapping[str, EventSinkSpec]", self._of(Kind.EVENT_SINK))

    @property
    def commands(self) -> Mapping[str, CommandSpec]:
        """Commands that plugins add, by name."""
        return cast("Mapping[str, CommandSpec]", self._of(Kind.COMMAND))

    def strategy(self, name: str) -> StrategySpec:
        """The strategy of that name; raises PluginError with what is installed and what to do."""
        return self._get(Kind.STRATEGY, name, self.strategies)

    def entry_filter(self, name: str) -> EntryFilterSpec:
        """The entry filter of that name; raises PluginError with what is installed and what to do."""
        return self._get(Kind.ENTRY_FILTER, name, self.entry_filters)

    def exchange_adapter(self, name: str) -> ExchangeAdapterSpec:
        """The exchange adapter of that name; raises PluginError with what is installed and what to do."""
        return self._get(Kind.EXCHANGE_ADAPTER, name, self.exchange_adapters)

    def risk_mode(self, name: str) -> RiskModeSpec:
        """The risk mode of that name; raises PluginError with what is installed and what to do."""
        return self._get(Kind.RISK_MODE, name, self.risk_modes)

    def origin(self, spec: Spec) -> PluginInfo:
        """The plugin that offers a record; raises PluginError for one that this host does not hold."""
        try:
            return self._origins[type(spec), spec.name]
        except KeyError:
            raise PluginError(
                f"{type(spec).__name__} {spec.name!r} was not offered by a plugin of this run"
            ) from None

    def _hold(self, info: PluginInfo) -> None:
        for offer in info.offers:
            self._offers[offer.kind][offer.name] = offer.spec
            self._origins[type(offer.spec), offer.name] = info

    def _of(self, kind: Kind) -> Mapping[str, Spec]:
        return MappingProxyType(self._offers[kind])

    def _get(self, kind: Kind, name: str, held: Mapping[str, S]) -> S:
        if name in held:
            return held[name]
        raise self._unknown(kind, name, sorted(held))

    def _unknown(self, kind: Kind, name: str, held: Sequence[str]) -> PluginError:
        head = f"unknown {kind.label} {name!r}"
        idle = next((info for info in self.plugins if _would_offer(info, kind, name)), None)
        if idle is not None:
            message = f"{head}: {idle.describe()}"
            return PluginError(message, plugin=idle.name, distribution=idle.distribution)
        package = package_offering(kind, name)
        remedy = f"\n  To mend it: pip install {package}" if package else ""
        message = f"{head}{did_you_mean(name, held) or '.'} Installed: {', '.join(held) or 'none'}{remedy}"
        return PluginError(message, plugin=name, distribution=package or "")


def _would_offer(info: PluginInfo, kind: Kind, name: str) -> bool:
    if info.is_enabled:
        return False
    # A plugin that could not be imported tells nothing but its own name.
    return info.name == name or any(offer.kind is kind for offer in info.offering(name))


def _examine_all(candidates: Iterable[Candidate], off: frozenset[str]) -> list[Found]:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    version = core_version()
    return [
        disable(candidate)
        if candidate.name in off and not candidate.is_builtin
        else examine(candidate, manager, version)
        for candidate in candidates
    ]
