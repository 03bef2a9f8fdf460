"""Counts of a run as it goes on: rulings, reasons and kinds of zones."""

from collections import Counter

from attrs import Factory, define
from traderagent_core import Verdict


@define(eq=False)
class Tally:
    """What the filter has ruled so far. `zone_kinds` counts the zone that decided, by ruling."""

    rulings: Counter[str] = Factory(Counter)
    reasons: Counter[str] = Factory(Counter)
    zone_kinds: Counter[str] = Factory(Counter)

    def count(self, verdict: Verdict) -> None:
        """Count a verdict."""
        self.rulings[verdict.ruling.value] += 1
        self.reasons[verdict.reason] += 1
        kind = verdict.evidence.get("zone_kind")
        if kind is not None:
            self.zone_kinds[f"{verdict.ruling.value}:{kind}"] += 1
