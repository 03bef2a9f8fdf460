"""The zones of one timeframe and their lives. A candle that comes near no zone costs two comparisons a side."""

from collections import deque
from heapq import heapify, heappop, heappush
from math import inf

from attrs import Factory, define, field

from traderagent_smc.settings import CLOSE, LifeRules
from traderagent_smc.zones import AGE, BLOCK, FILLED, MITIGATED, TOUCHES, DeadZone, Zone, lifetime

HALF = 0.5


@define(eq=False)
class ZoneSide:
    """Zones of one direction, in mirrored prices: the price always comes from above.

    `waiting` is a heap of (-near, number, zone), the highest near edge first; `close_by` are those whose near edge
    the last candle reached.
    """

    waiting: list[tuple[float, int, Zone]] = Factory(list)
    close_by: list[Zone] = Factory(list)
    trigger: float = -inf

    def add(self, zone: Zone, low: float, high: float) -> None:
        """A zone born at a candle; whether that candle is inside is remembered and is no touch."""
        zone.is_inside = low < zone.near and high > zone.far
        if low <= zone.near:
            self.close_by.append(zone)
        else:
            self._wait(zone)

    def _wait(self, zone: Zone) -> None:
        heappush(self.waiting, (-zone.near, zone.number, zone))
        self.trigger = -self.waiting[0][0]

    def wake(self, low: float) -> None:
        """Bring the zones whose near edge is reached close by."""
        waiting = self.waiting
        while waiting and -waiting[0][0] >= low:
            zone = heappop(waiting)[2]
            if zone.dead_at is None:
                self.close_by.append(zone)
        self.trigger = -waiting[0][0] if waiting else -inf

    def part(self, low: float) -> None:
        """Let the zones wait that are dead or that the price has left."""
        kept = []
        for zone in self.close_by:
            if zone.dead_at is not None:
                continue
            if low > zone.near:
                zone.is_inside = False
                self._wait(zone)
            else:
                kept.append(zone)
        self.close_by = kept

    def forget_dead(self) -> None:
        """Drop dead zones from the heap."""
        self.waiting = [entry for entry in self.waiting if entry[2].dead_at is None]
        heapify(self.waiting)
        self.trigger = -self.waiting[0][0] if self.waiting else -inf


@define(eq=False)
class ZoneBook:
    """All live zones by number, and the last dead ones with their causes."""

    rules: LifeRules
    alive: dict[int, Zone] = Factory(dict)
    dead: deque[DeadZone] = Factory(deque)
    bullish: ZoneSide = Factory(ZoneSide)
    bearish: ZoneSide = Factory(ZoneSide)
    expiries: list[tuple[int, int, Zone]] = Factory(list)
    lifetimes: tuple[int | None, ...] = field()

    @lifetimes.default
    def _find_lifetimes(self) -> tuple[int | None, ...]:
        return tuple(lifetime(self.rules, touches) for touches in range(max(self.rules.max_touches, 1)))

    def add(self, zone: Zone, low: float, high: float) -> None:
        """A zone that became known at the candle with this low and high."""
        self.alive[zone.number] = zone
        if zone.direction > 0:
            self.bullish.add(zone, low, high)
        else:
            self.bearish.add(zone, -high, -low)
        self._set_expiry(zone)

    def update(self, t: int, start: float, high: float, low: float, close: float) -> None:
        """Mitigation and fill, then touches, then age, at the close of candle t; before zones born at it."""
        side = self.bullish
        if low <= side.trigger or side.close_by:
            body = start if start < close else close
            self._visit(side, t, low, high, body)
        side = self.bearish
        if -high <= side.trigger or side.close_by:
            body = start if start > close else close
            self._visit(side, t, -high, -low, -body)
        expiries = self.expiries
        while expiries and expiries[0][0] <= t:
            self._expire(t)

    def _visit(self, side: ZoneSide, t: int, low: float, high: float, body: float) -> None:
        if low <= side.trigger:
            side.wake(low)
        is_anyone_gone = False
        for zone in side.close_by:
            if zone.dead_at is not None or low > zone.near:
                is_anyone_gone = True
                continue
            if low < zone.extreme:
                self._deepen(zone, t, low)
            self._touch(zone, t, low < zone.near and high > zone.far)
            cause = self._death(zone, low, body)
            if cause is not None:
                self._bury(zone, t, cause)
                is_anyone_gone = True
        if is_anyone_gone:
            side.part(low)

    def _deepen(self, zone: Zone, t: int, low: float) -> None:
        zone.extreme = low
        if zone.reached_at is None:
            zone.reached_at = t
        if zone.kind != BLOCK and zone.half_at is None and low <= HALF * (zone.near + zone.far):
            zone.half_at = t

    def _touch(self, zone: Zone, t: int, is_inside: bool) -> None:
        if is_inside and not zone.is_inside:
            zone.touches += 1
            zone.touched_at = (*zone.touched_at, t)[:2]
            self._set_expiry(zone)
        zone.is_inside = is_inside

    def _death(self, zone: Zone, low: float, body: float) -> str | None:
        if zone.kind != BLOCK:
            if low <= zone.far:
                return FILLED
        elif (body if self.rules.mitigation == CLOSE else low) < zone.far:
            return MITIGATED
        if self.rules.max_touches and zone.touches >= self.rules.max_touches:
            return TOUCHES
        return None

    def _bury(self, zone: Zone, t: int, cause: str) -> None:
        zone.dead_at, zone.cause = t, cause
        if cause == FILLED:
            zone.filled_at = t
        del self.alive[zone.number]
        self.dead.append(
            DeadZone(zone.kind, zone.direction, zone.known_ms, zone.known_at, zone.touches, t, cause)
        )
        if len(self.dead) > self.rules.dead_kept:
            self.dead.popleft()
        limit = 2 * len(self.alive) + 64
        for side in (self.bullish, self.bearish):
            if len(side.waiting) > limit:
                side.forget_dead()
        if len(self.expiries) > 2 * limit:
            # In place: the loop over what has expired holds on to this list.
            self.expiries[:] = [entry for entry in self.expiries if _is_due(entry)]
            heapify(self.expiries)

    def _set_expiry(self, zone: Zone) -> None:
        life = self.lifetimes[min(zone.touches, len(self.lifetimes) - 1)]
        expires_at = None if life is None else zone.known_at + life
        if expires_at is not None and expires_at != zone.expires_at:
            heappush(self.expiries, (expires_at, zone.number, zone))
        zone.expires_at = expires_at

    def _expire(self, t: int) -> None:
        entry = heappop(self.expiries)
        if _is_due(entry):
            self._bury(entry[2], t, AGE)


def _is_due(entry: tuple[int, int, Zone]) -> bool:
    """Whether an entry still stands: a touch sets a new expiry and leaves the old entry behind."""
    return entry[2].dead_at is None and entry[2].expires_at == entry[0]
