"""Rules between keys: what cannot be seen in one value alone."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from traderagent_core.config.bots import Draft
from traderagent_core.config.installed import Installed, package_for
from traderagent_core.config.problems import KeyPath
from traderagent_core.config.schema import BUILT_IN_EXCHANGES, ExchangeConfig, InstrumentConfig
from traderagent_core.config.sides import check_sides
from traderagent_core.config.tree import Node, Problems
from traderagent_core.config.validate import valid_fields
from traderagent_core.host.hints import did_you_mean
from traderagent_core.model.position_side import pair_of


def check_bots(drafts: Sequence[Draft], root: Node, problems: Problems) -> None:
    """Bots against each other and against the simulation's instruments."""
    _check_unique(drafts, "name", "this name is already taken by the bot", problems)
    _check_unique(drafts, "symbol", "this pair is already traded by the bot", problems)
    for draft in drafts:
        _check_leverage(draft, root, problems)
        _check_environment(draft, problems)
    check_sides(drafts, problems)


def check_plugins(root: Node, plugins: Iterable[str], disabled: Iterable[str], problems: Problems) -> None:
    """A plugin cannot be asked for and switched off."""
    for index, name in enumerate(disabled):
        if name in set(plugins):
            path: KeyPath = ("disabled_plugins", index)
            problems.at_value(
                _node(root, path),
                path,
                "this plugin is listed under plugins too",
                "remove it from one of them",
            )


def note_bots(drafts: Sequence[Draft], root: Node, host: Installed, notes: Problems) -> None:
    """What is no error, but should be known."""
    for draft in drafts:
        _note_exchange(draft, host, notes)
    _note_idle_instruments(drafts, root, notes)


def _node(node: Node, path: KeyPath) -> Node:
    """The value at a path, or the nearest one above it."""
    for part in path:
        node = node.child(part) or node
    return node


def _note(draft: Draft, inner: KeyPath, rule: str, hint: str, into: Problems) -> None:
    into.at_value(_node(draft.node, inner), draft.path + inner, rule, hint, show=False)


def _check_unique(drafts: Sequence[Draft], key: str, rule: str, problems: Problems) -> None:
    first: dict[Any, Draft] = {}
    for draft in drafts:
        if key not in draft.values:
            continue
        other = first.setdefault(draft.values[key], draft)
        if other is not draft:
            node, path = _node(draft.node, (key,)), (*draft.path, key)
            problems.at_value(node, path, f"{rule} {_who(other)}", _unique_hint(key, draft, other))


def _who(draft: Draft) -> str:
    line = _node(draft.node, ("name",)).place.line
    name = draft.values.get("name", f"number {draft.path[-1]}")
    return f"{name!r}" + (f" in line {line}" if line else "")


def _unique_hint(key: str, draft: Draft, other: Draft) -> str:
    if key == "name":
        return "give each bot a name of its own"
    if draft.values.get("market") != other.values.get("market"):
        return "one account trades one market of a symbol, spot or linear: move one of the bots to a file of its own"
    return "one bot trades a pair; remove one of them, or use `strategy: auto` for several strategies"


def _check_leverage(draft: Draft, root: Node, problems: Problems) -> None:
    leverage, market = draft.values.get("leverage"), draft.values.get("market")
    if leverage is None or market is None:
        return
    node, path = _node(draft.node, ("leverage",)), (*draft.path, "leverage")
    if market == "spot" and leverage > 1:
        problems.at_value(
            node, path, "a spot market has no leverage", "write `market: linear`, or leverage: 1"
        )
        return
    symbol = str(draft.values.get("symbol"))
    limit = _max_leverage(root, symbol)
    if limit is not None and leverage > limit:
        rule = f"must be at most {limit}, the max_leverage of {symbol}"
        problems.at_value(node, path, rule, "lower it, or raise max_leverage under simulation.instruments")


def _max_leverage(root: Node, symbol: str) -> Decimal | None:
    simulation = root.child("simulation")
    instruments = simulation.child("instruments") if simulation else None
    instrument = instruments.child(symbol) or instruments.child(pair_of(symbol)) if instruments else None
    if instrument is None or not instrument.children:
        return None
    limit: Decimal | None = valid_fields(InstrumentConfig, instrument).get("max_leverage")
    return limit


def _check_environment(draft: Draft, problems: Problems) -> None:
    section = draft.node.child("exchange")
    if section is None or not section.children:
        return
    exchange = valid_fields(ExchangeConfig, section)
    if exchange.get("sandbox") and exchange.get("environment") not in (None, "demo"):
        path = (*draft.path, "exchange", "environment")
        rule = "`sandbox: true` means the demo environment"
        hint = "remove sandbox, or write `environment: demo`"
        problems.at_value(section.children["environment"], path, rule, hint)


def _note_exchange(draft: Draft, host: Installed, notes: Problems) -> None:
    exchange = draft.values.get("exchange")
    if exchange is None:
        return
    name = exchange.exchange_id
    if name in BUILT_IN_EXCHANGES or name in host.exchange_adapters:
        return
    meant = did_you_mean(name, {*BUILT_IN_EXCHANGES, *host.exchange_adapters, "bybit"})
    package = package_for("exchange_adapter", name)
    _note(
        draft,
        ("exchange", "exchange_id"),
        f"exchange {name!r} is not installed{meant}",
        f"live commands need it: pip install {package}; back-tests do not",
        notes,
    )


def _note_idle_instruments(drafts: Sequence[Draft], root: Node, notes: Problems) -> None:
    path: KeyPath = ("simulation", "instruments")
    simulation = root.child("simulation")
    instruments = simulation.child("instruments") if simulation else None
    named = [str(draft.values.get("symbol")) for draft in drafts]
    traded = {*named, *map(pair_of, named)}
    for symbol, node in (instruments.children if instruments else {}).items():
        if symbol not in traded:
            rule = f"no bot trades {symbol}{did_you_mean(symbol, traded)}"
            notes.at_key(node, (*path, symbol), rule, "its values are not used")
