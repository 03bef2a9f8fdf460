"""The incremental detectors agree with a plain reading of the definitions, worked out anew at every candle."""

from typing import Any, NamedTuple

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from traderagent_core import Candles
from traderagent_smc.records import find_all
from traderagent_smc.settings import LifeRules, Settings
from traderagent_smc.swings import HIGH, LOW
from traderagent_smc.zones import GAP

FOREVER = LifeRules(max_touches=0, least_decay=0.0, dead_kept=100_000)


class Mark(NamedTuple):
    """A swing of the reference: index, +1 or -1, level, candle of confirmation."""

    idx: int
    direction: int
    level: float
    at: int


@st.composite
def bumpy(draw: st.DrawFn) -> Candles:
    """Candles on a coarse price grid, so that ties and equal levels are common."""
    count = draw(st.integers(1, 90))
    seed = draw(st.integers(0, 2**32 - 1))
    reach = draw(st.sampled_from([1, 3, 12]))
    random = np.random.default_rng(seed)
    close = 100.0 + np.cumsum(random.integers(-reach, reach + 1, count))
    start = close + random.integers(-reach, reach + 1, count)
    high = np.maximum(start, close) + random.integers(0, reach + 1, count)
    low = np.minimum(start, close) - random.integers(0, reach + 1, count)
    times = np.arange(count, dtype=np.int64) * 900_000
    columns = (np.asarray(each, dtype=np.float64) for each in (start, high, low, close, np.ones(count)))
    return Candles("X/Y", "15m", times, *columns)


def swings_of(candles: Candles, length: int) -> list[Mark]:
    found = []
    for i in range(2 * length - 1, len(candles) - length):
        window = slice(i - length + 1, i + length + 1)
        if candles.high[i] == candles.high[window].max():
            found.append(Mark(i, HIGH, float(candles.high[i]), i + length))
        elif candles.low[i] == candles.low[window].min():
            found.append(Mark(i, LOW, float(candles.low[i]), i + length))
    return found


def active_at(swings: list[Mark], t: int) -> list[Mark]:
    active: list[Mark] = []
    for swing in swings:
        if swing.at > t:
            break
        if not active or active[-1].direction != swing.direction:
            active.append(swing)
        elif (swing.level - active[-1].level) * swing.direction > 0:
            active[-1] = swing
    return active


def live_of(candles: Candles, swings: list[Mark], *, close_break: bool) -> list[tuple[Any, ...]]:
    events, broken, bias = [], set(), 0
    for t in range(len(candles)):
        active = active_at(swings, t)
        for direction in (HIGH, LOW):
            latest = next((s for s in reversed(active) if s.direction == direction), None)
            wick = candles.high[t] if direction == HIGH else candles.low[t]
            probe = candles.close[t] if close_break else wick
            if latest is None or latest in broken or (probe - latest.level) * direction <= 0:
                continue
            broken.add(latest)
            events.append((t, "CHOCH" if bias == -direction else "BOS", direction, latest.idx, latest.level))
            bias = direction
    return events


def blocks_of(candles: Candles, swings: list[Mark], lookback: int) -> list[tuple[Any, ...]]:
    found, used = [], set()
    for t in range(len(candles)):
        active = active_at(swings, t)
        for direction in (HIGH, LOW):
            latest = next((s for s in reversed(active) if s.direction == direction), None)
            if latest is None or latest in used or (candles.close[t] - latest.level) * direction <= 0:
                continue
            used.add(latest)
            first = max(latest.idx + 1, t - lookback) if lookback else latest.idx + 1
            edge = candles.low if direction == HIGH else -candles.high
            k = max((-edge[i], i) for i in range(first, t))[1]
            found.append((direction, k, candles.high[k], candles.low[k], t, latest.idx))
    return found


def pools_of(candles: Candles, swings: list[Mark], tolerance: float) -> list[tuple[Any, ...]]:
    """(direction, first, known, withdrawn, swept, level, members, end) of every pool, grouped anew at each change."""
    pools: dict[tuple[int, int], dict[str, Any]] = {}
    before: dict[int, list[Mark]] = {HIGH: [], LOW: []}
    for t in range(len(candles)):
        active = active_at(swings, t)
        for direction in (HIGH, LOW):
            mine = [s for s in active if s.direction == direction]
            if mine != before[direction]:
                before[direction] = mine
                regroup(candles, mine, direction, tolerance, t, pools)
            for (side, first), pool in pools.items():
                if side != direction or pool["swept"] is not None or pool["withdrawn"] is not None:
                    continue
                if reached(candles, first, direction, tolerance, t) == t:
                    pool["swept"] = t
    return [
        (side, first, p["known"], p["withdrawn"], p["swept"], p["level"], p["members"], p["end"])
        for (side, first), p in pools.items()
    ]


def reached(candles: Candles, first: int, direction: int, tolerance: float, t: int) -> int:
    edge = candles.high if direction == HIGH else -candles.low
    limit = edge[first] + tolerance
    return next((i for i in range(first + 1, t + 1) if edge[i] >= limit), len(candles) + 1)


