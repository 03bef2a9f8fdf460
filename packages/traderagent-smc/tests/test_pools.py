"""Sweeps: a grab closes back inside, a run does not unless it comes back within three candles."""

import pytest
from traderagent_smc.chart import Chart
from traderagent_smc.pools import GRAB, LONG_AGO, RUN, Pool, PoolSide
from traderagent_smc.swings import Swing


def side_with_pool(direction: int = 1) -> tuple[PoolSide, Pool]:
    """Two swings at 100 and 101 (or -100 and -101) with a tolerance of 2: level 100.5, reach 102."""
    side = PoolSide(direction, Chart(10), 3)
    side.take(20, Swing(10, direction, 100.0 * direction, 20), None, 2.0)
    pool = side.take(40, Swing(30, direction, 101.0 * direction, 40), None, 2.0)
    assert pool is not None
    return side, pool


@pytest.mark.parametrize("direction", [1, -1])
def test_two_level_swings_are_a_pool(direction: int) -> None:
    side, pool = side_with_pool(direction)
    assert (pool.level, pool.members, pool.first_idx, pool.known_at) == (100.5 * direction, 2, 10, 40)
    assert list(side.pools) == [pool]


def test_a_close_back_inside_is_a_grab() -> None:
    side, pool = side_with_pool()
    side.update(41, 101.9, 101.5)
    assert list(side.pools) == [pool]
    side.update(42, 102.0, 100.4)
    assert (pool.swept_at, pool.kind, pool.grabbed_at, side.last_grab_at) == (42, GRAB, 42, 42)
    assert not list(side.pools)


@pytest.mark.parametrize(("back_at", "kind"), [(43, GRAB), (45, GRAB), (46, RUN)])
def test_a_run_that_closes_back_in_time_becomes_a_grab(back_at: int, kind: str) -> None:
    side, pool = side_with_pool()
    for t in range(42, 50):
        close = 100.0 if t == back_at else 103.0
        side.update(t, 103.5, close)
    assert (pool.swept_at, pool.kind) == (42, kind)
    assert pool.grabbed_at == (back_at if kind == GRAB else None)


@pytest.mark.parametrize(("close", "is_sweep"), [(99.0, True), (100.0, True), (100.5, False)])
def test_a_lone_swing_is_swept_by_a_wick_without_a_close(close: float, is_sweep: bool) -> None:
    side = PoolSide(1, Chart(10), 3)
    side.take(20, Swing(10, 1, 100.0, 20), None, 2.0)
    side.update(21, 100.6, close)
    side.update(22, 100.7, 99.0)
    assert side.last_grab_at == (21 if is_sweep else LONG_AGO)


def test_a_superseded_member_dissolves_the_pool_and_a_new_one_forms_it_again() -> None:
    side, pool = side_with_pool()
    last = side.last
    far = Swing(50, 1, 110.0, 60)
    side.take(60, far, last, 2.0)
    assert (pool.withdrawn_at, pool.level, pool.members) == (60, 100.5, 2)
    # Below the first one's reach again, before that was touched.
    assert side.take(80, Swing(70, 1, 100.8, 80), None, 2.0) is None
    assert (pool.withdrawn_at, pool.known_at, pool.members) == (None, 40, 2)
