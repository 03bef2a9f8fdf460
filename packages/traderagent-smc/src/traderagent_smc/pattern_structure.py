"""Breaks of structure by the pattern rule: four swings in a row, then a candle beyond the second.

Informative, and equal to what smartmoneyconcepts calls bos_choch; it lags the break too far for decisions.
"""

from math import inf

from attrs import Factory, define

from traderagent_smc.structure import BOS, CHOCH
from traderagent_smc.swings import HIGH, LOW, TAIL, Swing

MOST_PENDING = 256


@define(eq=False)
class PatternEvent:
    """A break whose level is that of swing s1; it is known once formed and broken, and may be withdrawn."""

    kind: str
    direction: int
    swing_idx: int
    level: float
    formed_at: int
    broken_at: int
    known_at: int
    withdrawn_at: int | None = None


@define(eq=False)
class Watched:
    """A swing that is, or may become, the s1 of a pattern. `kind` is set when its pattern has formed."""

    swing: Swing
    broken_at: int | None = None
    kind: str | None = None
    formed_at: int = -1
    is_settled: bool = False


@define(eq=False)
class PatternStructure:
    """Watches the last swings and the patterns they form; `known` are the events that later ones may withdraw."""

    watched: list[Watched] = Factory(list)
    known: list[PatternEvent] = Factory(list)
    ceiling: float = inf
    floor: float = -inf

    def update(self, t: int, up: float, down: float, active: list[Swing] | None) -> list[PatternEvent]:
        """Events that become known at candle t. `active` is the end of the swing list where it has changed."""
        if active is None and up <= self.ceiling and down >= self.floor:
            return []
        if active is not None:
            self._follow(active)
        self._mark(t, up, down)
        if active is not None and len(active) == TAIL:
            self._form(t, active)
        found = self._settle(t)
        self._tidy()
        return found

    def _follow(self, active: list[Swing]) -> None:
        by_idx = {watch.swing.idx: watch for watch in self.watched}
        tail = [by_idx.get(swing.idx) or Watched(swing) for swing in active]
        idx = {swing.idx for swing in active}
        pending = [watch for watch in self.watched if watch.kind is not None and watch.swing.idx not in idx]
        self.watched = [watch for watch in pending if not watch.is_settled] + tail

    def _mark(self, t: int, up: float, down: float) -> None:
        for watch in self.watched:
            swing = watch.swing
            is_beyond = up > swing.level if swing.direction == HIGH else down < swing.level
            if watch.broken_at is None and is_beyond and t >= swing.idx + 2:
                watch.broken_at = t

    def _form(self, t: int, active: list[Swing]) -> None:
        second = active[1]
        watch = next(each for each in self.watched if each.swing is second)
        if watch.kind is None:
            watch.kind = pattern_kind(active)
            watch.formed_at = t

    def _settle(self, t: int) -> list[PatternEvent]:
        """Judge what became known at t, the later swing first: it decides over the earlier one."""
        ready = [w for w in self.watched if w.kind and w.broken_at is not None and not w.is_settled]
        found = []
        for watch in sorted(ready, key=lambda each: -each.swing.idx):
            watch.is_settled = True
            event = self._judged(t, watch)
            if event is not None:
                found.append(event)
        return found

    def _judged(self, t: int, watch: Watched) -> PatternEvent | None:
        swing, kind, broken_at = watch.swing, watch.kind, watch.broken_at
        if kind is None or broken_at is None:
            return None
        if any(e.swing_idx > swing.idx and e.broken_at <= broken_at for e in self.known):
            return None
        for event in self.known:
            is_overtaken = event.swing_idx < swing.idx and event.broken_at >= broken_at
            if is_overtaken and event.withdrawn_at is None:
                event.withdrawn_at = t
        event = PatternEvent(kind, swing.direction, swing.idx, swing.level, watch.formed_at, broken_at, t)
        self.known.append(event)
        return event

    def _tidy(self) -> None:
        """Forget what nothing can depend on any more, and find the nearest levels to look out for."""
        newest = max((event.swing_idx for event in self.known), default=-1)
        # An unbroken pattern older than a known event can never be emitted: that event's break came first.
        self.watched = [
            w
            for w in self.watched
            if w.kind is None or w.is_settled or w.broken_at is not None or w.swing.idx > newest
        ][-MOST_PENDING:]
        oldest = min((w.swing.idx for w in self.watched), default=0)
        self.known = [event for event in self.known if event.broken_at > oldest or event.swing_idx == newest]
        open_levels = [(w.swing.direction, w.swing.level) for w in self.watched if w.broken_at is None]
        self.ceiling = min((level for direction, level in open_levels if direction == HIGH), default=inf)
        self.floor = max((level for direction, level in open_levels if direction == LOW), default=-inf)


def pattern_kind(active: list[Swing]) -> str | None:
    """What the last four levels say, seen in the direction of the second: BOS, CHOCH or nothing."""
    direction = active[1].direction
    s0, s1, s2, s3 = (swing.level * direction for swing in active)
    if s0 < s2 < s1 < s3:
        return BOS
    return CHOCH if s2 < s0 < s1 < s3 else None
