"""What the live zones of a symbol are worth now: decay × quality, with the overlaps between timeframes."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from attrs import define, field

from traderagent_smc.analysis import TimeframeAnalysis
from traderagent_smc.zones import Zone, decay

HIGHER_COUNTS = 2.0
new_placed = tuple.__new__
"""Making a named tuple this way takes a third of the time of calling its class."""


class Placed(NamedTuple):
    """A live zone with its timeframe and the reach around it, a price distance."""

    zone: Zone
    analysis: TimeframeAnalysis
    reach: float

    @property
    def identity(self) -> str:
        """The zone's name."""
        return self.zone.identity(self.analysis.timeframe)

    def worth(self, overlapping: float) -> float:
        """decay × zone_quality, 0 to 1: the one formula of a zone's confidence."""
        zone = self.zone
        age = self.analysis.count - 1 - zone.known_at
        left = decay(self.analysis.settings.life, zone.touches, age)
        # Half filled is a quarter less: a gap's quality is × (1 - fill / 200), fill in per cent.
        return left * zone.merits.strength(overlapping) / 100.0 * (1.0 - zone.fill / 2.0)


class Part(NamedTuple):
    """The live zones of one direction on one timeframe, and the reach around them, a price distance."""

    zones: list[Zone]
    analysis: TimeframeAnalysis
    reach: float


@define(eq=False)
class Side:
    """The live zones of one direction on all timeframes, some dozens; a worth is found when it is asked for.

    A row counts the zones from the first one of the first timeframe.
    """

    parts: list[Part] = field(factory=list)
    _placed: list[Placed] | None = field(default=None, init=False)
    _worth: dict[int, float] = field(factory=dict, init=False)

    @property
    def placed(self) -> list[Placed]:
        """The zones by row; most questions are answered without them."""
        if self._placed is None:
            self._placed = [
                new_placed(Placed, (zone, analysis, reach))
                for zones, analysis, reach in self.parts
                for zone in zones
            ]
        return self._placed

    def overlaps(self, row: int) -> float:
        """How many of the other zones overlap one, those of a higher timeframe counted twice."""
        chosen, own, _ = self.placed[row]
        top, bottom, length_ms = chosen.top, chosen.bottom, own.length_ms
        count = 0.0
        for zones, analysis, _ in self.parts:
            each = HIGHER_COUNTS if analysis.length_ms > length_ms else 1.0
            for zone in zones:
                if zone.bottom < top and zone.top > bottom and zone is not chosen:
                    count += each
        return count

    def worth(self, row: int) -> float:
        """The worth of a zone, 0 to 1."""
        known = self._worth.get(row)
        if known is None:
            known = self._worth[row] = self.placed[row].worth(self.overlaps(row))
        return known

    def strength(self, row: int) -> float:
        """Strength of a zone as things stand, 0 to 100."""
        return self.placed[row].zone.merits.strength(self.overlaps(row))

    def best(self, prices: Sequence[float], missing: float) -> tuple[list[float], list[Placed]]:
        """For each price the confidence of its best relevant zone, or `missing`; and those zones, best first."""
        if not prices:
            return [], []
        near = self._reaching(min(prices), max(prices))
        if not near:
            return [missing] * len(prices), []
        confidences, used = [], set()
        for price in prices:
            rows = [row for row, lower, upper in near if lower <= price <= upper]
            if rows:
                chosen = max(rows, key=self.worth)
                used.add(chosen)
            confidences.append(self.worth(chosen) if rows else missing)
        return confidences, [self.placed[row] for row in self._best_first(sorted(used))]

    def relevant(self, price: float) -> list[int]:
        """Places of the zones within reach of a price, best first."""
        near = self._reaching(price, price)
        return self._best_first([row for row, _, _ in near]) if near else []

    def strongest_around(self, price: float) -> tuple[float, Placed | None]:
        """The greatest worth among the zones that a price is inside of."""
        rows = [row for row, zone in enumerate(self._zones()) if zone.bottom < price < zone.top]
        if not rows:
            return 0.0, None
        chosen = max(rows, key=self.worth)
        return self.worth(chosen), self.placed[chosen]

    def _reaching(self, low: float, high: float) -> list[tuple[int, float, float]]:
        """The zones that reach into a span of prices: place, and from where to where they reach."""
        found, first = [], 0
        for zones, _, reach in self.parts:
            found += [
                (row, lower, upper)
                for row, zone in enumerate(zones, first)
                if (lower := zone.bottom - reach) <= high and (upper := zone.top + reach) >= low
            ]
            first += len(zones)
        return found

    def _zones(self) -> Iterator[Zone]:
        return chain.from_iterable([zones for zones, _, _ in self.parts])

    def _best_first(self, rows: list[int]) -> list[int]:
        return sorted(rows, key=self.worth, reverse=True)


@define(eq=False)
class Valuation:
    """The zones of both directions at one moment."""

    bullish: Side
    bearish: Side

    def side(self, direction: int) -> Side:
        """Zones that support entries in a direction."""
        return self.bullish if direction > 0 else self.bearish


def value_zones(analyses: Iterable[TimeframeAnalysis], proximity_atr: float) -> Valuation:
    """Value the live zones of the timeframes that have candles enough."""
    bullish, bearish = Side(), Side()
    for analysis in analyses:
        if not analysis.is_ready:
            continue
        # Before ATR is known nothing reaches beyond its edges.
        reach = proximity_atr * analysis.atr if analysis.atr == analysis.atr else 0.0
        zones = analysis.book.alive.values()
        bullish.parts.append(Part([zone for zone in zones if zone.direction > 0], analysis, reach))
        bearish.parts.append(Part([zone for zone in zones if zone.direction < 0], analysis, reach))
    return Valuation(bullish, bearish)
