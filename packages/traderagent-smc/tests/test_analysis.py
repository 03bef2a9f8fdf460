"""One state however the candles come: one by one, in bursts, after a restore; and nothing from the future."""

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from traderagent_core import Candle, Candles, DataError
from traderagent_smc import codec
from traderagent_smc.analysis import TimeframeAnalysis
from traderagent_smc.records import Records, find_all
from traderagent_smc.settings import LifeRules, Settings
from traderagent_smc.zones import Zone, lifetime

SMALL = Settings(4, order_block_lookback=12, liquidity_window=60, life=LifeRules(half_life=40, dead_kept=50))
UNLIMITED = evolve(SMALL, order_block_lookback=0, close_break=False)
Walk = Callable[..., Candles]


def fed(candles: Candles, chosen: Settings = SMALL, cuts: tuple[int, ...] = ()) -> TimeframeAnalysis:
    analysis = TimeframeAnalysis(candles.timeframe, chosen)
    bounds = [0, *sorted(min(cut, len(candles)) for cut in cuts), len(candles)]
    for first, last in pairwise(bounds):
        analysis.feed(candles[first:last])
    return analysis


def state(analysis: TimeframeAnalysis) -> dict[str, Any]:
    return codec.save(analysis)


@given(seed=st.integers(0, 10_000), cuts=st.lists(st.integers(0, 400), max_size=12))
@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("chosen", [SMALL, UNLIMITED])
def test_bursts_of_any_size_leave_the_state_of_single_candles(
    chosen: Settings, seed: int, cuts: list[int]
) -> None:
    candles = _walk(400, seed)
    single = find_all(candles, chosen).analysis
    assert state(fed(candles, chosen, tuple(cuts))) == state(single)


class Careful(TimeframeAnalysis):
    """Lets no candle pass: each goes through all detectors."""

    def _look_out(self) -> None:
        """Keep the levels at which every candle reaches something."""


@given(seed=st.integers(0, 10_000), has_odd_closes=st.booleans())
@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("chosen", [SMALL, evolve(SMALL, close_break=False)])
def test_a_candle_that_is_let_pass_changes_nothing(chosen: Settings, seed: int, has_odd_closes: bool) -> None:
    candles = _walk(400, seed)
    if has_odd_closes:
        candles = evolve(candles, close=candles.close + np.random.default_rng(seed).normal(0, 2, 400))
    usual, careful = fed(candles, chosen), Careful("15m", chosen)
    careful.feed(candles)
    careful.floor, careful.ceiling = usual.floor, usual.ceiling
    told = state(careful)
    told["classes"]["TimeframeAnalysis"] = told["classes"].pop("Careful")
    told["objects"][0][0] = "TimeframeAnalysis"
    assert told == state(usual)


@given(seed=st.integers(0, 10_000), cut=st.integers(0, 400))
@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("chosen", [SMALL, UNLIMITED])
def test_saving_and_restoring_at_any_candle_changes_nothing(chosen: Settings, seed: int, cut: int) -> None:
    candles = _walk(400, seed)
    before = fed(candles[:cut], chosen)
    restored = codec.load(json.loads(json.dumps(state(before), allow_nan=False)))
    assert state(restored) == state(before)
    restored.feed(candles[cut:])
    assert state(restored) == state(fed(candles, chosen))


def rows(records: Records, cut: int) -> dict[str, list[Any]]:
    """All that was known at a candle, with what came later left empty."""

    def past(at: int | None) -> int | None:
        return at if at is not None and at < cut else None

    return {
        "swings": [
            (s.idx, s.direction, s.level, past(s.superseded_at))
            for s in records.swings
            if s.confirmed_at < cut
        ],
        "breaks": [b for b in records.breaks if b.at < cut],
        "patterns": [
            (e.kind, e.direction, e.swing_idx, e.broken_at, e.formed_at, e.known_at, past(e.withdrawn_at))
            for e in records.patterns
            if e.known_at < cut
        ],
        "blocks": [(b.idx, b.top, b.bottom, b.formed_at) for b in records.blocks if b.formed_at < cut],
        "pools": [(p.direction, p.first_idx, p.known_at) for p in records.pools if p.known_at < cut],
        "zones": [
            (z.kind, z.idx, z.top, z.known_at, z.merits, past(z.dead_at), past(z.half_at), entries(z, cut))
            for z in records.zones
            if z.known_at < cut
        ],
    }


