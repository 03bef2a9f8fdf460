"""Reads one bot: its own keys, its strategy and the sections of strategies."""

from collections.abc import Mapping
from typing import Any

from attrs import Factory, define
from pydantic import BaseModel

from traderagent_core.config.coordinator import AllocatorConfig, CoordinatorConfig
from traderagent_core.config.exchanges import common_part, read_exchange
from traderagent_core.config.installed import Installed, package_for, why_absent, why_absent_section
from traderagent_core.config.loaded import Bot, StrategySection
from traderagent_core.config.problems import KeyPath
from traderagent_core.config.schema import (
    AUTO,
    BotConfig,
    ExchangeConfig,
    FileConfig,
    RiskManagementConfig,
    SimulationConfig,
)
from traderagent_core.config.sections import TOP, check_absent_section, check_section, note_stray_key
from traderagent_core.config.tree import Node, Problems
from traderagent_core.config.validate import check_model, valid_fields
from traderagent_core.model.instrument import Market
from traderagent_core.specs import StrategySpec

HYBRID = "hybrid"
_HYBRID_WORDS = (
    "there is no strategy 'hybrid' any more",
    "write `strategy: auto`: the router picks the strategy by market regime",
)
_FIELDS = frozenset(BotConfig.model_fields)
_BELONGS = {
    **dict.fromkeys(FileConfig.model_fields, TOP),
    **dict.fromkeys(CoordinatorConfig.model_fields, "coordinator, at the top of the file"),
    **dict.fromkeys(AllocatorConfig.model_fields, "coordinator.allocator, at the top of the file"),
    **dict.fromkeys(RiskManagementConfig.model_fields, "risk_management"),
    **dict.fromkeys(("exchange_id", "credentials_name", "sandbox", "environment"), "exchange"),
    **dict.fromkeys(SimulationConfig.model_fields, "simulation, at the top of the file"),
}


@define(eq=False)
class Draft:
    """A bot on its way: `values` are those keys that are right by themselves."""

    node: Node
    path: KeyPath
    values: Mapping[str, Any] = Factory(dict)
    config: BotConfig | None = None
    exchange_config: BaseModel | None = None
    spec: StrategySpec | None = None
    sections: dict[str, StrategySection] = Factory(dict)

    def bot(self) -> Bot:
        """The bot; only when nothing was wrong with it."""
        config = self.config
        if config is None:
            raise ValueError("a bot with problems cannot be built")
        section = self.sections.get(config.strategy)
        return Bot(
            name=config.name,
            symbol=config.symbol,
            strategy=config.strategy,
            spec=self.spec,
            strategy_config=section.config if section else None,
            sections=self.sections,
            exchange=config.exchange,
            exchange_config=self.exchange_config,
            timeframe=config.timeframe,
            market=Market(config.market),
            leverage=config.leverage,
            risk=config.risk_management,
            dry_run=config.dry_run,
            auto_start=config.auto_start,
            capital_share=config.capital_share,
        )


def read_bot(node: Node, path: KeyPath, host: Installed, problems: Problems) -> Draft:
    """Read a bot and note every problem in it."""
    draft = Draft(node, path)
    if not isinstance(node.content, dict):
        problems.at_value(node, path, "expected a bot", "write `- name: …` with symbol and strategy below it")
        return draft
    own = _own_keys(node)
    draft.config = check_model(BotConfig, own, path, problems)
    draft.values = dict(draft.config) if draft.config else valid_fields(BotConfig, own)
    strategy = str(draft.values.get("strategy", ""))
    for key in [key for key in node.children if key not in _FIELDS]:
        _read_section(draft, key, strategy, host, problems)
    if strategy:
        _read_strategy(draft, strategy, host, problems)
    _read_exchange(draft, host, problems)
    return draft


def _own_keys(node: Node) -> Node:
    """The bot's own keys; a group written with nothing in it counts as not written."""
    groups = ("exchange", "risk_management")
    kept = {
        key: child
        for key, child in node.children.items()
        if key in _FIELDS and not (key in groups and child.content is None)
    }
    if "exchange" in kept:
        kept["exchange"] = common_part(kept["exchange"])
    return Node(kept, node.place, node.key_place)


def _read_exchange(draft: Draft, host: Installed, problems: Problems) -> None:
    section = draft.node.child("exchange")
    if section is None or section.content is None:
        section = Node({})
    elif not isinstance(section.content, dict):
        return  # said already, with the bot's own keys
    common = valid_fields(ExchangeConfig, common_part(section))
    if "exchange_id" in common:
        path = (*draft.path, "exchange")
        draft.exchange_config = read_exchange(section, common["exchange_id"], path, host, problems)


def _read_section(draft: Draft, key: str, strategy: str, host: Installed, problems: Problems) -> None:
    section, path = draft.node.children[key], (*draft.path, key)
    spec = host.strategies.get(key)
    if spec is not None:
        checked = check_section(spec, section, path, problems)
        draft.sections[key] = StrategySection(spec, checked.config, checked.is_enabled)
    elif key == strategy:
        return  # said once, at the key `strategy`
    elif key == HYBRID:
        problems.at_key(section, path, *_HYBRID_WORDS)
    elif package_for("strategy", key):
        problems.at_key(section, path, *why_absent_section(host, "strategy", key, host.strategies))
    else:
        note_stray_key(section, path, _known_keys(draft, host), _places(host), problems)


def _known_keys(draft: Draft, host: Installed) -> set[str]:
    return ({*_FIELDS} | set(host.strategies)) - set(draft.node.children)


def _places(host: Installed) -> dict[str, str]:
    top = dict.fromkeys(host.entry_filters, "filters, at the top of the file")
    top |= dict.fromkeys(host.risk_modes, "risk_modes, at the top of the file")
    top |= dict.fromkeys(host.event_sinks, "event_sinks, at the top of the file")
    inner = {key: name for name, spec in host.strategies.items() for key in spec.config_model.model_fields}
    return inner | top | _BELONGS


def _read_strategy(draft: Draft, name: str, host: Installed, problems: Problems) -> None:
    node, path = draft.node.children["strategy"], (*draft.path, "strategy")
    draft.spec = host.strategies.get(name)
    if draft.spec is not None:
        _require_section(draft, draft.spec, problems)
    elif name == HYBRID:
        problems.at_value(node, path, *_HYBRID_WORDS, show=False)
    elif name != AUTO:
        rule, hint = why_absent(host, "strategy", name, host.strategies, also=(AUTO,))
        problems.at_value(node, path, rule, hint, show=False)


def _require_section(draft: Draft, spec: StrategySpec, problems: Problems) -> None:
    path = (*draft.path, spec.name)
    section = draft.sections.get(spec.name)
    if section is None:
        config = check_absent_section(spec, draft.node.children["strategy"], path, problems)
        draft.sections[spec.name] = StrategySection(spec, config)
    elif not section.is_enabled:
        rule = f"the bot's strategy is {spec.name!r}, but its section is switched off"
        problems.at_key(
            draft.node.children[spec.name], path, rule, "write `enabled: true`, or another strategy"
        )
