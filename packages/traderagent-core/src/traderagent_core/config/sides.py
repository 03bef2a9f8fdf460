"""Rules for the two positions of hedge mode, `BTC/USDT:long` and `BTC/USDT:short`."""

from collections import defaultdict
from collections.abc import Sequence

from traderagent_core.config.bots import Draft
from traderagent_core.config.tree import Problems
from traderagent_core.model.position_side import pair_of, side_of


def check_sides(drafts: Sequence[Draft], problems: Problems) -> None:
    """A side is one of a linear position; a pair has one position or two, and both have one leverage."""
    of_pair: dict[str, list[Draft]] = defaultdict(list)
    for draft in drafts:
        symbol = draft.values.get("symbol")
        if symbol is None:
            continue
        of_pair[pair_of(symbol)].append(draft)
        if side_of(symbol) is not None and draft.values.get("market") == "spot":
            hint = f"write `market: linear`, or symbol: {pair_of(symbol)}"
            _note(draft, "symbol", "a spot market has no long and short positions", hint, problems)
    for pair, sharing in of_pair.items():
        if len({side_of(draft.values["symbol"]) for draft in sharing}) > 1:
            _check_shared(pair, sharing, problems)


def _check_shared(pair: str, sharing: Sequence[Draft], problems: Problems) -> None:
    for draft in sharing:
        if side_of(draft.values["symbol"]) is None:
            hint = f"write {pair}:long or {pair}:short, or remove it"
            rule = f"another bot trades one position of {pair} in hedge mode"
            _note(draft, "symbol", rule, hint, problems)
    leverages = {draft.values["leverage"] for draft in sharing if "leverage" in draft.values}
    if len(leverages) > 1:
        rule = f"both positions of {pair} have one leverage at the exchange"
        _note(sharing[-1], "leverage", rule, "give both bots the same", problems)


def _note(draft: Draft, key: str, rule: str, hint: str, problems: Problems) -> None:
    path = (*draft.path, key)
    problems.at_value(draft.node.child(key) or draft.node, path, rule, hint)