def entries(zone: Zone, cut: int) -> tuple[int, ...]:
    return tuple(at for at in zone.touched_at if at < cut)


@given(seed=st.integers(0, 10_000), cut=st.integers(0, 400))
@settings(max_examples=40, deadline=None)
def test_a_cut_series_gives_what_the_whole_one_knew_by_then(seed: int, cut: int) -> None:
    candles = _walk(400, seed)
    assert rows(find_all(candles[:cut], SMALL), cut) == rows(find_all(candles, SMALL), cut)


def mirrored(candles: Candles) -> Candles:
    return evolve(candles, open=-candles.open, high=-candles.low, low=-candles.high, close=-candles.close)


def test_negated_prices_flip_every_direction(walk: Walk) -> None:
    candles = walk(1500, 3)
    # Long enough that no candle is both a high and a low: that tie goes to the high in both.
    chosen = evolve(SMALL, swing_length=10)
    up, down = find_all(candles, chosen), find_all(mirrored(candles), chosen)
    assert [(b.at, b.kind, -b.direction) for b in up.breaks] == [
        (b.at, b.kind, b.direction) for b in down.breaks
    ]
    born = [(z.kind, z.idx, -z.direction, -z.bottom, z.dead_at, z.cause, z.touched_at) for z in up.zones]
    # Bullish ones come first where a candle bears both.
    flipped = [(z.kind, z.idx, z.direction, z.top, z.dead_at, z.cause, z.touched_at) for z in down.zones]
    assert sorted(born, key=repr) == sorted(flipped, key=repr)
    assert sorted((p.known_at, p.swept_at, p.kind, -p.direction) for p in up.pools if p.kind) == sorted(
        (p.known_at, p.swept_at, p.kind, p.direction) for p in down.pools if p.kind
    )


def test_scaled_prices_scale_every_level(walk: Walk) -> None:
    candles = walk(1500, 4)
    names = ("open", "high", "low", "close")
    larger = evolve(candles, **{name: getattr(candles, name) * 1000 for name in names})
    small, large = find_all(candles, SMALL), find_all(larger, SMALL)
    assert len(small.zones) == len(large.zones)
    for before, after in zip(small.zones, large.zones, strict=True):
        assert after.top == pytest.approx(before.top * 1000)
        assert (after.kind, after.idx, after.dead_at) == (before.kind, before.idx, before.dead_at)


@pytest.mark.parametrize("price", [1e-8, 1.0, 1e5])
def test_flat_candles_make_no_zones(make: Walk, price: float) -> None:
    records = find_all(make([(price, price, price, price)] * 200), SMALL)
    assert not records.zones
    assert records.analysis.trend == 0


@pytest.mark.parametrize("scale", [1e-10, 1e2])
def test_tiny_and_large_prices_are_told_apart(walk: Walk, scale: float) -> None:
    candles = walk(600, 5)
    scaled = evolve(candles, **{n: getattr(candles, n) * scale for n in ("open", "high", "low", "close")})
    assert len(find_all(scaled, SMALL).zones) == pytest.approx(len(find_all(candles, SMALL).zones), abs=3)


def test_fewer_candles_than_three_lengths_give_no_swing(walk: Walk) -> None:
    records = find_all(walk(3 * 4 - 1, 1), SMALL)
    assert not records.swings
    assert not records.analysis.is_ready
    assert find_all(walk(1, 1), SMALL).analysis.count == 1


def test_a_hole_is_counted_and_kept(walk: Walk, hole: Walk) -> None:
    candles = hole(walk(300, 2), slice(100, 140))
    analysis = fed(candles)
    assert (analysis.holes, analysis.count) == (1, 260)
    assert fed(candles, cuts=(95, 98, 101, 103)).holes == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"close": float("nan")}, "not finite"),
        ({"high": 1.0, "low": 2.0}, "below its low"),
        ({"open_time": 0}, "comes after"),
    ],
)
@pytest.mark.parametrize("burst", [1, 40])
def test_a_wrong_candle_is_refused_and_changes_nothing(
    walk: Walk, change: dict[str, float], says: str, burst: int
) -> None:
    candles = walk(100, 6)
    columns = {name: getattr(candles, name).copy() for name in ("open_time", "open", "high", "low", "close")}
    for name, value in change.items():
        columns[name][99] = value
    broken = evolve(candles, **columns)
    analysis = fed(candles[: 100 - burst])
    before = state(analysis)
    with pytest.raises(DataError, match=says):
        analysis.feed(broken[100 - burst :])
    if burst == 1:
        with pytest.raises(DataError, match=says):
            analysis.update(broken.candle(99))
    assert state(analysis) == before
    analysis.feed(candles[100 - burst :])
    assert state(analysis) == state(fed(candles))