def regroup(
    candles: Candles, swings: list[Mark], direction: int, tolerance: float, t: int, pools: dict[Any, Any]
) -> None:
    grouped: set[Mark] = set()
    standing = set()
    for number, first in enumerate(swings):
        if first in grouped:
            continue
        end = reached(candles, first.idx, direction, tolerance, t)
        others = [each for each in swings[number + 1 :] if each not in grouped and each.idx < end]
        members = [first, *(each for each in others if abs(each.level - first.level) <= tolerance)]
        grouped |= set(members)
        if len(members) < 2:
            continue
        key = (direction, first.idx)
        standing.add(key)
        pool = pools.setdefault(key, {"known": t, "swept": None})
        levels = [each.level for each in members]
        pool |= {
            "withdrawn": None,
            "level": sum(levels) / len(levels),
            "members": len(levels),
            "end": members[-1].idx,
        }
    for key, pool in pools.items():
        if key[0] == direction and key not in standing and pool["withdrawn"] is None:
            pool["withdrawn"] = t


lengths = st.integers(2, 6)


@given(bumpy(), lengths)
@settings(max_examples=150, deadline=None)
def test_swings_follow_the_definition(candles: Candles, length: int) -> None:
    records = find_all(candles, Settings(length))
    swings = swings_of(candles, length)
    assert [(s.idx, s.direction, s.level, s.confirmed_at) for s in records.swings] == [
        tuple(s) for s in swings
    ]
    standing = {mark.idx for mark in active_at(swings, len(candles))}
    assert {s.idx for s in records.swings if s.is_active} == standing


@given(bumpy(), lengths, st.booleans())
@settings(max_examples=150, deadline=None)
def test_live_structure_follows_the_definition(candles: Candles, length: int, close_break: bool) -> None:
    records = find_all(candles, Settings(length, close_break=close_break))
    got = [(b.at, b.kind, b.direction, b.swing_idx, b.level) for b in records.breaks]
    assert got == live_of(candles, swings_of(candles, length), close_break=close_break)


@given(bumpy(), lengths, st.sampled_from([0, 3, 50]))
@settings(max_examples=150, deadline=None)
def test_order_blocks_follow_the_definition(candles: Candles, length: int, lookback: int) -> None:
    records = find_all(candles, Settings(length, order_block_lookback=lookback))
    got = [(b.direction, b.idx, b.top, b.bottom, b.formed_at, b.swing_idx) for b in records.blocks]
    assert got == blocks_of(candles, swings_of(candles, length), lookback)


@given(bumpy(), lengths, st.sampled_from([0, 3, 50]))
@settings(max_examples=100, deadline=None)
def test_the_move_of_a_block_is_measured_from_its_origin_to_the_break(
    candles: Candles, length: int, lookback: int
) -> None:
    for block in find_all(candles, Settings(length, order_block_lookback=lookback)).blocks:
        move = slice(block.idx, block.formed_at + 1)
        assert block.body == np.abs(candles.close - candles.open)[move].max()
        assert block.mean_volume == pytest.approx(candles.volume[move].mean())


@given(bumpy(), st.integers(2, 4), st.sampled_from([0.0, 1.0, 4.0]))
@settings(max_examples=300, deadline=None)
def test_pools_follow_the_definition(candles: Candles, length: int, tolerance: float) -> None:
    records = find_all(candles, Settings(length, liquidity_tolerance=tolerance))
    got = [
        (p.direction, p.first_idx, p.known_at, p.withdrawn_at, p.swept_at, p.level, p.members, p.end_idx)
        for p in records.pools
    ]
    assert sorted(got) == sorted(pools_of(candles, swings_of(candles, length), tolerance))


@given(bumpy())
@settings(max_examples=150, deadline=None)
def test_the_life_of_a_gap_follows_the_definition(candles: Candles) -> None:
    records = find_all(candles, Settings(3, life=FOREVER))
    gaps = [zone for zone in records.zones if zone.kind == GAP]
    wanted = []
    for i in range(1, len(candles) - 1):
        is_up = candles.high[i - 1] < candles.low[i + 1] and candles.close[i] > candles.open[i]
        is_down = candles.low[i - 1] > candles.high[i + 1] and candles.close[i] < candles.open[i]
        if is_up:
            wanted.append((i, HIGH, candles.low[i + 1], candles.high[i - 1]))
        elif is_down:
            wanted.append((i, LOW, candles.low[i - 1], candles.high[i + 1]))
    assert [(z.idx, z.direction, z.top, z.bottom) for z in gaps] == wanted
    for zone in gaps:
        after = slice(zone.known_at + 1, None)
        depth = zone.top - candles.low[after] if zone.direction > 0 else candles.high[after] - zone.bottom
        share = np.clip(depth / (zone.top - zone.bottom), 0, 1)
        hits = [np.flatnonzero(share >= limit) for limit in (0.5, 1.0)]
        firsts = [zone.known_at + 1 + int(hit[0]) if len(hit) else None for hit in hits]
        assert [zone.half_at, zone.filled_at] == firsts
        assert zone.fill == pytest.approx(share.max(initial=0))


@given(bumpy(), st.integers(2, 4))
@settings(max_examples=150, deadline=None)
def test_touches_are_entries_from_outside(candles: Candles, length: int) -> None:
    records = find_all(candles, Settings(length, life=FOREVER))
    for zone in records.zones:
        inside = (candles.low < zone.top) & (candles.high > zone.bottom)
        last = len(candles) - 1 if zone.dead_at is None else zone.dead_at
        entries = [t for t in range(zone.known_at + 1, last + 1) if inside[t] and not inside[t - 1]]
        assert zone.touches == len(entries)
        assert list(zone.touched_at) == entries[:2]
