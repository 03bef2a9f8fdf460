"""The section `exchange` of a bot: a few keys that all exchanges share, the rest by the adapter's own model."""

from pydantic import BaseModel

from traderagent_core.config.installed import Installed, package_for
from traderagent_core.config.keys import allowed_keys
from traderagent_core.config.problems import KeyPath
from traderagent_core.config.schema import ExchangeConfig
from traderagent_core.config.tree import Node, Problems
from traderagent_core.config.validate import check_model, note_unknown_key

COMMON = frozenset(ExchangeConfig.model_fields)


def common_part(section: Node) -> Node:
    """The keys that all exchanges share."""
    return section.without(*(section.children.keys() - COMMON)) if section.children else section


def read_exchange(
    section: Node, name: str, path: KeyPath, host: Installed, problems: Problems
) -> BaseModel | None:
    """The adapter's own configuration; None when it is not installed or something is wrong."""
    spec = host.exchange_adapters.get(name)
    own = section.without(*COMMON)
    known = allowed_keys((spec.config_model,)) if spec is not None else set()
    strangers = sorted(own.children.keys() - known)
    for key in strangers:
        hint = "" if spec is not None else _absent_hint(name)
        unused = (known | COMMON) - section.children.keys()
        note_unknown_key(own.children[key], (*path, key), unused, problems, hint)
    if spec is None:
        return None
    return check_model(spec.config_model, own.without(*strangers), path, problems)


def _absent_hint(name: str) -> str:
    """Keys of an exchange that is not installed cannot be told from typing errors."""
    package = package_for("exchange_adapter", name)
    return f"if it is a key of {name!r} itself, that exchange has to be installed: pip install {package}"
