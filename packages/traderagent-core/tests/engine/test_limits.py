"""Entry filters, risk modes and limits: what binds an order that adds exposure, and that nothing binds the others."""

from decimal import Decimal
from typing import Any

import pytest
from traderagent_core.contract.entry_filter import EntryFilter, Ruling, Verdict
from traderagent_core.contract.risk_mode import INACTIVE, ModeState, Portfolio, RiskLevels, RiskMode
from traderagent_core.coordinator.risk_modes import DrawdownConfig, DrawdownMode, ReducedConfig, ReducedMode
from traderagent_core.engine.setup import Limits
from traderagent_core.errors import PluginHungError
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import At, Filled, Fixed, Held, Leg, Plan
from traderagent_core.testing.scripted import ScriptedVenue

D = Decimal
DAY_MS = 86_400_000


def leg(name: str, price: Any = 100, quantity: Any = 2, side: Side = Side.BUY, **more: Any) -> Leg:
    purpose = more.pop("purpose", Purpose.ENTRY)
    return Leg(name, name, side, purpose, Fixed(D(quantity)), None if price is None else At(D(price)), **more)


def plan(*legs: Leg) -> Plan:
    return Plan("plan", legs, tuple(own.name for own in legs))


OUT = Leg("out", "out", Side.SELL, Purpose.TAKE_PROFIT, Held(), At(D(110)))


class Says(EntryFilter):
    """Always gives the verdict it is configured with, or raises it."""

    def judge(self, plan: Plan, view: Any, symbol: str) -> Verdict:
        if isinstance(self.config, Exception):
            raise self.config
        assert isinstance(self.config, Verdict)
        return self.config


class Mode(RiskMode):
    """Says what the test has put into `config`."""

    def levels(self) -> RiskLevels:
        return RiskLevels(drawdown=(D("0.001"),))

    def judge(self, portfolio: Portfolio, previous: ModeState) -> ModeState:
        state = self.config[0]
        assert isinstance(state, ModeState)
        return state


# -- filters ------------------------------------------------------------------------------------------------


def test_factors_of_neutral_filters_multiply_and_are_told() -> None:
    filters = {
        "one": Says(Verdict(Ruling.NEUTRAL, "far", D("0.5"))),
        "two": Says(Verdict(Ruling.ACCEPT)),
        "three": Says(Verdict(Ruling.NEUTRAL, "wide", D("0.5"))),
    }
    venue = ScriptedVenue(plan(leg("a"), leg("b", 95, 4)), filters=filters).start()
    assert [venue.requests(slot)[0].quantity for slot in "ab"] == [D("0.5"), D(1)]
    verdict = venue.strategy.said("on_verdict")[0][1]
    assert (verdict.ruling, verdict.size_factor) == (Ruling.NEUTRAL, D("0.25"))
    assert verdict.reason == "one:far, three:wide"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Verdict(Ruling.REJECT, "against"), "filter_rejected:one:against"),
        (RuntimeError("oh"), "filter_rejected:one:filter_failed"),
    ],
)
def test_a_filter_that_refuses_or_raises_stops_the_whole_plan(answer: Any, reason: str) -> None:
    venue = ScriptedVenue(
        plan(leg("a"), leg("b", 95, purpose=Purpose.SAFETY)), filters={"one": Says(answer)}
    ).start()
    assert not venue.sent
    assert venue.told("plan_rejected")[0][2] == reason
    assert venue.strategy.said("on_verdict")[0][1].ruling is Ruling.REJECT


def test_a_plan_scaled_below_a_minimum_is_refused_whole() -> None:
    halving = {"one": Says(Verdict(Ruling.NEUTRAL, "", D("0.01")))}
    venue = ScriptedVenue(plan(leg("a", quantity=90), leg("b", 95, 4)), filters=halving).start()
    assert not venue.sent
    assert venue.told("plan_rejected")[0][2] == "below_minimum"


@pytest.mark.parametrize("purpose", [own for own in Purpose if own is not Purpose.ENTRY])
def test_filters_see_entries_only(purpose: Purpose) -> None:
    venue = ScriptedVenue(
        plan(leg("a", purpose=purpose)), filters={"one": Says(Verdict(Ruling.REJECT))}
    ).start()
    assert venue.requests("a")


# -- modes --------------------------------------------------------------------------------------------------


