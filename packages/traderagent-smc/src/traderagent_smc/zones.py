"""Zones: order blocks and gaps while they live, with touches, fill and decay."""

import math
from math import ceil, inf, log2
from typing import NamedTuple

from attrs import define

from traderagent_smc.settings import LifeRules

BLOCK = "order_block"
GAP = "gap"
MITIGATED = "mitigated"
FILLED = "filled"
TOUCHES = "touches"
AGE = "age"


@define
class Merits:
    """The parts of a zone's strength that are fixed at its birth, weighted, and what confluence may add.

    `fixed` is the weighted sum of the known parts and `known` the sum of their weights, confluence included.
    """

    fixed: float
    confluence: float
    known: float
    has_grab: bool

    def strength(self, overlapping: float) -> float:
        """0 to 100, with so many overlapping zones of the same direction."""
        share = min(1.0, (overlapping + self.has_grab) / 2.0)
        return 100.0 * (self.fixed + self.confluence * share) / self.known


@define(eq=False)
class Zone:
    """A zone of one direction. `near` and `far` are its edges as the price comes to them, negated when bearish.

    `extreme` is the deepest mirrored price since it became known. `reached_at`, `half_at` and `filled_at` are the
    first candles that came to the near edge, to the middle and to the far edge; the last two are kept for gaps.
    """

    kind: str
    direction: int
    idx: int
    top: float
    bottom: float
    known_at: int
    known_ms: int
    near: float
    far: float
    number: int
    merits: Merits
    extreme: float = inf
    is_inside: bool = False
    touches: int = 0
    touched_at: tuple[int, ...] = ()
    reached_at: int | None = None
    half_at: int | None = None
    filled_at: int | None = None
    expires_at: int | None = None
    dead_at: int | None = None
    cause: str | None = None

    @property
    def fill(self) -> float:
        """Share of a gap that the price has gone back through, 0 to 1; 0 for a block."""
        if self.kind == BLOCK or self.extreme > self.near:
            return 0.0
        return min(1.0, (self.near - self.extreme) / (self.near - self.far))

    def identity(self, timeframe: str) -> str:
        """A name that no other zone of the symbol has and that does not depend on where the data begin."""
        side = "bullish" if self.direction > 0 else "bearish"
        return f"{timeframe}:{side}:{self.kind}:{self.known_ms}"


class DeadZone(NamedTuple):
    """What is kept of a zone for statistics; indices are candles of its timeframe."""

    kind: str
    direction: int
    known_ms: int
    known_at: int
    touches: int
    dead_at: int
    cause: str


def decay(rules: LifeRules, touches: int, age: int) -> float:
    """max(0, 1 - touches / max_touches) × 0.5 ^ (age / half_life); age in candles of the zone's timeframe."""
    left = 1.0 - touches / rules.max_touches if rules.max_touches else 1.0
    return max(0.0, left) * math.pow(0.5, age / rules.half_life)


def lifetime(rules: LifeRules, touches: int) -> int | None:
    """The least age at which decay is under `least_decay`; None when that never kills."""
    left = decay(rules, touches, 0)
    if rules.least_decay <= 0.0 or left <= 0.0:
        return None
    if left < rules.least_decay:
        return 0
    age = max(ceil(rules.half_life * log2(left / rules.least_decay)) - 1, 0)
    while decay(rules, touches, age) >= rules.least_decay:
        age += 1
    return age