def test_memory_does_not_grow_with_history(walk: Walk) -> None:
    sizes = [len(state(fed(walk(count, 7)))["objects"]) for count in (4_000, 16_000)]
    assert sizes[1] < 1.3 * sizes[0]


def test_a_steady_rise_leaves_nothing_behind(make: Walk) -> None:
    rising = [(100.0 + i, 101.2 + i, 99.9 + i, 101.0 + i) for i in range(6000)]
    analysis = fed(make(rising))
    assert len(analysis.book.alive) < 400
    assert len(analysis.book.bullish.waiting) < 1200
    assert len(analysis.chart.time) < 400


def test_every_zone_ends_at_its_age_if_nothing_else_ends_it(walk: Walk) -> None:
    records = find_all(walk(12_000, 10), evolve(SMALL, life=LifeRules(half_life=150, dead_kept=10)))
    rules, last = records.analysis.settings.life, records.analysis.count - 1
    causes = {zone.cause for zone in records.zones}
    assert causes == {"filled", "mitigated", "touches", "age", None}
    for zone in records.zones:
        end = last if zone.dead_at is None else zone.dead_at
        earlier = sum(at < end for at in zone.touched_at)
        lives = [lifetime(rules, touches) or 0 for touches in (0, 1)]
        oldest = lives[earlier]
        assert end - zone.known_at <= oldest
        if zone.cause == "age" and earlier == zone.touches:
            # A touch may come after the age at which a touched zone dies.
            assert end in (zone.known_at + oldest, zone.touched_at[-1] if zone.touched_at else None)


def test_a_candle_that_is_both_extremes_is_a_high(make: Walk) -> None:
    rows = [(10.0, 11.0, 9.0, 10.0)] * 3 + [(10.0, 15.0, 5.0, 10.0)] + [(10.0, 11.0, 9.0, 10.0)] * 2
    (swing,) = find_all(make(rows), Settings(2)).swings
    assert (swing.idx, swing.direction, swing.confirmed_at) == (3, 1, 5)


def test_zones_are_not_kept_where_they_do_not_count(walk: Walk) -> None:
    records = find_all(walk(800, 8), evolve(SMALL, has_zones=False))
    assert records.gaps
    assert records.blocks
    assert not records.zones


def test_a_gap_must_be_as_high_as_asked(walk: Walk) -> None:
    candles = walk(800, 9)
    all_of_them = find_all(candles, SMALL).gaps
    large = find_all(candles, evolve(SMALL, fvg_min_atr=0.3)).gaps
    assert 0 < len(large) < len(all_of_them)
    # Without an ATR nothing is known to be high enough.
    assert min(gap.known_at for gap in large) >= 14


def _walk(count: int, seed: int) -> Candles:
    random = np.random.default_rng(seed)
    close = np.round(100 + np.cumsum(random.standard_normal(count)), 1)
    start = np.round(close - random.standard_normal(count), 1)
    high = np.maximum(start, close) + np.round(np.abs(random.standard_normal(count)), 1)
    low = np.minimum(start, close) - np.round(np.abs(random.standard_normal(count)), 1)
    times = np.arange(count, dtype=np.int64) * 900_000
    volume = random.integers(0, 50, count).astype(float)
    columns = (np.asarray(each, dtype=np.float64) for each in (start, high, low, close, volume))
    return Candles("X/Y", "15m", times, *columns)


def test_update_takes_plain_candles() -> None:
    analysis = TimeframeAnalysis("15m", SMALL)
    analysis.update(Candle(0, 1.0, 2.0, 0.5, 1.5, 3.0))
    assert (analysis.count, analysis.last_open_ms) == (1, 0)
