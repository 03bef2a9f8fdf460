"""Strategies that fail, ask for nonsense, or are told what to do by an operator."""

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve, frozen
from traderagent_core.contract.strategy import Needs, Release, Wake
from traderagent_core.engine.codec import StateError
from traderagent_core.engine.snapshot import snapshot
from traderagent_core.indicators import Sma
from traderagent_core.model import command as cmd
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import At, AverageTimes, Fixed, Held, Leg, Plan, Stop, Trail
from traderagent_core.testing.scripted import LINEAR, SPOT, ScriptedVenue

D = Decimal
NAN, INFINITE = D("NaN"), D("Infinity")


def leg(name: str = "a", price: Any = 95, quantity: Any = 2, **more: Any) -> Leg:
    slot, purpose = more.pop("slot", name), more.pop("purpose", Purpose.ENTRY)
    rule = None if price is None else At(D(price))
    return Leg(name, slot, more.pop("side", Side.BUY), purpose, Fixed(D(quantity)), rule, **more)


def plan(*legs: Leg, **more: Any) -> Plan:
    return Plan("plan", legs, more.pop("start", (legs[0].name,)), **more)


OUT = Leg("out", "out", Side.SELL, Purpose.TAKE_PROFIT, Held(), At(D(110)))


@frozen
class Count:
    """How often a callback got through."""

    number: int = 0
    schema_version: int = 1


# -- failing ------------------------------------------------------------------------------------------------


def failing(context: Any, *_: Any) -> None:
    context.exit("never done")
    context.note("never said")
    raise RuntimeError("oh")


def test_a_callback_that_raises_leaves_no_trace_but_the_failure() -> None:
    venue = ScriptedVenue({"on_start": lambda c: c.enter(plan(leg()))})

    def counting_then_failing(context: Any, _: Any) -> None:
        venue.strategy.set_state(evolve(venue.strategy.state, number=1))
        failing(context)

    venue.strategy.config.callbacks["on_timer"] = counting_then_failing  # type: ignore[index]
    venue.strategy.set_state(Count())
    venue.start()
    before = len(venue.commands)
    venue.timer("t")
    assert venue.strategy.state == Count()
    assert venue.told("plugin_failed") == [("bot", "on_timer", "RuntimeError: oh")]
    assert len(venue.commands) == before
    assert "never said" not in {record[1] for record in venue.told("noted")}


def test_three_failures_in_ten_minutes_quarantine_a_plugin_but_not_its_plan() -> None:
    pair = (leg("buy", slot="g", then=("sell",)), leg("sell", 105, side=Side.SELL, slot="g", then=("buy",)))
    stop = Stop(At(D(90)))
    venue = ScriptedVenue(
        {"on_start": lambda c: c.enter(plan(*pair, stop=stop)), "on_timer": failing}
    ).start()
    for _ in range(3):
        venue.timer("t")
        venue.now_ms += 299_000
    assert venue.member.is_quarantined
    assert ("bot", "plugin_quarantined", "on_timer") in venue.told("noted")
    called = len(venue.strategy.calls)
    venue.fill("g")
    assert venue.requests("g")[1].side is Side.SELL
    assert venue.member.stop.watched == 90
    venue.timer("t")
    venue.watch("~stop", 89)
    venue.cancel("g")
    venue.fill("exit")
    assert venue.ledger.quantity == 0
    assert len(venue.strategy.calls) == called


def test_failures_further_apart_are_forgiven() -> None:
    venue = ScriptedVenue({"on_timer": failing}).start()
    for _ in range(9):
        venue.timer("t")
        venue.now_ms += 301_000
    assert not venue.member.is_quarantined


def test_an_operator_ends_a_quarantine_and_old_failures_count_no_more() -> None:
    venue = ScriptedVenue({"on_timer": failing}).start()
    for _ in range(3):
        venue.timer("t")
    venue.operator("resume")
    assert venue.strategy.said("on_resume") == [()]
    venue.timer("t")
    assert not venue.member.is_quarantined


def test_a_failing_start_leaves_a_bot_that_can_be_told_other_things() -> None:
    venue = ScriptedVenue({"on_start": failing, "on_timer": lambda c, _: c.enter(plan(leg()))}).start()
    venue.timer("t")
    assert venue.requests("a")


# -- nonsense -----------------------------------------------------------------------------------------------

