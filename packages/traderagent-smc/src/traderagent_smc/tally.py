"""Counts of a run as it goes on: rulings, reasons and kinds of zones."""

from collections import Counter
from collections.abc import Callable

from attrs import Factory, define
from traderagent_core import Ruling, Verdict


@define(eq=False)
class Tally:
    """What the filter has ruled so far: how often each ruling for each reason and kind of the zone that decided."""

    counts: Counter[tuple[Ruling, str, str | None]] = Factory(Counter)

    def count(self, verdict: Verdict) -> None:
        """Count a verdict."""
        self.counts[verdict.ruling, verdict.reason, verdict.evidence.get("zone_kind")] += 1

    @property
    def rulings(self) -> Counter[str]:
        """How often each ruling."""
        return self._summed(lambda ruling, _, __: ruling.value)

    @property
    def reasons(self) -> Counter[str]:
        """How often for each reason."""
        return self._summed(lambda _, reason, __: reason)

    @property
    def zone_kinds(self) -> Counter[str]:
        """How often each kind of zone decided, by ruling, as in "ACCEPT:gap"."""
        return self._summed(lambda ruling, _, kind: None if kind is None else f"{ruling.value}:{kind}")

    def _summed(self, name: Callable[[Ruling, str, str | None], str | None]) -> Counter[str]:
        found: Counter[str] = Counter()
        for key, count in self.counts.items():
            named = name(*key)
            if named is not None:
                found[named] += count
        return found
