"""The coordination of a run for JSON: a summary for result.json, every stretch for timeline.json."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from traderagent_core.model.timeframe import timeframe_name
from traderagent_core.report.coordination_tables import COSTS, costs
from traderagent_core.report.text import dumped, iso, iso_texts, jsonable, plain
from traderagent_core.simulator.coordination import Coordination, Stretch

ZERO = Decimal(0)


def summary(found: Coordination) -> dict[str, Any]:
    """Transitions with their cost, halts, shares of time in regimes and modes, attribution, committed capital."""
    peak = max(found.committed, key=lambda each: each.total)
    content: dict[str, Any] = {
        "transitions": _transitions(found),
        "halts": [_stretch(each) for each in found.halts],
        "time_in_regime": {bot: _shares(own) for bot, own in sorted(found.regimes.items())},
        "time_in_mode_ratio": {name: found.mode_ratio(name) for name in sorted(found.modes)},
        "attribution": _attribution(found),
        "committed": {"peak": jsonable(peak.total), "peak_at": iso(peak.time_ms)},
    }
    if found.stress is not None:
        content["correlation"] = _correlation(found)
    return content


def timeline_json(found: Coordination) -> Iterator[bytes]:
    """timeline.json: regimes and owners of each bot, modes, halts, transitions and committed capital over time.

    Of the capital there is one entry for each `committed_step`: the largest within it, with its time.
    """
    groups = {"regimes": found.regimes, "owners": found.owners, "modes": found.modes}
    content: dict[str, Any] = {
        name: {key: [_stretch(each) for each in own] for key, own in sorted(group.items())}
        for name, group in groups.items()
    }
    content["halts"] = [_stretch(each) for each in found.halts]
    content["transitions"] = [
        {
            "bot": each.bot,
            "symbol": each.symbol,
            "old": each.old,
            "new": each.new,
            "from": iso(each.began_ms),
            "due": iso(each.due_ms),
            "to": iso(each.ended_ms),
            "outcome": each.outcome,
            "mark": jsonable(each.mark),
            "quantity": jsonable(each.quantity),
            "fees": jsonable(each.fees),
            "price_difference": jsonable(each.price_difference),
            "penalty": jsonable(each.penalty),
        }
        for each in found.transitions
    ]
    content["committed_step"] = timeframe_name(found.step_ms)
    content["committed"] = [
        {
            "time": iso(each.time_ms),
            "total": jsonable(each.total),
            "by_bot": jsonable(each.by_bot),
            "by_strategy": jsonable(each.by_strategy),
        }
        for each in found.committed
    ]
    return dumped(content)


def committed_csv(found: Coordination) -> bytes:
    """committed.csv: from when on a bot had so much committed, in quote currency, and so many trades closed."""
    times = iso_texts({each.time_ms for each in found.changes})
    lines = [
        f"{times[each.time_ms]},{each.bot},{plain(each.committed)},{each.closed_trades}\n"
        for each in found.changes
    ]
    return ("time,bot,committed,closed_trades\n" + "".join(lines)).encode()


def _stretch(each: Stretch) -> dict[str, str]:
    return {
        "name": each.name,
        "from": iso(each.from_ms),
        "to": iso(each.to_ms),
        "evidence": each.evidence,
    }


def _transitions(found: Coordination) -> dict[str, Any]:
    outcomes = Counter(each.outcome for each in found.transitions)
    sums = zip(COSTS, costs(found.transitions), strict=True)
    return {
        "count": len(found.transitions),
        "outcomes": dict(sorted(outcomes.items())),
        **{column.name: jsonable(amount) for column, amount in sums},
    }


def _shares(stretches: Sequence[Stretch]) -> Mapping[str, float]:
    """Shares of the time in which any regime was known."""
    spent: dict[str, int] = defaultdict(int)
    for each in stretches:
        spent[each.name] += each.to_ms - each.from_ms
    total = sum(spent.values()) or 1
    return {name: time_ms / total for name, time_ms in sorted(spent.items())}


def _attribution(found: Coordination) -> dict[str, Any]:
    """Profit by strategy, pair and regime, and its sums; the parts add up to the account's profit."""
    strategies: dict[str, Decimal] = defaultdict(lambda: ZERO)
    symbols: dict[str, Decimal] = defaultdict(lambda: ZERO)
    regimes: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for each in found.earned:
        strategies[each.member.partition(":")[2] or each.member] += each.profit
        symbols[each.symbol] += each.profit
        regimes[each.regime or "none"] += each.profit
    return {
        "by_strategy": jsonable(dict(sorted(strategies.items()))),
        "by_symbol": jsonable(dict(sorted(symbols.items()))),
        "by_regime": jsonable(dict(sorted(regimes.items()))),
        "parts": [
            {
                "strategy": each.member,
                "symbol": each.symbol,
                "regime": each.regime or "none",
                "profit": jsonable(each.profit),
            }
            for each in found.earned
        ],
        "total": jsonable(sum((each.profit for each in found.earned), ZERO)),
    }


def _correlation(found: Coordination) -> dict[str, Any]:
    """Of the closes of the run: the part of couples above the bound, and the part of the time in stress."""
    stress = found.stress
    assert stress is not None
    rows = (stress.time_ms > found.start_ms) & (stress.time_ms <= found.end_ms) & (stress.known > 0)
    if not rows.any():
        return {"closes": 0}
    alike = stress.alike[rows] / stress.known[rows]
    return {
        "closes": int(rows.sum()),
        "alike_ratio_mean": float(alike.mean()),
        "alike_ratio_max": float(alike.max()),
        "time_in_stress_ratio": float(stress.is_stressed[rows].mean()),
    }
