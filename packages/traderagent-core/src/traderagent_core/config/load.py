"""Loads a configuration: read, expanded, checked whole; every problem at once."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from traderagent_core.config.bots import Draft, read_bot
from traderagent_core.config.coordinating import check_coordinator, read_coordinator
from traderagent_core.config.coordinator import CoordinatorConfig
from traderagent_core.config.digest import digest
from traderagent_core.config.installed import Installed
from traderagent_core.config.keys import allowed_keys
from traderagent_core.config.layers import origins_of, with_defaults
from traderagent_core.config.loaded import (
    Bot,
    Config,
    FilterPart,
    RiskModePart,
    SinkPart,
    StrategySection,
)
from traderagent_core.config.plugin_list import discover
from traderagent_core.config.presets import lay_presets
from traderagent_core.config.problems import ConfigProblem, InvalidConfigError
from traderagent_core.config.rules import check_bots, check_plugins, note_bots
from traderagent_core.config.schema import BotConfig, FileConfig, GeneralConfig, SimulationConfig
from traderagent_core.config.sections import check_named, note_stray_key
from traderagent_core.config.source import read_source
from traderagent_core.config.supervision import check_levels, note_unwatched, read_risk_modes
from traderagent_core.config.tree import Node, Problems, expand_variables
from traderagent_core.config.validate import check_model, valid_fields

__all__ = ["Bot", "Config", "ConfigProblem", "InvalidConfigError", "StrategySection", "load_config"]


@frozen
class _Pieces:
    """The checked parts of a file."""

    general: GeneralConfig | None
    simulation: SimulationConfig | None
    coordinator: CoordinatorConfig | None
    filters: tuple[FilterPart, ...]
    risk_modes: tuple[RiskModePart, ...]
    event_sinks: tuple[SinkPart, ...]
    drafts: Sequence[Draft]


def load_config(
    source: str | Path | Mapping[str, Any],
    *,
    presets: Sequence[str | Path] = (),
    host: Installed | None = None,
    environ: Mapping[str, str] | None = None,
) -> Config:
    """Load a configuration from a YAML file or from Python values.

    `presets` are laid under it, over those that it names itself; of several the last counts. `host` is the plugin
    host; without one the plugins that the configuration asks for are discovered. `environ` replaces the environment
    that `${NAME}` reads. Raises InvalidConfigError (a ConfigError) with all problems at once. Values of unset
    variables under database_url, encryption_key and credentials_name raise only when they are revealed.
    """
    root, problems = read_source(source)
    environ = os.environ if environ is None else environ
    expand_variables(root, environ, problems)
    path = None if isinstance(source, Mapping) else Path(source)
    root = lay_presets(root, path.parent if path else Path(), presets, environ, problems)
    root = with_defaults(root, problems)
    if host is None:
        host = discover(root, path, problems)
    notes = Problems(problems.file)
    pieces = _check(root, host, problems, notes)
    if problems.found:
        raise InvalidConfigError(problems.in_order())
    return evolve(
        _build(pieces, path, notes, host),
        origins=origins_of(root, problems.file),
        presets=tuple(Path(each) for each in presets),
    )


def _check(root: Node, host: Installed, problems: Problems, notes: Problems) -> _Pieces:
    _note_unknown_top(root, host, problems)
    general_node = _only(root, set(GeneralConfig.model_fields))
    general = check_model(GeneralConfig, general_node, (), problems)
    simulation = _read_simulation(root, problems)
    coordinator = read_coordinator(root, problems)
    filters = check_named(
        root.child("filters"), ("filters",), "entry_filter", host.entry_filters, host, problems
    )
    sinks_node = root.child("event_sinks")
    sinks = check_named(sinks_node, ("event_sinks",), "event_sink", host.event_sinks, host, problems)
    drafts = _read_bots(root, host, problems)
    modes = read_risk_modes(root, drafts, host, problems)
    listed = valid_fields(GeneralConfig, general_node)
    check_plugins(root, listed.get("plugins") or (), listed.get("disabled_plugins", ()), problems)
    check_bots(drafts, root, problems)
    check_coordinator(root, drafts, host, problems, notes)
    check_levels(modes, root, problems, notes)
    note_bots(drafts, root, host, notes)
    note_unwatched(modes, drafts, root, notes)
    return _Pieces(
        general,
        simulation,
        coordinator,
        tuple(FilterPart(*part) for part in filters),
        modes,
        tuple(SinkPart(*part) for part in sinks),
        drafts,
    )


def _only(root: Node, keys: set[str]) -> Node:
    return root.without(*(root.children.keys() - keys))


def _note_unknown_top(root: Node, host: Installed, problems: Problems) -> None:
    known = allowed_keys((FileConfig,))
    bot_keys = {*BotConfig.model_fields, *host.strategies}
    places = (
        dict.fromkeys(SimulationConfig.model_fields, "simulation")
        | dict.fromkeys(CoordinatorConfig.model_fields, "coordinator")
        | dict.fromkeys(host.entry_filters, "filters")
        | dict.fromkeys(host.risk_modes, "risk_modes")
        | dict.fromkeys(host.event_sinks, "event_sinks")
        | dict.fromkeys(bot_keys, "a bot, in the list `bots`")
    )
    for key in [key for key in root.children if key not in known]:
        note_stray_key(root.children[key], (key,), known - set(root.children), places, problems)


def _read_simulation(root: Node, problems: Problems) -> SimulationConfig | None:
    node = root.child("simulation")
    if node is None or (node.content is None and not node.variables):
        return SimulationConfig()
    instruments = node.child("instruments")
    if instruments is not None and instruments.content is None:
        node = node.without("instruments")
    return check_model(SimulationConfig, node, ("simulation",), problems)


def _read_bots(root: Node, host: Installed, problems: Problems) -> list[Draft]:
    node = root.child("bots")
    if node is None:
        hint = (
            "write `bots:` and one bot below it, `- name: …`, with symbol and strategy\n"
            "a preset is checked with a configuration: traderagent config check FILE --preset PRESET"
        )
        problems.at_key(root, ("bots",), "this key is required and missing", hint)
        return []
    if not node.items:
        hint = "write one bot an item: `- name: …`, with symbol and strategy below it"
        problems.at_value(node, ("bots",), "expected a list of bots", hint)
    return [read_bot(item, ("bots", index), host, problems) for index, item in enumerate(node.items)]


def _build(pieces: _Pieces, path: Path | None, notes: Problems, host: Installed) -> Config:
    general, simulation, coordinator = pieces.general, pieces.simulation, pieces.coordinator
    if general is None or simulation is None or coordinator is None:
        raise ValueError("a configuration with problems cannot be built")
    bots = tuple(draft.bot() for draft in pieces.drafts)
    effective = {
        "general": general.model_copy(update={"preset": ()}),
        "simulation": simulation,
        "coordinator": coordinator,
        "bots": bots,
        "filters": [(part.name, part.config) for part in pieces.filters],
        "risk_modes": [(part.name, part.config) for part in pieces.risk_modes],
    }
    return Config(
        path=path,
        sha256=digest(effective),
        simulation=simulation,
        coordinator=coordinator,
        bots=bots,
        filters=pieces.filters,
        risk_modes=pieces.risk_modes,
        plugins=general.plugins,
        disabled_plugins=general.disabled_plugins,
        log_level=general.log_level,
        slow_call_ms=general.slow_call_ms,
        hung_call_ms=general.hung_call_ms,
        database_url=general.database_url,
        encryption_key=general.encryption_key,
        exchanges=dict(host.exchange_adapters),
        distributions=_distributions(pieces, bots, host),
        notes=tuple(notes.in_order()),
        event_sinks=pieces.event_sinks,
        host=host,
    )


def _distributions(pieces: _Pieces, bots: Sequence[Bot], host: Installed) -> dict[str, str]:
    """Who gave the strategies, filters, modes and sinks that are used, with versions; a local file has none."""
    parts: list[Bot | FilterPart | RiskModePart | SinkPart] = [*bots, *pieces.filters]
    parts += [*pieces.risk_modes, *pieces.event_sinks]
    used = {id(part.spec) for part in parts}
    return {
        info.distribution if info.version else f"local {info.name}": info.version
        for info in host.plugins
        if any(id(offer.spec) in used for offer in info.offers)
    }