BAD_PLANS: list[Any] = [
    "a plan",
    Plan("plan", (), ("a",)),
    plan(leg(), start=()),
    plan(leg(), start=("other",)),
    plan(leg(then=("other",))),
    plan(leg(), leg()),
    Plan("plan", tuple(leg(f"l{number}") for number in range(1501)), ("l0",)),
    plan(leg(price=NAN)),
    plan(leg(price=INFINITE)),
    plan(leg(price=0)),
    plan(leg(price=-1)),
    plan(leg(quantity=NAN)),
    plan(leg(quantity=-1)),
    plan(leg(slot="stop")),
    plan(leg(slot="Not A Slot")),
    plan(leg(slot="a" * 17)),
    plan(leg(price=None, is_stop=True)),
    plan(Leg("a", "a", Side.BUY, Purpose.EXIT, Held(NAN), At(D(95)))),
    plan(Leg("a", "a", Side.BUY, Purpose.EXIT, Held(D(-1)), At(D(95)))),
    plan(Leg("a", "a", Side.BUY, Purpose.EXIT, Held(0.5), At(D(95)))),  # type: ignore[arg-type]
    plan(Leg("a", "a", Side.BUY, Purpose.ENTRY, Fixed(D(1)), AverageTimes(NAN))),
    plan(leg(), stop=Stop(At(NAN))),
    plan(leg(), stop=Stop(AverageTimes(D(0)))),
    plan(leg(), stop=Stop(At(D(90)), None, Trail(NAN, D("0.01")))),
    plan(leg(), stop=Stop(At(D(90)), None, Trail(D("0.01"), D("-0.01")))),
    plan(leg(), stop=Stop(At(D(90)), None, Trail(D("0.01"), D("0.01"), D(0)))),
    plan(leg(price=None, then=("b",)), leg("b", None, slot="a", then=("a",))),
]


@pytest.mark.parametrize("bad", BAD_PLANS)
def test_a_plan_that_breaks_the_contract_is_refused_by_name(bad: Any) -> None:
    venue = ScriptedVenue({"on_start": lambda c: c.enter(bad)}).start()
    assert [record[1] for record in venue.told("plugin_failed")] == ["on_start"]
    assert "OrderError" in venue.told("plugin_failed")[0][2]
    assert not venue.sent
    assert not venue.account.plans


