"""The jumping simulator gives exactly what walking every candle gives."""

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from traderagent_core.model.candle import Candles
from traderagent_core.simulator.scan import Finder
from traderagent_core.venue.path import PathPolicy

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


class WalkFinder:
    """Looks at one candle after another; at random it answers too early, which must change nothing."""

    def __init__(self, candles: Candles, seed: int = 0, early: float = 0.0) -> None:
        self._rows = list(
            zip(*(column.tolist() for column in (candles.high, candles.low, candles.close)), strict=True)
        )
        self._random = Random(seed)
        self._early = early

    def next_touch(self, first: int, up: float, down: float) -> int:
        for index in range(first, len(self._rows)):
            high, low, _ = self._rows[index]
            if high >= up or low <= down or self._random.random() < self._early:
                return index
        return -1

    def next_close(self, first: int, floor: float, ceiling: float) -> int:
        for index in range(first, len(self._rows)):
            close = self._rows[index][2]
            if close <= floor or close >= ceiling or self._random.random() < self._early:
                return index
        return -1


def walking(seed: int, early: float) -> Any:
    def make(candles: Candles) -> Finder:
        return WalkFinder(candles, seed, early)

    return make


def assert_same(one: Any, other: Any) -> None:
    for mine, theirs in zip(one.records, other.records, strict=False):
        assert mine == theirs
    assert len(one.records) == len(other.records)
    assert one.exchange.flow == other.exchange.flow
    assert one.engine.account.flow() == other.engine.account.flow()


@pytest.mark.parametrize("early", [0.0, 0.3, 1.0])
@given(data=st.data())
@SLOW
def test_jumping_and_walking_write_the_same_records(kit: Any, early: float, data: Any) -> None:
    world = data.draw(kit.worlds())
    assert_same(kit.run(world), kit.run(world, finder=walking(data.draw(st.integers(0, 99)), early)))


@given(data=st.data())
@SLOW
def test_making_every_close_an_event_changes_nothing(kit: Any, data: Any) -> None:
    world = data.draw(kit.worlds())
    slow = kit.run(world, finder=walking(1, 1.0), every_close=True)
    assert_same(kit.run(world), slow)


@pytest.mark.parametrize("policy", PathPolicy)
@given(data=st.data())
@settings(SLOW, max_examples=20)
def test_three_markets_with_different_gaps_agree_under_each_path(
    kit: Any, policy: PathPolicy, data: Any
) -> None:
    world = data.draw(kit.worlds(max_symbols=3, policies=[policy]))
    assert_same(kit.run(world), kit.run(world, finder=walking(2, 0.5)))
