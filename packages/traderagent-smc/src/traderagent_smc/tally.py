"""Counts of a run: rulings, reasons, kinds of zones, and what became of accepted entries."""

from collections import Counter
from decimal import Decimal

from attrs import Factory, define
from traderagent_core import Ruling, Verdict


@define(eq=False)
class Outcome:
    """Accepted entries of one kind of zone that are closed: how many won, and what all brought in quote currency."""

    closed: int = 0
    won: int = 0
    profit: Decimal = Decimal(0)


@define(eq=False)
class Tally:
    """What the filter has ruled so far. `zone_kinds` counts the zone that decided, by ruling."""

    rulings: Counter[str] = Factory(Counter)
    reasons: Counter[str] = Factory(Counter)
    zone_kinds: Counter[str] = Factory(Counter)
    outcomes: dict[str, Outcome] = Factory(dict)

    def count(self, verdict: Verdict) -> None:
        """Count a verdict."""
        self.rulings[verdict.ruling.value] += 1
        self.reasons[verdict.reason] += 1
        kind = verdict.evidence.get("zone_kind")
        if kind is not None:
            self.zone_kinds[f"{verdict.ruling.value}:{kind}"] += 1

    def settle(self, verdict: Verdict, profit: Decimal) -> None:
        """Count what an accepted entry brought once its position is closed, after fees; others are not counted."""
        if verdict.ruling is not Ruling.ACCEPT:
            return
        outcome = self.outcomes.setdefault(str(verdict.evidence.get("zone_kind", "none")), Outcome())
        outcome.closed += 1
        outcome.won += profit > 0
        outcome.profit += profit