def test_a_price_without_its_rule_is_told_as_such() -> None:
    bare: Any = D("95")
    bad = plan(Leg("a", "a", Side.BUY, Purpose.ENTRY, Fixed(D(1)), bare))
    venue = ScriptedVenue({"on_start": lambda c: c.enter(bad)}).start()
    assert "price Decimal('95'); expected a rule: write At(95)" in venue.told("plugin_failed")[0][2]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"indicators": Sma(20)}, "must be a tuple, such as"),
        ({"indicators": (Sma,)}, "must be a tuple, such as"),
        ({"wake": "every candle"}, "must be one of Wake.NEVER, Wake.CANDIDATES, Wake.EVERY_CANDLE"),
        ({"look_back": 0}, "at least 1 candle"),
    ],
)
def test_needs_that_nobody_can_meet_are_refused(wrong: Any, words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        Needs(**wrong)


def test_a_plan_of_a_billion_is_over_every_budget() -> None:
    venue = ScriptedVenue(plan(leg(quantity=10**9))).start()
    assert venue.told("plan_rejected")[0][2] == "over_budget"


def bad_verbs() -> list[Any]:
    return [
        lambda c: c.place("a leg"),
        lambda c: c.place(leg(purpose=Purpose.ENTRY)),
        lambda c: c.place(leg(purpose=Purpose.EXIT, price=NAN)),
        lambda c: c.place(leg(purpose=Purpose.EXIT, then=("other",))),
        lambda c: c.place(Leg("a", "a", Side.SELL, Purpose.EXIT, Held(NAN), At(D(95)))),
        lambda c: c.cancel([]),
        lambda c: c.cancel("stop"),
        lambda c: c.watch_price("w", NAN),
        lambda c: c.watch_price("w", 95.0),
        lambda c: c.watch_price("~w", D(95)),
        lambda c: c.set_timer("~retry:1", 1),
        lambda c: c.set_timer("t\n", 1),
        lambda c: c.set_timer("t", float("nan")),
        lambda c: c.unwatch("~stop"),
        lambda c: c.no_such_verb(),
    ]


@pytest.mark.parametrize("verb", bad_verbs())
def test_a_verb_that_breaks_the_contract_fails_the_callback_not_the_engine(verb: Any) -> None:
    venue = ScriptedVenue(
        {"on_start": lambda c: c.enter(plan(leg())), "on_timer": lambda c, _: verb(c)}
    ).start()
    venue.fill("a")
    before = len(venue.commands)
    venue.timer("t")
    assert [record[1] for record in venue.told("plugin_failed")] == ["on_timer"]
    assert len(venue.commands) == before


# -- being called -------------------------------------------------------------------------------------------


def test_candles_are_told_only_after_the_start() -> None:
    venue = ScriptedVenue({}, wake=Wake.EVERY_CANDLE)
    venue.close_candle()
    venue.start()
    assert not venue.strategy.said("on_candle")
    venue.close_candle()
    assert len(venue.strategy.said("on_candle")) == 1


def test_own_timers_and_watches_come_back_by_name() -> None:
    def starting(context: Any) -> None:
        context.set_timer("later", context.now_ms + 5)
        context.watch_price("high", D(101))
        context.watch_price("low", D(99))

    venue = ScriptedVenue({"on_start": starting}).start()
    assert venue.wished_timer("later") == venue.now_ms + 5
    assert [(own.name, own.is_above) for own in venue.wished(cmd.Watch)] == [("high", True), ("low", False)]
    venue.timer("later")
    venue.watch("low", 99)
    assert len(venue.strategy.said("on_timer")) == len(venue.strategy.said("on_watch")) == 1


# -- the operator -------------------------------------------------------------------------------------------


def test_a_start_is_taken_once_and_sets_leverage_first() -> None:
    venue = ScriptedVenue(plan(leg()), LINEAR).start().start()
    assert [type(own) for own in venue.commands][:1] == [cmd.SetLeverage]
    assert len(venue.sent) == 1
    assert not ScriptedVenue(plan(leg()), SPOT).start().wished(cmd.SetLeverage)


def test_a_pause_holds_back_what_adds_until_the_resume() -> None:
    legs = (leg(then=("more", "out")), leg("more", 94, purpose=Purpose.SAFETY), OUT)
    venue = ScriptedVenue({"on_start": lambda c: c.enter(plan(*legs)), "on_timer": failing}).start()
    venue.operator("pause", "lunch")
    venue.fill("a")
    venue.timer("t")
    assert venue.requests("out")
    assert not venue.requests("more")
    assert not venue.strategy.said("on_fill")
    assert not venue.strategy.said("on_timer")
    venue.operator("resume")
    assert venue.requests("more")
    assert venue.strategy.said("on_resume") == [()]
    assert ("bot", "operator_pause", "lunch") in venue.told("noted")


@pytest.mark.parametrize("release", [None, Release.KEEP, Release.WIND_DOWN, "nonsense", RuntimeError("oh")])
def test_a_stop_asks_the_strategy_what_becomes_of_the_position(release: Any) -> None:
    def releasing(context: Any, _: str) -> Any:
        venue.strategy.set_state(Count(7))
        context.exit("verbs do not count here")
        if isinstance(release, Exception):
            raise release
        return release

    legs = (leg(then=("more",)), leg("more", 94))
    venue = ScriptedVenue(
        {"on_start": lambda c: c.enter(plan(*legs, stop=Stop(At(D(90))))), "on_release": releasing}
    ).start()
    venue.fill("a")
    venue.operator("stop", "enough")
    venue.cancel("more")
    is_wound_down = release is Release.WIND_DOWN
    assert bool(venue.requests("exit")) is is_wound_down
    assert venue.member.stop.watched == 90
    if isinstance(release, Exception):
        assert venue.told("plugin_failed")
        assert venue.strategy.state != Count(7)
    called = len(venue.strategy.calls)
    venue.timer("t")
    assert len(venue.strategy.calls) == called


def test_a_halt_closes_everything_and_silences_the_strategy_until_acknowledged() -> None:
    legs = (leg(then=("more",)), leg("more", 94))
    venue = ScriptedVenue(
        {"on_start": lambda c: c.enter(plan(*legs)), "on_timer": lambda c, _: c.enter(plan(leg("new")))}
    ).start()
    venue.fill("a")
    venue.operator("halt", "panic")
    venue.cancel("more")
    venue.fill("exit")
    assert venue.ledger.quantity == 0
    venue.timer("t")
    assert not venue.requests("new")
    venue.operator("acknowledge")
    venue.timer("t")
    assert venue.requests("new")


def test_a_halted_bot_stays_halted_through_a_resume() -> None:
    venue = ScriptedVenue({"on_timer": lambda c, _: c.enter(plan(leg("new")))}).start()
    venue.operator("halt")
    venue.operator("resume")
    venue.timer("t")
    assert not venue.sent


def test_whose_state_cannot_be_saved_is_told() -> None:
    venue = ScriptedVenue({}).start()
    venue.strategy.state = object()
    with pytest.raises(
        StateError, match=f"the state of bot '{venue.member.name}' cannot be saved: .* not object"
    ):
        snapshot(venue.engine)
