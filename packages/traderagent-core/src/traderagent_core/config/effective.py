"""The effective configuration in the layout of the file, defaults filled in, secrets left out; it loads again."""

from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import BaseModel, SecretBytes, SecretStr

from traderagent_core.config.lazy_text import LazyText
from traderagent_core.config.loaded import Bot, Config
from traderagent_core.config.problems import is_secret
from traderagent_core.config.supervision import UNASKED, is_supervised

BOT_KEYS = ("name", "symbol", "strategy", "timeframe", "dry_run", "auto_start")
SECRETS = (LazyText, SecretStr, SecretBytes)


def effective(config: Config) -> dict[str, Any]:
    """What `load_config` takes to give the same bots, simulation, coordinator, filters and risk modes again.

    Who watches, `effective_sinks`, is told apart.
    """
    content: dict[str, Any] = {
        "log_level": config.log_level,
        "slow_call_ms": config.slow_call_ms,
        "hung_call_ms": config.hung_call_ms,
        "simulation": _plain(config.simulation),
        "coordinator": _coordinator(config),
        "bots": [_bot(bot) for bot in config.bots],
    }
    if config.plugins is not None:
        content["plugins"] = list(config.plugins)
    if config.disabled_plugins:
        content["disabled_plugins"] = list(config.disabled_plugins)
    for key, parts in (("filters", config.filters), ("risk_modes", config.risk_modes)):
        if parts:
            content[key] = {part.name: _plain(part.config) for part in parts}
    if _is_supervised(config):
        off = set(UNASKED) - {part.name for part in config.risk_modes}
        content.setdefault("risk_modes", {}).update((name, {"enabled": False}) for name in sorted(off))
    return content


def effective_sinks(config: Config) -> dict[str, Any]:
    """The event sinks in the layout of the file; what they need may be a secret, so it need not load again."""
    return {part.name: _plain(part.config) for part in config.event_sinks}


def _is_supervised(config: Config) -> bool:
    return is_supervised(bot.strategy for bot in config.bots)


def _coordinator(config: Config) -> dict[str, Any]:
    """Without a bot that is routed the allocator is at work only where its section is written."""
    content: dict[str, Any] = _plain(config.coordinator)
    if "allocator" not in config.coordinator.model_fields_set and not _is_supervised(config):
        content.pop("allocator", None)
    return content


def _bot(bot: Bot) -> dict[str, Any]:
    content = {key: getattr(bot, key) for key in BOT_KEYS}
    content["market"] = bot.market.value
    content["leverage"] = _plain(bot.leverage)
    content["capital_share"] = _plain(bot.capital_share)
    content["exchange"] = _plain(bot.exchange) | _plain(bot.exchange_config or {})
    content["risk_management"] = _plain(bot.risk)
    for name, section in bot.sections.items():
        values = {} if section.config is None else _plain(section.config)
        content[name] = {"enabled": section.is_enabled, **values}
    return content


def _plain(value: Any) -> Any:
    """JSON-ready; keys that hold a secret, or have no value by default, are left out."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {name: _plain(getattr(value, name)) for name in fields if _is_said(value, name)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Enum):
        return _plain(value.value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _is_said(model: BaseModel, name: str) -> bool:
    value = getattr(model, name)
    if is_secret((name,)) or isinstance(value, SECRETS):
        return False
    return value is not None or type(model).model_fields[name].default is not None
