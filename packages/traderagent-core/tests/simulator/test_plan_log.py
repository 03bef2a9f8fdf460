"""Plans that were judged come back from their shapes and numbers as they were, to the letter."""

from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core import Purpose, Side
from traderagent_core.contract.entry_filter import Ruling, Verdict
from traderagent_core.contract.history import Judged
from traderagent_core.model.plan import (
    At,
    AverageTimes,
    BreakEven,
    Filled,
    FillTimes,
    Fixed,
    Held,
    Leg,
    Plan,
    Stop,
    Trail,
)
from traderagent_core.simulator.hearing import JudgedPlan
from traderagent_core.simulator.plan_log import PlanLog

NUMBERS = st.sampled_from([D("1E+3"), D("-0.000"), D("0E-8"), D("1.10"), D(2), D("0.1234567890123456789")])
NAMES = st.sampled_from(["", "base", "so:01", "a b", "ä€"])
NAME_TUPLES = st.lists(NAMES, max_size=3).map(tuple)
QUANTITIES = st.one_of(NUMBERS.map(Fixed), NUMBERS.map(Held), st.just(Filled()))
PRICES = st.one_of(
    st.none(), NUMBERS.map(At), NUMBERS.map(AverageTimes), st.builds(FillTimes, NUMBERS, NAMES)
)
LEGS = st.builds(
    Leg,
    NAMES,
    NAMES,
    st.sampled_from(Side),
    st.sampled_from(Purpose),
    QUANTITIES,
    PRICES,
    NAME_TUPLES,
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
STOPS = st.builds(
    Stop,
    st.one_of(st.none(), NUMBERS.map(At)),
    st.one_of(st.none(), NUMBERS.map(AverageTimes)),
    st.sampled_from([None, Trail(D("0.01"), D("0.005"))]),
    st.sampled_from([None, BreakEven(D("0.01"))]),
)
EVIDENCE = st.dictionaries(NAMES, st.one_of(NUMBERS, NAMES, st.integers()), max_size=2)
PLANS = st.builds(
    Plan, NAMES, st.lists(LEGS, max_size=4).map(tuple), NAME_TUPLES, st.one_of(st.none(), STOPS), EVIDENCE
)
LEG = Leg("base", "base", Side.BUY, Purpose.ENTRY, Fixed(D(1)))


class OtherPlan(Plan):
    """One that knows more than a plan."""


class OtherLeg(Leg):
    """One that knows more than a leg."""


def logged(plans: list[Plan]) -> PlanLog:
    log = PlanLog(most=5, block=2)
    for plan in plans:
        log.append(plan)
    return log


@given(st.lists(PLANS, max_size=12))
@settings(max_examples=60, deadline=None)
def test_plans_come_back_to_the_letter_in_a_row_and_one_by_one(plans: list[Plan]) -> None:
    log = logged(plans)
    assert list(log) == plans
    assert list(map(repr, log)) == list(map(repr, plans))
    gives = list(log.on_demand())
    assert [repr(give()) for give in reversed(gives)] == [repr(plan) for plan in reversed(plans)]


@pytest.mark.parametrize(
    "strange",
    [
        OtherPlan("deal", (LEG,), ("base",)),
        Plan("deal", (OtherLeg("base", "base", Side.BUY, Purpose.ENTRY, Fixed(D(1))),), ("base",)),
        Plan("deal", (Leg("out", "out", Side.SELL, Purpose.EXIT, Held(1)),), ("out",)),  # type: ignore[arg-type]
        Plan("deal", (LEG,), ("base",), evidence={"why": lambda: 1}),
    ],
)
def test_a_plan_that_would_come_back_as_another_stays_as_it_is(strange: Plan) -> None:
    log = logged([strange] * 9)
    assert all(plan is strange for plan in log)
    assert all(give() is strange for give in log.on_demand())


def test_nothing_is_unpacked_before_somebody_looks_at_a_plan(monkeypatch: Any) -> None:
    log = logged([Plan(f"deal:{number}", (LEG,), ("base",)) for number in range(9)])
    unpacked: list[bytes] = []
    load = PlanLog._load
    monkeypatch.setattr(PlanLog, "_load", lambda self, block: unpacked.append(block) or load(self, block))
    told = [
        JudgedPlan(place, "one", "BTC/USDT", give, D(1), Verdict(Ruling.ACCEPT), True)  # type: ignore[arg-type]
        for place, give in enumerate(log.on_demand())
    ]
    assert not unpacked
    assert [told[place].plan.name for place in (3, 2, 3)] == ["deal:3", "deal:2", "deal:3"]
    assert len(unpacked) == 1


def test_a_verdict_whose_plan_comes_later_reads_like_any_other() -> None:
    plan = Plan("deal", (LEG,), ("base",))
    rest = (D(1), Verdict(Ruling.ACCEPT), True)
    later = JudgedPlan(7, "one", "BTC/USDT", lambda: plan, *rest)  # type: ignore[arg-type]
    plain = Judged(7, "one", "BTC/USDT", plan, *rest)
    assert later.plan is plan
    assert repr(later).partition("(")[2] == repr(plain).partition("(")[2]
    with pytest.raises(AttributeError):
        later.plan = plan  # type: ignore[misc]
