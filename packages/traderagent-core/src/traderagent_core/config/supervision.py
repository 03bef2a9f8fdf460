"""Risk modes: those that the file switches on, and those that watch over bots with `strategy: auto` unasked."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from traderagent_core.config.bots import Draft
from traderagent_core.config.installed import Installed
from traderagent_core.config.loaded import RiskModePart
from traderagent_core.config.schema import AUTO, BUILT_IN_EXCHANGES
from traderagent_core.config.sections import check_named
from traderagent_core.config.tree import Node, Problems

RISK_MODES = "risk_modes"
UNASKED = ("halt", "reduced", "stress", "drawdown")
"""On with their defaults for a file with `strategy: auto`, unless its section says `enabled: false`."""


def read_risk_modes(
    root: Node, drafts: Sequence[Draft], host: Installed, problems: Problems
) -> tuple[RiskModePart, ...]:
    """The modes that are on, those of the file first."""
    node = root.child(RISK_MODES)
    found = check_named(node, (RISK_MODES,), "risk_mode", host.risk_modes, host, problems)
    parts = [RiskModePart(*part) for part in found]
    if is_supervised(draft.values.get("strategy") for draft in drafts):
        written = node.children if node else {}
        unasked = [name for name in UNASKED if name in host.risk_modes and name not in written]
        specs = [host.risk_modes[name] for name in unasked]
        parts += [RiskModePart(spec.name, spec, spec.config_model()) for spec in specs]
    return tuple(parts)


def is_supervised(strategies: Iterable[object]) -> bool:
    """Whether bots with these strategies have risk modes unasked."""
    return AUTO in strategies


def check_levels(parts: Sequence[RiskModePart], root: Node, problems: Problems, notes: Problems) -> None:
    """A drawdown at which the halt comes first; a note where one of the two is a default."""
    levels = {part.name: getattr(part.config, "drawdown", None) for part in parts}
    halt, drawdown = levels.get("halt"), levels.get("drawdown")
    if not isinstance(halt, Decimal) or not isinstance(drawdown, Decimal) or drawdown < halt:
        return
    written = {name: _level(root, name) for name in ("halt", "drawdown")}
    name = "drawdown" if written["drawdown"] is not None else "halt"
    node = written[name] or root
    rule = f"the mode drawdown, on from {drawdown}, never comes before the halt at {halt}"
    hint = "lower the first, raise the second, or switch one off by `enabled: false`"
    into = problems if all(written.values()) else notes
    into.at_value(node, (RISK_MODES, name, "drawdown"), rule, hint, show=False)


def _level(root: Node, name: str) -> Node | None:
    modes = root.child(RISK_MODES)
    section = modes.child(name) if modes else None
    return section.child("drawdown") if section else None


def note_unwatched(
    parts: Sequence[RiskModePart], drafts: Sequence[Draft], root: Node, notes: Problems
) -> None:
    """An account with real money that nothing stops."""
    if parts or not any(_is_real(draft.values) for draft in drafts):
        return
    rule = "orders are real and no risk mode is on: whatever the account loses, nothing stops it"
    hint = "write `risk_modes: {halt: {}, reduced: {}, drawdown: {}}`, which takes their defaults"
    notes.at_key(root.children["bots"], ("bots",), rule, hint)


def _is_real(values: Mapping[str, object]) -> bool:
    exchange = values.get("exchange")
    name = getattr(exchange, "exchange_id", BUILT_IN_EXCHANGES[0])
    return values.get("dry_run") is False and name not in BUILT_IN_EXCHANGES
