"""What the live zones of a symbol are worth now: decay × quality, with the overlaps between timeframes."""

from collections.abc import Collection, Iterable, Sequence
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
    """The live zones of one timeframe, and the reach around them, a price distance."""

    zones: Collection[Zone]
    analysis: TimeframeAnalysis
    reach: float


@define(eq=False)
class Side:
    """The live zones of one direction on all timeframes, some dozens; a worth is found when it is asked for."""

    direction: int
    parts: Sequence[Part]
    _worth: dict[Zone, float] = field(factory=dict, init=False)

    @property
    def placed(self) -> list[Placed]:
        """All zones, those of the first timeframe first; most questions are answered by a few of them."""
        return [
            new_placed(Placed, (zone, analysis, reach))
            for zones, analysis, reach in self.parts
            for zone in zones
            if zone.direction == self.direction
        ]

    def overlaps(self, placed: Placed) -> float:
        """How many of the other zones overlap one, those of a higher timeframe counted twice."""
        chosen, own, _ = placed
        top, bottom, direction, length_ms = chosen.top, chosen.bottom, chosen.direction, own.length_ms
        count = 0.0
        for zones, analysis, _ in self.parts:
            each = HIGHER_COUNTS if analysis.length_ms > length_ms else 1.0
            for zone in zones:
                if (
                    zone.bottom < top
                    and zone.top > bottom
                    and zone.direction == direction
                    and zone is not chosen
                ):
                    count += each
        return count

    def worth(self, placed: Placed) -> float:
        """The worth of a zone, 0 to 1."""
        known = self._worth.get(placed.zone)
        if known is None:
            known = self._worth[placed.zone] = placed.worth(self.overlaps(placed))
        return known

    def strength(self, placed: Placed) -> float:
        """Strength of a zone as things stand, 0 to 100."""
        return placed.zone.merits.strength(self.overlaps(placed))

    def best(self, prices: Sequence[float], missing: float) -> tuple[list[float], list[Placed]]:
        """For each price the confidence of its best relevant zone, or `missing`; and those zones, best first."""
        if not prices:
            return [], []
        near = self._reaching(min(prices), max(prices))
        if not near:
            return [missing] * len(prices), []
        confidences, used = [], set()
        for price in prices:
            found = [
                each for each in near if each.zone.bottom - each.reach <= price <= each.zone.top + each.reach
            ]
            if found:
                chosen = max(found, key=self.worth)
                used.add(chosen.zone)
            confidences.append(self.worth(chosen) if found else missing)
        return confidences, self._best_first([each for each in near if each.zone in used])

    def relevant(self, price: float) -> list[Placed]:
        """The zones within reach of a price, best first."""
        return self._best_first(self._reaching(price, price))

    def strongest_around(self, price: float) -> tuple[float, Placed | None]:
        """The greatest worth among the zones that a price is inside of."""
        around = [
            new_placed(Placed, (zone, analysis, reach))
            for zones, analysis, reach in self.parts
            for zone in zones
            if zone.bottom < price < zone.top and zone.direction == self.direction
        ]
        if not around:
            return 0.0, None
        chosen = max(around, key=self.worth)
        return self.worth(chosen), chosen

    def _reaching(self, low: float, high: float) -> list[Placed]:
        """The zones that reach into a span of prices."""
        direction = self.direction
        return [
            new_placed(Placed, (zone, analysis, reach))
            for zones, analysis, reach in self.parts
            for zone in zones
            if zone.direction == direction and zone.bottom - reach <= high and zone.top + reach >= low
        ]

    def _best_first(self, placed: list[Placed]) -> list[Placed]:
        return sorted(placed, key=self.worth, reverse=True) if len(placed) > 1 else placed


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
    parts = []
    for analysis in analyses:
        if analysis.book.alive and analysis.is_ready:
            # Before ATR is known nothing reaches beyond its edges.
            reach = proximity_atr * analysis.atr if analysis.atr == analysis.atr else 0.0
            parts.append(Part(analysis.book.alive.values(), analysis, reach))
    return Valuation(Side(1, parts), Side(-1, parts))