def test_size_factors_of_active_modes_multiply_and_take_nothing_from_what_reduces() -> None:
    first, second = [ModeState(is_active=True, size_factor=D("0.5"))], [ModeState(True, D("0.8"))]
    modes = (("one", Mode(first)), ("two", Mode(second)))
    venue = ScriptedVenue(
        {
            "on_timer": lambda c, _: c.enter(plan(leg("a"), leg("b", 95, 5))),
            "on_watch": lambda c, _: c.enter(plan(leg("s", 110, 1, Side.SELL, purpose=Purpose.EXIT))),
        },
        modes=modes,
    ).start()
    venue.close_candle()
    venue.timer("t")
    assert [venue.requests(slot)[0].quantity for slot in "ab"] == [D("0.8"), D(2)]
    venue.fill("a")
    venue.watch("w", 100)
    assert venue.requests("s")[0].quantity == 1
    second[0] = INACTIVE
    venue.close_candle()
    assert [record[:2] for record in venue.told("mode_changed")] == [
        ("one", True),
        ("two", True),
        ("two", False),
    ]


def test_a_counter_placed_in_a_mode_shrinks_once_however_often_it_is_tried() -> None:
    state = [INACTIVE]
    again = Leg("b", "b", Side.BUY, Purpose.GRID_COUNTER, Fixed(D(4)), At(D(95)))
    venue = ScriptedVenue(plan(leg("a", then=("b",)), again, leg("c", 94)), modes=(("m", Mode(state)),))
    venue.start().close_candle()
    venue.cancel("b", code="asked")
    state[0] = ModeState(True, D("0.5"))
    venue.close_candle()
    for _ in range(3):
        timer = next(record for record in reversed(venue.told("want_blocked")))
        venue.timer(f"~retry:{timer[0]}")
        venue.reject("b", "rate_limited")
    assert [own.quantity for own in venue.requests("b")] == [4, 2, 2, 2]


def test_entries_forbidden_by_a_mode_wait_until_it_allows_them() -> None:
    state = [ModeState(True, is_entry_allowed=False)]
    venue = ScriptedVenue(
        {
            "on_start": lambda c: c.enter(plan(leg("a", then=("b", "out")), leg("b", 95), OUT)),
            "on_timer": lambda c, _: c.enter(plan(leg("late"))),
        },
        modes=(("m", Mode(state)),),
    ).start()
    venue.close_candle()
    venue.fill("a")
    assert venue.requests("out"), "what reduces always passes"
    assert len(venue.requests("b")) == 1
    venue.timer("t")
    assert venue.told("plan_rejected")[0][2] == "risk_mode_forbids_entries"
    state[0] = INACTIVE
    venue.close_candle()
    assert len(venue.requests("b")) == 1


def held_back(venue: ScriptedVenue) -> list[tuple[Any, ...]]:
    return [record[1:] for record in venue.told("want_blocked")]


def test_orders_that_add_leave_the_venue_while_a_mode_allows_none_and_come_back_after_it() -> None:
    state = [INACTIVE]
    safety = leg("b", 95, purpose=Purpose.SAFETY)
    legs = (leg("a", then=("out",)), safety, OUT)
    venue = ScriptedVenue(
        {"on_start": lambda c: c.enter(Plan("plan", legs, ("a", "b")))}, modes=(("m", Mode(state)),)
    ).start()
    venue.fill("a")
    state[0] = ModeState(True, is_entry_allowed=False)
    venue.close_candle()
    assert held_back(venue) == [("risk_mode_forbids_entries", "when risk allows")]
    assert venue.live("b").is_canceling
    assert not venue.live("out").is_canceling, "what reduces stays"
    venue.cancel("b")
    assert len(venue.requests("b")) == 1
    state[0] = INACTIVE
    venue.close_candle()
    assert [request.price for request in venue.requests("b")] == [95, 95]


def test_what_trades_before_its_cancellation_is_not_sent_again() -> None:
    state = [INACTIVE]
    venue = ScriptedVenue(plan(leg("a", 95)), modes=(("m", Mode(state)),)).start()
    state[0] = ModeState(True, is_entry_allowed=False)
    venue.close_candle()
    venue.fill("a")
    state[0] = INACTIVE
    venue.close_candle()
    assert len(venue.requests("a")) == 1
    assert venue.ledger.quantity == 2


