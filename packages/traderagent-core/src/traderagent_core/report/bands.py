"""Coordination as the page draws it: bands of regimes, owners, modes and halts over time, capital, correlation."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from traderagent_core.account.reasons import bot_of_mode
from traderagent_core.model.candle import FloatColumn, TimeColumn
from traderagent_core.model.regime import Regime
from traderagent_core.model.timeframe import timeframe_name
from traderagent_core.report.coordination_tables import strategy_of
from traderagent_core.report.digits import digits, short
from traderagent_core.simulator.coordination import Coordination, Stretch
from traderagent_core.simulator.outcome import EquityCurve, Outcome

PARTS, LEAST_PARTS = 24_000, 60
"""Stretches on a page, and at least of each band; of more the shortest neighbours are drawn as one."""
SEVERAL = -1
"""Place of the name of what stands for several short stretches."""


def bands(outcome: Outcome) -> dict[str, Any] | None:
    """What the page's script draws, ready for JSON; None for a run without coordination."""
    found = outcome.study.coordination
    if found is None:
        return None
    limit = max(LEAST_PARTS, PARTS // (3 * max(1, len(found.regimes))))
    plugins = {strategy_of(money.bot): money.strategy for money in outcome.money}
    owners = {strategy_of(each.name) for own in found.owners.values() for each in own}
    seats = sorted(owners, key=lambda seat: (plugins.get(seat, ""), seat))
    symbols = {money.bot.partition(":")[0]: money.symbol for money in outcome.money}
    return {
        "regimes": [regime.value for regime in Regime],
        "seats": [[seat, plugins.get(seat, "")] for seat in seats],
        "pairs": {symbol: _pair(found, bot, seats, limit) for bot, symbol in _pairs(symbols, found).items()},
        "modes": [
            [name, symbols.get(bot_of_mode(name), ""), _plain(own, limit)]
            for name, own in sorted(found.modes.items())
        ],
        "halts": _plain(found.halts, limit),
        "capital": _capital(outcome.equity, found),
        "correlation": _correlation(found),
        "stressed": float(found.terms.stressed_ratio),
    }


def joined(stretches: Sequence[Stretch], limit: int) -> list[tuple[Stretch, bool]]:
    """At most so many stretches: short neighbours become one, and True says that it stands for several.

    They are joined up to the least time that it takes, so that what is longer is drawn as it was. Stretches with gaps
    between them are never joined, and may be more.
    """
    found = [(each, False) for each in stretches]
    if len(found) <= limit:
        return found
    whole_ms = stretches[-1].to_ms - stretches[0].from_ms
    most_ms = max(1, whole_ms // 4096)
    while len(found := _joined_below(stretches, most_ms)) > limit and most_ms < whole_ms:
        most_ms *= 2
    return found


def _joined_below(stretches: Sequence[Stretch], most_ms: int) -> list[tuple[Stretch, bool]]:
    """Neighbours as one where they are together no longer than a time."""
    found: list[tuple[Stretch, bool]] = []
    count = 1
    for each in stretches:
        last = found[-1][0] if found else each
        if found and last.to_ms == each.from_ms and each.to_ms - last.from_ms <= most_ms:
            count += 1
            found[-1] = (Stretch("", last.from_ms, each.to_ms, f"{count} short ones"), True)
        else:
            count = 1
            found.append((each, False))
    return found


def _pairs(symbols: Mapping[str, str], found: Coordination) -> dict[str, str]:
    """The symbol of each bot with regimes or owners."""
    bots = found.regimes.keys() | found.owners.keys()
    return {bot: symbols[bot] for bot in sorted(bots) if bot in symbols}


def _pair(found: Coordination, bot: str, seats: Sequence[str], limit: int) -> dict[str, Any]:
    transitions = [each for each in found.transitions if each.bot == bot]
    shown = transitions[-limit:]
    names = [strategy_of(each.name) for each in found.owners.get(bot, ())]
    return {
        "regimes": _named(found.regimes.get(bot, ()), list(Regime), limit),
        "owners": _named(
            [
                Stretch(name, each.from_ms, each.to_ms)
                for name, each in zip(names, found.owners.get(bot, ()), strict=True)
            ],
            seats,
            limit,
        ),
        "transitions": [
            [
                each.began_ms // 1000,
                each.ended_ms // 1000,
                seats.index(strategy_of(each.old)),
                strategy_of(each.new),
                each.outcome,
                *(_money(part) for part in (each.fees, each.price_difference, each.penalty)),
            ]
            for each in shown
        ],
        "left_out": len(transitions) - len(shown),
    }


def _named(stretches: Sequence[Stretch], names: Sequence[str], limit: int) -> list[list[Any]]:
    """Stretches as [from, to, place of the name, evidence], times in seconds."""
    return [
        [
            each.from_ms // 1000,
            each.to_ms // 1000,
            SEVERAL if is_several else names.index(each.name),
            each.evidence,
        ]
        for each, is_several in joined(stretches, limit)
    ]


def _plain(stretches: Sequence[Stretch], limit: int) -> list[list[Any]]:
    """Stretches as [from, to, name, evidence], times in seconds."""
    return [
        [each.from_ms // 1000, each.to_ms // 1000, "several" if is_several else each.name, each.evidence]
        for each, is_several in joined(stretches, limit)
    ]


def _capital(equity: EquityCurve, found: Coordination) -> dict[str, Any]:
    """Step by step: the most that was committed, by strategy, and equity and the active pool of that moment."""
    times = np.array([each.time_ms for each in found.committed], dtype=np.int64)
    worth = _at(equity.time_ms, equity.equity, times)
    reserve = found.terms.reserve_ratio
    names = sorted({name for each in found.committed for name in each.by_strategy})
    return {
        "step": timeframe_name(found.step_ms),
        "time": [max(found.start_ms, _floor(time_ms, found)) // 1000 for time_ms in times.tolist()],
        "equity": short(worth),
        "pool": None if reserve is None else short(np.maximum(worth, 0.0) * (1 - float(reserve))),
        "parts": [
            [name, [digits(float(each.by_strategy.get(name, 0))) for each in found.committed]]
            for name in names
        ],
    }


def _correlation(found: Coordination) -> list[float | None] | None:
    """The largest part of couples that moved alike in each step of the capital; None where nothing was known."""
    stress = found.stress
    if stress is None:
        return None
    known = stress.known > 0
    part = np.where(known, stress.alike / np.maximum(stress.known, 1), -1.0)
    edges = [_floor(each.time_ms, found) for each in found.committed]
    first = np.searchsorted(stress.time_ms, np.array(edges, dtype=np.int64))
    last = np.append(first[1:], len(part))
    most = [float(part[a:b].max()) if b > a else -1.0 for a, b in zip(first, last, strict=True)]
    return [None if value < 0 else round(value, 4) for value in most]


def _floor(time_ms: int, found: Coordination) -> int:
    return time_ms // found.step_ms * found.step_ms


def _at(times: TimeColumn, values: FloatColumn, wanted: TimeColumn) -> FloatColumn:
    """The last value at each time; the first one before there is any."""
    if not len(times):
        return np.zeros(len(wanted))
    index = np.searchsorted(times, wanted, side="right") - 1
    return np.asarray(values[np.maximum(index, 0)])


def _money(value: Any) -> float:
    return float(f"{float(value):.6g}")
