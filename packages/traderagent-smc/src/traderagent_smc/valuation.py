"""What the live zones of a symbol are worth now: decay × quality, with the overlaps between timeframes."""

from collections.abc import Iterable

import numpy as np
from attrs import define, field, frozen
from traderagent_core.model.candle import FloatColumn

from traderagent_smc.analysis import TimeframeAnalysis
from traderagent_smc.zones import Zone, decay

HIGHER_COUNTS = 2.0


@frozen(eq=False)
class Placed:
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


@define(eq=False)
class Side:
    """The live zones of one direction on all timeframes, as columns."""

    placed: list[Placed]
    top: FloatColumn = field(init=False)
    bottom: FloatColumn = field(init=False)
    upper: FloatColumn = field(init=False)
    lower: FloatColumn = field(init=False)
    overlaps: FloatColumn = field(init=False)
    worth: FloatColumn = field(init=False)

    def __attrs_post_init__(self) -> None:
        placed = self.placed
        self.top = np.array([each.zone.top for each in placed])
        self.bottom = np.array([each.zone.bottom for each in placed])
        reach = np.array([each.reach for each in placed])
        self.upper, self.lower = self.top + reach, self.bottom - reach
        self.overlaps = self._overlaps()
        pairs = zip(placed, self.overlaps.tolist(), strict=True)
        self.worth = np.array([each.worth(overlapping) for each, overlapping in pairs])

    def _overlaps(self) -> FloatColumn:
        """For each zone the others that overlap it, one of a higher timeframe counted twice."""
        length = np.array([each.analysis.length_ms for each in self.placed])
        is_over = (self.bottom < self.top[:, None]) & (self.top > self.bottom[:, None])
        np.fill_diagonal(is_over, val=False)
        weight = np.where(length > length[:, None], HIGHER_COUNTS, 1.0)
        counts: FloatColumn = (is_over * weight).sum(axis=1)
        return counts

    def strength(self, index: int) -> float:
        """Strength of a zone as things stand, 0 to 100."""
        return self.placed[index].zone.merits.strength(float(self.overlaps[index]))

    def best(self, prices: FloatColumn, missing: float) -> tuple[FloatColumn, list[Placed]]:
        """For each price the confidence of its best relevant zone, or `missing`; and those zones, best first."""
        if not self.placed:
            return np.full(len(prices), missing), []
        column = prices[:, None]
        is_relevant = (self.lower <= column) & (column <= self.upper)
        worth = np.where(is_relevant, self.worth, -1.0)
        chosen = worth.argmax(axis=1)
        confidence = worth[np.arange(len(prices)), chosen]
        is_missing = confidence < 0.0
        used = np.unique(chosen[~is_missing])
        in_order = used[np.argsort(-self.worth[used], kind="stable")]
        return np.where(is_missing, missing, confidence), [self.placed[index] for index in in_order.tolist()]

    def relevant(self, price: float) -> list[int]:
        """Places of the zones within reach of a price, best first."""
        if not self.placed:
            return []
        (near,) = np.nonzero((self.lower <= price) & (price <= self.upper))
        in_order: list[int] = near[np.argsort(-self.worth[near], kind="stable")].tolist()
        return in_order

    def strongest_around(self, price: float) -> tuple[float, Placed | None]:
        """The greatest worth among the zones that a price is inside of."""
        if not self.placed:
            return 0.0, None
        worth = np.where((self.bottom < price) & (price < self.top), self.worth, -1.0)
        index = int(worth.argmax())
        found = float(worth[index])
        return (found, self.placed[index]) if found >= 0.0 else (0.0, None)


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
    sides: dict[int, list[Placed]] = {1: [], -1: []}
    for analysis in analyses:
        if not analysis.is_ready:
            continue
        # Before ATR is known nothing reaches beyond its edges.
        reach = proximity_atr * analysis.atr if analysis.atr == analysis.atr else 0.0
        for zone in analysis.book.alive.values():
            sides[zone.direction].append(Placed(zone, analysis, reach))
    return Valuation(Side(sides[1]), Side(sides[-1]))