def test_orders_that_add_leave_the_venue_past_the_daily_loss_and_come_back_at_midnight() -> None:
    venue = ScriptedVenue(
        plan(leg("a"), leg("b", 80, purpose=Purpose.SAFETY)), limits=Limits(max_daily_loss=D(20))
    ).start()
    venue.fill("a")
    venue.close_candle(89)
    assert held_back(venue) == [("max_daily_loss", "when risk allows")]
    venue.cancel("b")
    venue.now_ms += DAY_MS
    venue.close_candle()
    assert len(venue.requests("b")) == 2


def test_a_cycle_of_a_counter_that_a_mode_has_shrunk_counts_what_both_have_traded() -> None:
    state = [INACTIVE]
    sell = leg("s", 110, 4, Side.SELL, then=("back",))
    back = Leg("back", "s", Side.BUY, Purpose.GRID_COUNTER, Filled(), At(D(105)))
    legs = (leg("a", quantity=10), sell, back)
    venue = ScriptedVenue(Plan("plan", legs, ("a", "s")), modes=(("m", Mode(state)),)).start()
    venue.fill("a")
    state[0] = ModeState(True, D("0.5"))
    venue.close_candle()
    venue.fill("s")
    assert venue.requests("s")[-1].quantity == 2
    venue.fill("s")
    assert (venue.ledger.cycles, venue.ledger.cycle_profit) == (1, 2 * 5)


def test_the_drawdown_mode_is_on_from_its_level_to_its_level() -> None:
    mode = DrawdownMode(DrawdownConfig(drawdown=D("0.10"), size_factor=D("0.75")))
    said = [
        mode.judge(Portfolio(0, D(equity), D(100), D(100)), INACTIVE).size_factor
        for equity in (91, 90, 80, 95)
    ]
    assert said == [D(1), D("0.75"), D("0.75"), D(1)]
    assert mode.levels().drawdown == (D("0.10"),)


def test_the_reduced_mode_shrinks_then_stops_entries_until_midnight() -> None:
    mode = ReducedMode(ReducedConfig(daily_loss=D("0.05"), size_factor=D("0.5"), no_entries_at=D("0.10")))
    state = INACTIVE
    said = []
    for time_ms, equity in [(1, 96), (2, 95), (3, 90), (4, 99), (DAY_MS - 1, 99), (DAY_MS, 99)]:
        state = mode.judge(Portfolio(time_ms, D(equity), D(100), D(100)), state)
        said.append((state.is_active, state.size_factor, state.is_entry_allowed))
    half, none = (True, D("0.5"), True), (True, D("0.5"), False)
    off = (False, D(1), True)
    assert said == [off, half, none, none, none, off]


# -- limits -------------------------------------------------------------------------------------------------


def test_a_plan_that_could_grow_over_the_position_limit_is_refused() -> None:
    limits = Limits(max_position_size=D(500))
    venue = ScriptedVenue(plan(leg("a"), leg("b", 95, 4, purpose=Purpose.SAFETY)), limits=limits).start()
    assert venue.told("plan_rejected")[0][2] == "max_position_size"


def test_a_plan_over_the_budget_is_refused() -> None:
    venue = ScriptedVenue(plan(leg("a")), budget=D(199)).start()
    assert venue.told("plan_rejected")[0][2] == "over_budget"
    assert ScriptedVenue(plan(leg("a")), budget=D(200)).start().sent


def test_no_order_takes_the_position_over_its_limit_with_all_that_is_open() -> None:
    legs = tuple(leg(f"g{number}", 100 - number, 1, purpose=Purpose.GRID_COUNTER) for number in range(8))
    venue = ScriptedVenue(plan(*legs), limits=Limits(max_position_size=D(300))).start()
    assert len(venue.sent) == 3
    assert {record[1] for record in venue.told("want_blocked")} == {"max_position_size"}
    for slot in ("g0", "g1", "g2"):
        venue.fill(slot)
    worst = venue.ledger.quantity * venue.view.last_price + venue.ledger.open_buys
    assert worst <= 300
    assert len(venue.sent) == 3


def test_room_made_by_a_fill_lets_a_waiting_order_out() -> None:
    legs = (
        leg("g0", 100, 2, purpose=Purpose.GRID_COUNTER, then=("s0",)),
        leg("s0", 104, 2, Side.SELL, purpose=Purpose.GRID_COUNTER),
        leg("g1", 99, 2, purpose=Purpose.GRID_COUNTER),
    )
    whole = Plan("plan", legs, ("g0", "g1"))
    venue = ScriptedVenue(whole, limits=Limits(max_position_size=D(300))).start()
    venue.fill("g0")
    assert not venue.requests("g1")
    venue.fill("s0")
    assert venue.requests("g1")


