"""Liquidity pools: equal highs or lows within a tolerance, and the sweeps that take them."""

from collections.abc import Iterable
from math import inf

from attrs import Factory, define

from traderagent_smc.chart import Chart
from traderagent_smc.swings import Swing

GRAB = "grab"
RUN = "run"
MOST_OPEN = 500
LONG_AGO = -(1 << 40)


@define(eq=False)
class Pool:
    """Two or more equal swings. Level, members and end_idx are as they are now, or were before `withdrawn_at`.

    `kind` says how it was swept: the close came back inside (grab), or stayed outside (run). A grab counts from
    `grabbed_at`, the candle whose close came back.
    """

    direction: int
    first_idx: int
    tolerance: float
    known_at: int
    level: float = 0.0
    members: int = 0
    end_idx: int = -1
    withdrawn_at: int | None = None
    swept_at: int | None = None
    kind: str | None = None
    grabbed_at: int | None = None


@define(eq=False)
class Group:
    """A swing, those level with it, and the price (mirrored for lows) whose touch ends it."""

    members: list[Swing]
    tolerance: float
    level: float
    reach: float
    pool: Pool | None = None

    def holds(self, level: float) -> bool:
        """Whether a mirrored level is within the tolerance of the first member's."""
        return self.level - self.tolerance <= level <= self.level + self.tolerance


@define(eq=False)
class PoolSide:
    """Pools above the price, or below it: then prices are negated, so that one rule serves both.

    `open_groups` are those whose reach has not been touched, in order of time, at most MOST_OPEN.
    """

    direction: int
    chart: Chart
    return_candles: int
    open_groups: list[Group] = Factory(list)
    least_reach: float = inf
    last: Swing | None = None
    last_group: Group | None = None
    lone_level: float = inf
    runs: list[Pool] = Factory(list)
    last_grab_at: int = LONG_AGO

    # -- swings ---------------------------------------------------------------------------------------------

    def take(self, t: int, swing: Swing, replaced: Swing | None, tolerance: float) -> Pool | None:
        """A swing that has become active, maybe in place of another; the pool that became known by it."""
        left = None
        if replaced is not None and replaced is self.last and self.last_group is not None:
            left = self.last_group
            self._leave(left, replaced)
        self.last, self.lone_level = swing, swing.level * self.direction
        known = self._join(t, swing, tolerance)
        if left is not None:
            self._dissolve(t, left)
        self.least_reach = min((group.reach for group in self.open_groups), default=inf)
        return known

    def _leave(self, group: Group, swing: Swing) -> None:
        group.members.remove(swing)
        if not group.members and group in self.open_groups:
            self.open_groups.remove(group)

    def _dissolve(self, t: int, group: Group) -> None:
        """A pool that lost a member: level again, or withdrawn when one is left."""
        pool = group.pool
        if pool is None or pool.withdrawn_at is not None:
            return
        if len(group.members) < 2:
            pool.withdrawn_at = t
        else:
            _level(pool, group)

    def _join(self, t: int, swing: Swing, tolerance: float) -> Pool | None:
        level = swing.level * self.direction
        for group in self.open_groups:
            if group.holds(level):
                group.members.append(swing)
                self.last_group = group
                return self._grown(t, group)
        group = Group([swing], tolerance, level, level + tolerance)
        self.last_group = group
        if not self._is_reached_already(t, swing, group):
            self.open_groups.append(group)
            del self.open_groups[:-MOST_OPEN]
        return None

    def _is_reached_already(self, t: int, swing: Swing, group: Group) -> bool:
        """With no tolerance, an equal high between the swing and its confirmation ends the group."""
        if group.reach > group.level:
            return False
        first, end = swing.idx + 1 - self.chart.offset, t + 1 - self.chart.offset
        column = self.chart.high if self.direction > 0 else self.chart.low
        return any(value * self.direction >= group.reach for value in column[first:end])

    def _grown(self, t: int, group: Group) -> Pool | None:
        known = None
        if group.pool is None:
            first = group.members[0]
            known = group.pool = Pool(self.direction, first.idx, group.tolerance, t)
        group.pool.withdrawn_at = None
        _level(group.pool, group)
        return known

    # -- prices ---------------------------------------------------------------------------------------------

    def update(self, t: int, high: float, close: float) -> None:
        """Look at candle t for sweeps; prices are mirrored by the caller."""
        if high > self.lone_level:
            # A lone swing is swept by its first break only, and only if the close does not confirm it.
            if close <= self.lone_level:
                self.last_grab_at = t
            self.lone_level = inf
        if self.runs:
            self._watch_runs(t, close)
        if high >= self.least_reach:
            self._sweep(t, high, close)

    def _sweep(self, t: int, high: float, close: float) -> None:
        kept = []
        for group in self.open_groups:
            if high < group.reach:
                kept.append(group)
            elif group.pool is not None and group.pool.withdrawn_at is None:
                self._swept(t, group.pool, close)
        self.open_groups = kept
        self.least_reach = min((group.reach for group in kept), default=inf)

    def _swept(self, t: int, pool: Pool, close: float) -> None:
        pool.swept_at = t
        if close < pool.level * self.direction:
            self._grabbed(t, pool)
        else:
            pool.kind = RUN
            self.runs.append(pool)

    def _watch_runs(self, t: int, close: float) -> None:
        kept = []
        for pool in self.runs:
            if close < pool.level * self.direction:
                self._grabbed(t, pool)
            elif pool.swept_at is not None and t < pool.swept_at + self.return_candles:
                kept.append(pool)
        self.runs = kept

    def _grabbed(self, t: int, pool: Pool) -> None:
        pool.kind = GRAB
        pool.grabbed_at = t
        self.last_grab_at = t

    @property
    def pools(self) -> Iterable[Pool]:
        """Pools that stand: known, not withdrawn, not swept."""
        pools = (group.pool for group in self.open_groups)
        return [pool for pool in pools if pool is not None and pool.withdrawn_at is None]


def _level(pool: Pool, group: Group) -> None:
    levels = [swing.level for swing in group.members]
    pool.level = sum(levels) / len(levels)
    pool.members = len(levels)
    pool.end_idx = group.members[-1].idx
