"""What the live zones of a symbol are worth now: decay × quality, with the overlaps between timeframes."""

from collections.abc import Iterable, Sequence

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray
from traderagent_core.model.candle import FloatColumn

from traderagent_smc.analysis import TimeframeAnalysis
from traderagent_smc.zones import Zone, decay

HIGHER_COUNTS = 2.0
Rows = Sequence[int]
"""Places of zones in their side."""


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
    """The live zones of one direction on all timeframes, as columns; a worth is found when it is asked for."""

    placed: list[Placed]
    top: FloatColumn = field(init=False)
    bottom: FloatColumn = field(init=False)
    upper: FloatColumn = field(init=False)
    lower: FloatColumn = field(init=False)
    _length: FloatColumn = field(init=False)
    _worth: dict[int, float] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        placed = self.placed
        edges = [
            (each.zone.top, each.zone.bottom, each.reach, float(each.analysis.length_ms)) for each in placed
        ]
        self.top, self.bottom, reach, self._length = np.array(edges).reshape(len(placed), 4).T
        self.upper, self.lower = self.top + reach, self.bottom - reach

    def overlaps(self, rows: Rows) -> FloatColumn:
        """For some of the zones the others that overlap each, one of a higher timeframe counted twice."""
        column = np.asarray(rows, dtype=np.intp)[:, None]
        is_over = (self.bottom < self.top[column]) & (self.top > self.bottom[column])
        is_over[np.arange(len(column)), column[:, 0]] = False
        weight = np.where(self._length > self._length[column], HIGHER_COUNTS, 1.0)
        counts: FloatColumn = (is_over * weight).sum(axis=1)
        return counts

    def worth(self, rows: Rows) -> FloatColumn:
        """The worth of some of the zones, 0 to 1."""
        known = self._worth
        fresh = [row for row in rows if row not in known]
        if fresh:
            for row, overlapping in zip(fresh, self.overlaps(fresh).tolist(), strict=True):
                known[row] = self.placed[row].worth(overlapping)
        return np.array([known[row] for row in rows])

    def strength(self, index: int) -> float:
        """Strength of a zone as things stand, 0 to 100."""
        return self.placed[index].zone.merits.strength(float(self.overlaps([index])[0]))

    def best(self, prices: FloatColumn, missing: float) -> tuple[FloatColumn, list[Placed]]:
        """For each price the confidence of its best relevant zone, or `missing`; and those zones, best first."""
        column = prices[:, None]
        is_relevant = (self.lower <= column) & (column <= self.upper)
        rows = _places(np.logical_or.reduce(is_relevant, axis=0))
        if not rows:
            return np.full(len(prices), missing), []
        values = self.worth(rows)
        worth = np.where(is_relevant[:, rows], values, -1.0)
        chosen = worth.argmax(axis=1)
        confidence = worth[np.arange(len(prices)), chosen]
        is_missing = confidence < 0.0
        used = np.unique(chosen[~is_missing])
        in_order = used[np.argsort(-values[used], kind="stable")]
        zones = [self.placed[rows[place]] for place in in_order.tolist()]
        return np.where(is_missing, missing, confidence), zones

    def relevant(self, price: float) -> list[int]:
        """Places of the zones within reach of a price, best first."""
        rows = _places(np.logical_and(self.lower <= price, price <= self.upper))
        in_order = np.argsort(-self.worth(rows), kind="stable")
        return [rows[place] for place in in_order.tolist()]

    def strongest_around(self, price: float) -> tuple[float, Placed | None]:
        """The greatest worth among the zones that a price is inside of."""
        rows = _places(np.logical_and(self.bottom < price, price < self.top))
        if not rows:
            return 0.0, None
        worth = self.worth(rows)
        place = int(worth.argmax())
        return float(worth[place]), self.placed[rows[place]]


def _places(mask: NDArray[np.bool_]) -> list[int]:
    (places,) = np.nonzero(mask)
    found: list[int] = places.tolist()
    return found


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