def test_the_loss_of_the_day_stops_what_adds_until_the_day_is_over() -> None:
    venue = ScriptedVenue(
        {
            "on_start": lambda c: c.enter(plan(leg("a"), OUT)),
            "on_timer": lambda c, _: c.enter(plan(leg("b"))),
            "on_watch": lambda c, _: c.place(OUT),
        },
        limits=Limits(max_daily_loss=D(20)),
    ).start()
    venue.fill("a")
    venue.close_candle(91)
    venue.timer("t")
    assert len(venue.requests("b")) == 1
    venue.cancel("b", code="x")
    venue.close_candle(90)
    assert venue.told("mode_changed")[0][:3] == ("bot:max_daily_loss", True, "loss=20, limit=20")
    venue.timer("t")
    assert venue.told("plan_rejected")[0][2] == "max_daily_loss"
    venue.watch("w", 95)
    assert venue.requests("out"), "what reduces always passes"
    venue.close_candle(99)
    venue.timer("t")
    assert len(venue.told("plan_rejected")) == 2
    venue.now_ms = (venue.now_ms // DAY_MS + 1) * DAY_MS
    venue.timer("~midnight", owner="")
    assert venue.told("mode_changed")[1][:2] == ("bot:max_daily_loss", False)
    assert venue.wished_timer("~midnight") == venue.now_ms + DAY_MS


def test_a_loss_that_left_nothing_behind_counts_at_the_next_close() -> None:
    venue = ScriptedVenue(
        {
            "on_start": lambda c: c.enter(plan(leg("a"))),
            "on_timer": lambda c, _: c.exit("out"),
            "on_watch": lambda c, _: c.enter(plan(leg("b"))),
        },
        limits=Limits(max_daily_loss=D(20)),
    ).start()
    venue.fill("a")
    venue.timer("t")
    venue.fill("exit", price=80)
    assert venue.engine.guards.bands()[0].quantities == {}
    venue.close_candle()
    venue.watch("w", 80)
    assert venue.told("plan_rejected")[0][2] == "max_daily_loss"


def test_bands_lie_around_the_equity_judged_last() -> None:
    mode = DrawdownMode(DrawdownConfig(drawdown=D("0.01")))
    venue = ScriptedVenue(plan(leg("a", quantity=10)), balance=D(10_000), modes=(("m", mode),)).start()
    venue.fill("a")
    venue.close_candle(101)
    band = venue.engine.guards.bands()[0]
    assert (band.floor, band.ceiling) == (D("10010") * D("0.99"), D("10010"))
    venue.view.last_price = D(80)
    assert venue.engine.guards.bands()[0] == band


def test_who_asks_for_equity_between_two_steps_has_it_at_the_price_of_then() -> None:
    mode = DrawdownMode(DrawdownConfig(drawdown=D("0.01")))
    venue = ScriptedVenue(plan(leg("a", quantity=10)), balance=D(10_000), modes=(("m", mode),)).start()
    venue.fill("a")
    venue.close_candle(101)
    assert venue.engine.guards.equity() == 10_010
    venue.view.last_price = D(95)
    assert venue.engine.guards.equity() == 9_950


def test_what_waits_for_a_mode_that_has_hung_goes_out_for_all_bots_when_it_is_forgiven() -> None:
    state = [INACTIVE]
    venue = ScriptedVenue(
        plan(leg("a", 95), leg("b", 90, purpose=Purpose.SAFETY)), modes=(("m", Mode(state)),)
    ).start()
    call = venue.engine.call
    venue.engine.call = hang
    venue.close_candle()
    venue.engine.call = call
    assert [reason for reason, _ in held_back(venue)] == ["risk_mode_forbids_entries"] * 2
    for slot in "ab":
        venue.cancel(slot)
    venue.operator("resume")
    assert [len(venue.requests(slot)) for slot in "ab"] == [2, 2]
    assert [record[:3] for record in venue.told("mode_changed")] == [
        ("m", True, "mode_hung"),
        ("m", False, ""),
    ]


def hang(owner: str, name: str, function: Any, *arguments: Any) -> Any:
    raise PluginHungError("it hung")
