"""Breaks of structure by the live rule: decided on the candle that breaks the last swing."""

from math import inf

from attrs import Factory, define, frozen

from traderagent_smc.swings import HIGH, Swing

BOS = "BOS"
CHOCH = "CHOCH"
LONG_AGO = -(1 << 40)
NAMES = {(kind, way): f"{kind}{way:+}" for kind in (CHOCH, BOS) for way in (1, -1)}


@frozen
class Break:
    """Candle `at` broke a swing: with the bias (BOS), or against it (CHOCH, change of character)."""

    at: int
    kind: str
    direction: int
    swing_idx: int
    level: float


@define(eq=False)
class LiveStructure:
    """The bias of a timeframe: +1 after a high was broken, -1 after a low, 0 before the first break.

    A latest swing can be broken once. `last_at` holds the last candle of each kind of break, as in "BOS+1",
    `broken_at` that of any, and `high_kind` and `low_kind` how the latest swings were broken, None while they are
    not.
    """

    bias: int = 0
    high: Swing | None = None
    low: Swing | None = None
    ceiling: float = inf
    floor: float = -inf
    high_kind: str | None = None
    low_kind: str | None = None
    last_at: dict[str, int] = Factory(dict)
    broken_at: int = LONG_AGO

    def take(self, swing: Swing) -> None:
        """A swing that has become the latest active one of its type."""
        if swing.direction == HIGH:
            self.high, self.ceiling, self.high_kind = swing, swing.level, None
        else:
            self.low, self.floor, self.low_kind = swing, swing.level, None

    def update(self, t: int, up: float, down: float) -> tuple[Break, ...]:
        """Breaks at candle t; `up` and `down` are its close twice, or its high and low where wicks break."""
        if up <= self.ceiling and down >= self.floor:
            return ()
        found = []
        if up > self.ceiling and self.high is not None:
            found.append(self._broken(t, self.high))
            self.ceiling, self.high_kind = inf, found[-1].kind
        if down < self.floor and self.low is not None:
            found.append(self._broken(t, self.low))
            self.floor, self.low_kind = -inf, found[-1].kind
        return tuple(found)

    def _broken(self, t: int, swing: Swing) -> Break:
        direction = swing.direction
        kind = CHOCH if self.bias == -direction else BOS
        self.bias, self.broken_at = direction, t
        self.last_at[NAMES[kind, direction]] = t
        return Break(t, kind, direction, swing.idx, swing.level)

    def kind_since(self, first: int, direction: int) -> str | None:
        """CHOCH or else BOS if there was one in this direction at or after candle `first`."""
        if self.broken_at < first:
            return None
        for kind in (CHOCH, BOS):
            if self.last_at.get(NAMES[kind, direction], LONG_AGO) >= first:
                return kind
        return None

    def kind_of(self, direction: int) -> str | None:
        """How the latest swing was broken that stands in this direction."""
        return self.high_kind if direction == HIGH else self.low_kind
