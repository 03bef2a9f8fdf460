"""Bands of the coordination on the page: joined where they are too many, and never saying what did not hold."""

from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from traderagent_core.report.bands import bands, joined
from traderagent_core.simulator.coordination import Coordination, Stretch

LENGTHS = st.lists(st.integers(1, 10**9), min_size=1, max_size=40)


def stretches(lengths: list[int]) -> list[Stretch]:
    begin, made = 1_600_000_000_000, []
    for number, length in enumerate(lengths):
        made.append(Stretch(f"R{number % 6}", begin, begin + length, f"adx={number}"))
        begin += length
    return made


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LENGTHS, st.integers(1, 20))
def test_joined_stretches_cover_the_same_time_and_keep_what_is_long(lengths: list[int], limit: int) -> None:
    whole = stretches(lengths)
    found = joined(whole, limit)
    assert len(found) <= limit
    assert (found[0][0].from_ms, found[-1][0].to_ms) == (whole[0].from_ms, whole[-1].to_ms)
    assert all(a.to_ms == b.from_ms for (a, _), (b, _) in pairwise(found))
    kept = [each for each, is_several in found if not is_several]
    assert all(each in whole for each in kept)
    longest = max((each.to_ms - each.from_ms for each, is_several in found if is_several), default=0)
    assert all(each in kept for each in whole if each.to_ms - each.from_ms > longest)


def test_few_stretches_stay_as_they_are() -> None:
    whole = stretches([5, 1, 9])
    assert joined(whole, 3) == [(each, False) for each in whole]
    assert joined([], 3) == []


def test_stretches_with_gaps_are_never_joined() -> None:
    apart = [Stretch("halt", at, at + 1) for at in range(0, 100, 10)]
    assert joined(apart, 3) == [(each, False) for each in apart]


def test_a_run_without_coordination_draws_no_bands(make_outcome: Any) -> None:
    assert bands(make_outcome()) is None


def test_a_run_that_was_only_halted_has_modes_and_limits_but_no_pairs(make_outcome: Any) -> None:
    outcome = make_outcome()
    found = Coordination(0, 10_000_000)
    found.halts.append(Stretch("FREEZE", 2000, 2000, "panic"))
    found.modes["halt"] = [Stretch("halt", 2000, 9000, "halt")]
    (money, *_) = outcome.money
    limit = f"{money.bot}:max_daily_loss"
    found.modes[limit] = [Stretch(limit, 3000, 4000, "loss=9")]
    outcome.study = type("Halted", (type(outcome.study),), {"coordination": found})()
    drawn = bands(outcome)
    assert drawn is not None
    assert drawn["pairs"] == {}
    assert [limit, money.symbol, [[3, 4, limit, "loss=9"]]] in drawn["modes"]
    assert ["halt", "", [[2, 9, "halt", "halt"]]] in drawn["modes"]
    assert len(drawn["modes"]) == 2
    assert drawn["halts"] == [[2, 2, "FREEZE", "panic"]]
