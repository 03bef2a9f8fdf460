"""Tables on the coordination of a run: who earned what where, what transitions cost, how long modes took."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import TypeVar

from attrs import evolve

from traderagent_core.contract.exhibit import Cell, Column, Table
from traderagent_core.simulator.coordination import Coordination, Earned, Stretch, TransitionRow

Item = TypeVar("Item")
ZERO = Decimal(0)
PROFIT = "Profit after fees and funding, what is open at the end included; the rows add up to the account's profit."
PARTS = "The same, part by part: a strategy's profit is cut at each change of its pair's regime, at the last close."
COST = (
    "Cost = fees + price difference. The difference is what the price was worse than when the transition began, "
    "below zero where it was better; the penalty, the slippage of a forced close, is part of it."
)
COSTS = (
    Column("fees", "Fees", "number"),
    Column("price_difference", "Price difference", "number"),
    Column("penalty", "of it penalty", "number"),
    Column("cost", "Cost", "number"),
)


def coordination_tables(found: Coordination) -> list[Table]:
    """All tables that have rows."""
    made = (
        _by_strategy(found),
        _by_pair(found),
        _by_regime(found),
        _parts(found),
        _outcomes(found),
        _transitions(found),
        _modes(found),
        _halts(found),
    )
    return [table for table in made if table.rows]


def strategy_of(member: str) -> str:
    """What a strategy is called without its bot: `grid-tight-range` of `btc:grid-tight-range`."""
    return member.partition(":")[2] or member


def _by_strategy(found: Coordination) -> Table:
    profits = _sums(found.earned, lambda each: strategy_of(each.member))
    held = _time_of((strategy_of(each.name), each) for own in found.owners.values() for each in own)
    left = grouped(found.transitions, lambda each: strategy_of(each.old))
    pairs_ms = max(1, len(found.owners)) * (found.end_ms - found.start_ms)
    rows: list[tuple[Cell, ...]] = [
        (
            name,
            profits.get(name, ZERO),
            held.get(name, 0) / pairs_ms,
            len(left.get(name, ())),
            sum((each.cost for each in left.get(name, ())), ZERO),
        )
        for name in sorted(profits.keys() | held.keys())
    ]
    columns = (
        Column("strategy", "Strategy"),
        Column("profit", "Profit", "money"),
        Column("time_ratio", "Time in charge", "ratio"),
        Column("transitions", "Left", "count"),
        Column("transition_cost", "Cost of leaving", "number"),
    )
    note = f"{PROFIT} Time in charge is of all pairs together; what remains of it no strategy had."
    return Table("attribution_by_strategy", "Attribution by strategy", columns, rows, note)


def _by_pair(found: Coordination) -> Table:
    profits = _sums(found.earned, lambda each: each.symbol)
    left = grouped(found.transitions, lambda each: each.symbol)
    bots = {each.symbol: each.member.partition(":")[0] for each in found.earned}
    rows: list[tuple[Cell, ...]] = [
        (
            symbol,
            profit,
            len(found.regimes.get(bots[symbol], ())),
            len(left.get(symbol, ())),
            sum((each.cost for each in left.get(symbol, ())), ZERO),
            max((each.by_bot.get(bots[symbol], ZERO) for each in found.committed), default=ZERO),
        )
        for symbol, profit in sorted(profits.items())
    ]
    columns = (
        Column("symbol", "Symbol"),
        Column("profit", "Profit", "money"),
        Column("regimes", "Regimes", "count"),
        Column("transitions", "Transitions", "count"),
        Column("transition_cost", "Their cost", "number"),
        Column("committed", "Committed", "number"),
    )
    note = f"{PROFIT} Committed is the most at the peaks of the account's own commitment."
    return Table("attribution_by_pair", "Attribution by pair", columns, rows, note)


def _by_regime(found: Coordination) -> Table:
    profits = _sums(found.earned, lambda each: each.regime or "none")
    spent = _time_of((each.name, each) for own in found.regimes.values() for each in own)
    total = sum(spent.values()) or 1
    rows: list[tuple[Cell, ...]] = [
        (name, profits.get(name, ZERO), spent.get(name, 0) / total)
        for name in sorted(profits.keys() | spent.keys())
    ]
    columns = (
        Column("regime", "Regime"),
        Column("profit", "Profit", "money"),
        Column("time_ratio", "Time", "ratio"),
    )
    note = f"{PROFIT} Time is of all pairs together."
    return Table("attribution_by_regime", "Attribution by regime", columns, rows, note)


def _parts(found: Coordination) -> Table:
    columns = (
        Column("strategy", "Strategy"),
        Column("symbol", "Symbol"),
        Column("regime", "Regime"),
        Column("profit", "Profit", "money"),
    )
    rows = [
        (strategy_of(each.member), each.symbol, each.regime or "none", each.profit)
        for each in sorted(found.earned, key=lambda each: each.profit)
    ]
    return Table("attribution", "Attribution by strategy, pair and regime", columns, rows, PARTS)


def _outcomes(found: Coordination) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (name, len(own), *costs(own))
        for name, own in sorted(grouped(found.transitions, lambda each: each.outcome).items())
    ]
    columns = (Column("outcome", "Ended"), Column("count", "Transitions", "count"), *COSTS)
    return Table("transitions_by_outcome", "Transitions by their end", columns, rows, COST)


def _transitions(found: Coordination) -> Table:
    columns = (
        Column("symbol", "Symbol"),
        Column("old", "From"),
        Column("new", "To"),
        Column("began", "Began", "time"),
        Column("ended", "Ended", "time"),
        Column("outcome", "End"),
        Column("quantity", "Held", "number"),
        *COSTS,
    )
    rows: list[tuple[Cell, ...]] = [
        (
            each.symbol,
            strategy_of(each.old),
            strategy_of(each.new) or "nobody",
            each.began_ms,
            each.ended_ms,
            each.outcome,
            each.quantity,
            *costs((each,)),
        )
        for each in found.transitions
    ]
    return Table("transitions", "Transitions", columns, rows, COST)


def _modes(found: Coordination) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, changes in sorted(found.modes.items()):
        own = _joined(changes)
        longest = max(own, key=lambda each: each.to_ms - each.from_ms)
        rows.append((name, found.mode_ratio(name), len(own), longest.from_ms, longest.to_ms))
    columns = (
        Column("mode", "Mode"),
        Column("time_ratio", "Time", "ratio"),
        Column("times", "Times", "count"),
        Column("from", "Longest from", "time"),
        Column("to", "to", "time"),
    )
    return Table(
        "modes", "Time in each risk mode", columns, rows, "Part of the run in which the mode was on."
    )


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Stretches that follow each other without a break as one: a mode may say more while it is on."""
    found: list[Stretch] = []
    for each in stretches:
        if found and each.from_ms == found[-1].to_ms:
            found[-1] = evolve(found[-1], to_ms=each.to_ms)
        else:
            found.append(each)
    return found


def _halts(found: Coordination) -> Table:
    columns = (
        Column("stage", "Stage"),
        Column("from", "From", "time"),
        Column("to", "To", "time"),
        Column("reason", "Reason"),
    )
    rows = [(each.name, each.from_ms, each.to_ms, each.evidence) for each in found.halts]
    return Table("halts", "Emergency halts", columns, rows)


def costs(rows: Sequence[TransitionRow]) -> tuple[Decimal, ...]:
    """The sums of `COSTS` over some transitions."""
    parts = [(each.fees, each.price_difference, each.penalty, each.cost) for each in rows]
    return tuple(sum(column, ZERO) for column in zip((ZERO,) * len(COSTS), *parts, strict=True))


def _sums(earned: Iterable[Earned], key: Callable[[Earned], str]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for each in earned:
        found[key(each)] += each.profit
    return found


def grouped(rows: Iterable[Item], key: Callable[[Item], str]) -> dict[str, list[Item]]:
    """Rows by a text that each of them has."""
    found: dict[str, list[Item]] = defaultdict(list)
    for each in rows:
        found[key(each)].append(each)
    return found


def _time_of(named: Iterable[tuple[str, Stretch]]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for name, each in named:
        found[name] += each.to_ms - each.from_ms
    return found
