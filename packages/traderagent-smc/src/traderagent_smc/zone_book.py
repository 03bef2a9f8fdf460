"""The zones of one timeframe and their lives. A candle that comes near no zone costs a few comparisons."""

from collections import deque
from heapq import heapify, heappop, heappush
from math import inf

from attrs import Factory, define, field

from traderagent_smc.settings import CLOSE, LifeRules
from traderagent_smc.zones import AGE, BLOCK, FILLED, MITIGATED, TOUCHES, DeadZone, Zone, lifetime

HALF = 0.5
NEVER = 1 << 60


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
        if low < zone.near:
            zone.is_inside = high > zone.far
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
    """All live zones by number, and the last dead ones with their causes.

    A candle between `floor` and `ceiling` and before index `due` changes no zone: no zone's time is over before.
    """

    rules: LifeRules
    alive: dict[int, Zone] = Factory(dict)
    dead: deque[DeadZone] = Factory(deque)
    bullish: ZoneSide = Factory(ZoneSide)
    bearish: ZoneSide = Factory(ZoneSide)
    floor: float = -inf
    ceiling: float = inf
    due: int = NEVER
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
        self._look_out()

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
        if t >= self.due:
            self._expire(t)
        self._look_out()

    def _look_out(self) -> None:
        """Find the nearest prices at which something can change."""
        below, above = self.bullish, self.bearish
        self.floor = inf if below.close_by else below.trigger
        self.ceiling = -inf if above.close_by else -above.trigger

    def _visit(self, side: ZoneSide, t: int, low: float, high: float, body: float) -> None:
        if low <= side.trigger:
            side.wake(low)
        is_anyone_gone = False
        for zone in side.close_by:
            near = zone.near
            if low > near or zone.dead_at is not None:
                is_anyone_gone = True
                continue
            if low < zone.extreme:
                self._deepen(zone, t, low)
            is_inside = low < near and high > zone.far
            if is_inside is not zone.is_inside:
                self._cross(zone, t, is_inside)
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

    def _cross(self, zone: Zone, t: int, is_inside: bool) -> None:
        zone.is_inside = is_inside
        if is_inside:
            zone.touches += 1
            zone.touched_at = (*zone.touched_at, t)[:2]
            self._set_expiry(zone)

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
        told = (zone.kind, zone.direction, zone.known_ms, zone.known_at, zone.touches, t, cause)
        self.dead.append(tuple.__new__(DeadZone, told))
        if len(self.dead) > self.rules.dead_kept:
            self.dead.popleft()
        limit = 2 * len(self.alive) + 64
        if len(self.bullish.waiting) > limit:
            self.bullish.forget_dead()
        if len(self.bearish.waiting) > limit:
            self.bearish.forget_dead()

    def _set_expiry(self, zone: Zone) -> None:
        lifetimes, touches = self.lifetimes, zone.touches
        life = lifetimes[touches if touches < len(lifetimes) else -1]
        if life is None:
            zone.expires_at = None
            return
        expires_at = zone.expires_at = zone.known_at + life
        if expires_at < self.due:
            self.due = expires_at

    def _expire(self, t: int) -> None:
        """Bury the zones whose time is over, the first ones first, and find when the next one's is."""
        ages = [(zone.expires_at, zone) for zone in self.alive.values() if zone.expires_at is not None]
        over = [(at, zone.number, zone) for at, zone in ages if at <= t]
        for _, _, zone in sorted(over):
            self._bury(zone, t, AGE)
        self.due = min((at for at, _ in ages if at > t), default=NEVER)
