"""What the engine makes of a venue's answers, in any order: late, twice, in parts, or not as asked."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from traderagent_core.account.state import WantStatus
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.order import Liquidity, OrderStatus, Purpose, Side
from traderagent_core.model.plan import At, AverageTimes, Filled, FillTimes, Fixed, Held, Leg, Plan
from traderagent_core.testing.scripted import BOT, SPOT, ScriptedVenue

D = Decimal


def leg(name: str, price: Any = None, quantity: Any = 1, side: Side = Side.BUY, **more: Any) -> Leg:
    """A leg in a slot of its own name."""
    more.setdefault("purpose", Purpose.GRID_COUNTER)
    amount = Fixed(D(quantity)) if isinstance(quantity, int | str | Decimal) else quantity
    rule = At(D(price)) if isinstance(price, int | str) else price
    return Leg(name, more.pop("slot", name), side, quantity=amount, price=rule, **more)


def plan(*legs: Leg, start: tuple[str, ...] | None = None, stop: Any = None) -> Plan:
    """A plan that starts with its first leg."""
    return Plan("plan", legs, start or (legs[0].name,), stop)


def status(venue: ScriptedVenue, order_id: str) -> OrderStatus:
    order = venue.account.order(order_id)
    assert order is not None
    return order.status


PAIR = (
    leg("buy", 95, then=("sell",), slot="g"),
    leg("sell", 105, side=Side.SELL, then=("buy",), slot="g"),
)


def test_a_fill_before_the_acknowledgement_counts_and_the_late_one_changes_nothing() -> None:
    venue = ScriptedVenue(plan(leg("a", 95, 2))).start()
    first = venue.order_id("a")
    venue.fill("a", 1)
    assert status(venue, first) is OrderStatus.PARTIALLY_FILLED
    venue.accept("a")
    assert status(venue, first) is OrderStatus.PARTIALLY_FILLED
    venue.fill("a")
    venue.accept(first)
    assert status(venue, first) is OrderStatus.FILLED
    assert venue.ledger.quantity == 2
    assert venue.told("plan_closed") == [(1, "completed")]
    assert len(venue.sent) == 1


def test_what_follows_a_leg_is_placed_once_when_it_is_whole() -> None:
    venue = ScriptedVenue(plan(*PAIR)).start()
    venue.accept("g")
    venue.fill("g", "0.4")
    assert [own.side for own in venue.requests("g")] == [Side.BUY]
    venue.fill("g", "0.6")
    assert [own.side for own in venue.requests("g")] == [Side.BUY, Side.SELL]
    assert venue.strategy.said("on_fill")[0][1:] == ("g", False)
    assert venue.strategy.said("on_fill")[1][1:] == ("g", True)


def test_a_trade_id_changes_the_ledger_once() -> None:
    venue = ScriptedVenue(plan(*PAIR)).start()
    first = venue.order_id("g")
    venue.fill("g", "0.4", trade_id="x", fee=D("0.1"))
    before = len(venue.records)
    venue.fill("g", "0.4", trade_id="x", fee=D("0.1"))
    assert len(venue.records) == before
    venue.fill("g", "0.6", trade_id="y")
    venue.fill(first, "0.6", trade_id="y")
    venue.fill(first, "0.4", trade_id="x")
    assert (venue.ledger.quantity, venue.ledger.fees) == (D(1), D("0.1"))
    assert len(venue.requests("g")) == 2


def test_ids_are_short_plain_and_never_used_again() -> None:
    venue = ScriptedVenue(plan(*PAIR), run_id="a-very-long-run-id").start()
    for _ in range(30):
        venue.fill("g")
    ids = [own.client_order_id for own in venue.requests("g")]
    assert len(set(ids)) == len(ids) == 31
    assert all(len(own) <= 36 and own.replace("-", "").replace("_", "").isalnum() for own in ids)
    again = ScriptedVenue(plan(*PAIR), run_id="a-very-long-run-id").start()
    assert again.order_id("g") == ids[0]


def test_fills_of_one_order_in_any_order_leave_the_same() -> None:
    states = set()
    for parts in permutations(["0.2", "0.3", "0.5"]):
        venue = ScriptedVenue(plan(*PAIR)).start()
        for part in parts:
            venue.fill("g", part, fee=D(part) / 10)
        states.add((venue.ledger.quantity, venue.ledger.position.cost, venue.ledger.fees, len(venue.sent)))
    assert states == {(D(1), D(95), D("0.1"), 2)}


def test_the_counter_fill_may_overtake_the_news_of_its_acknowledgement() -> None:
    venue = ScriptedVenue(plan(*PAIR)).start()
    venue.accept("g")
    venue.fill("g")
    venue.fill("g")
    assert venue.ledger.quantity == 0
    assert venue.ledger.cycles == 1
    assert venue.ledger.cycle_profit == 10
    assert venue.requests("g")[-1].side is Side.BUY


# -- cancels ------------------------------------------------------------------------------------------------


def replacing(context: Any) -> None:
    context.enter(plan(leg("b", 96, 2, slot="a")))


def test_a_replaced_order_is_cancelled_first_and_only_then_followed() -> None:
    venue = ScriptedVenue(
        {"on_start": lambda c: c.enter(plan(leg("a", 95))), "on_timer": lambda c, _: replacing(c)}
    )
    venue.start().accept("a")
    old = venue.order_id("a")
    venue.timer("t")
    assert venue.wished(cmd.Cancel)[0].client_order_id == old
    assert len(venue.requests("a")) == 1
    venue.cancel(old)
    assert [own.quantity for own in venue.requests("a")] == [1, 2]
    assert venue.ended() == {"a": "replaced"}


@pytest.mark.parametrize("answer", ["refusal first", "fill first", "no refusal"])
def test_a_cancel_that_loses_against_a_fill_frees_the_slot(answer: str) -> None:
    venue = ScriptedVenue(
        {"on_start": lambda c: c.enter(plan(leg("a", 95))), "on_timer": lambda c, _: replacing(c)}
    )
    venue.start().accept("a")
    old = venue.order_id("a")
    venue.timer("t")
    if answer == "refusal first":
        venue.refuse_cancel(old)
    venue.fill(old)
    if answer == "fill first":
        venue.refuse_cancel(old)
    assert [own.quantity for own in venue.requests("a")] == [1, 2]
    assert venue.ledger.quantity == 1
    assert len(venue.wished(cmd.Cancel)) == 1


def test_the_word_canceled_is_final_only_with_all_its_fills() -> None:
    venue = ScriptedVenue(
        {"on_start": lambda c: c.enter(plan(leg("a", 95))), "on_timer": lambda c, _: replacing(c)}
    )
    venue.start().accept("a")
    old = venue.order_id("a")
    venue.timer("t")
    venue.cancel(old, filled="0.4")
    assert venue.order_id("a") == old
    assert len(venue.sent) == 1
    venue.fill(old, "0.4")
    assert venue.account.closed_orders[old].status is OrderStatus.CANCELED
    assert [own.quantity for own in venue.requests("a")] == [1, 2]
    assert venue.ledger.quantity == D("0.4")


def test_the_rest_goes_out_again_after_an_unasked_cancel_whose_fills_come_late() -> None:
    venue = ScriptedVenue(plan(leg("a", 95))).start()
    old = venue.order_id("a")
    venue.cancel(old, filled="0.4", code="venue_restart")
    venue.fill(old, "0.4")
    want = next(iter(venue.account.wants.values()))
    assert want.status is WantStatus.BLOCKED
    assert venue.strategy.said("on_order")[-1][0].what == "canceled"
    venue.timer(f"~retry:{want.id}")
    assert [own.quantity for own in venue.requests("a")] == [1, D("0.6")]
    venue.fill("a")
    assert venue.ledger.quantity == 1
    assert venue.told("plan_closed") == [(1, "completed")]


def test_a_rest_below_the_minimum_after_an_unasked_cancel_is_dust() -> None:
    venue = ScriptedVenue(plan(leg("a", 95))).start()
    venue.fill("a", "0.98")
    venue.cancel("a")
    assert venue.ended() == {"a": "rest_below_minimum"}
    assert venue.told("plan_closed") == [(1, "completed")]


def test_an_unasked_cancel_is_followed_after_a_back_off_that_doubles() -> None:
    venue = ScriptedVenue(plan(leg("a", 95))).start()
    delays = []
    for _ in range(9):
        venue.cancel("a", code="venue_restart")
        timer = venue.wished(cmd.SetTimer)[-1]
        delays.append((timer.due_ms - venue.now_ms) // 60_000)
        venue.now_ms = timer.due_ms
        venue.timer(timer.name)
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert len(venue.requests("a")) == 10


def test_a_cancel_refused_for_now_is_asked_again() -> None:
    venue = ScriptedVenue(
        {"on_start": lambda c: c.enter(plan(leg("a", 95))), "on_timer": lambda c, _: c.cancel("a")}
    )
    venue.start().accept("a")
    venue.timer("t")
    venue.refuse_cancel("a", "rate_limited")
    timer = venue.wished(cmd.SetTimer)[-1]
    venue.now_ms = timer.due_ms
    venue.timer(timer.name)
    assert len(venue.wished(cmd.Cancel)) == 2
    venue.cancel("a")
    assert venue.told("plan_closed") == [(1, "completed")]
    assert not venue.timer(timer.name)


def test_a_refused_cancel_is_no_evidence() -> None:
    venue = ScriptedVenue(
        {"on_start": lambda c: c.enter(plan(leg("a", 95))), "on_timer": lambda c, _: c.cancel("a")}
    )
    venue.start().accept("a")
    venue.timer("t")
    venue.refuse_cancel("a")
    assert venue.live("a") is not None
    assert venue.account.plans
    venue.fill("a")
    assert not venue.account.plans
    assert venue.ledger.quantity == 1


def test_a_fill_after_the_final_word_still_counts() -> None:
    venue = ScriptedVenue(
        {"on_start": lambda c: c.enter(plan(leg("a", 95))), "on_timer": lambda c, _: c.cancel("a")}
    )
    venue.start().accept("a")
    old = venue.order_id("a")
    venue.timer("t")
    venue.cancel("a")
    assert not venue.account.plans
    venue.fill(old, "0.3")
    assert venue.ledger.quantity == D("0.3")
    assert venue.ended() == {"a": "canceled_by_strategy"}


# -- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["insufficient_quote", "insufficient_base", "insufficient_margin"])
def test_a_want_without_funds_waits_for_the_next_fill(code: str) -> None:
    venue = ScriptedVenue(plan(leg("a", 95), leg("b", 94), start=("a", "b"))).start()
    venue.reject("a", code)
    assert venue.told("want_blocked") == [(1, code, "next fill")]
    assert venue.strategy.said("on_order")[0][0].reason == code
    venue.accept("b")
    assert len(venue.requests("a")) == 1
    venue.fill("b")
    assert len(venue.requests("a")) == 2


def test_a_post_only_order_that_would_cross_is_tried_again_later() -> None:
    venue = ScriptedVenue(plan(leg("a", 95, post_only=True))).start()
    venue.reject("a", "post_only_would_cross")
    timer = venue.wished(cmd.SetTimer)[-1]
    assert timer.due_ms == venue.now_ms + 60_000
    venue.timer(timer.name)
    assert len(venue.requests("a")) == 2
    assert not venue.timer(timer.name)


@pytest.mark.parametrize("code", ["order_too_small", "price_not_on_tick", "would_trigger", "anything"])
def test_any_other_refusal_ends_the_want_and_is_told(code: str) -> None:
    venue = ScriptedVenue(plan(leg("a", 95), leg("b", 94), start=("a", "b"))).start()
    venue.reject("a", code)
    assert venue.ended() == {"a": code}
    assert venue.strategy.said("on_order")[-1][0].reason == code
    venue.fill("b")
    assert len(venue.requests("a")) == 1


def test_a_reducing_order_without_a_position_is_over_without_alarm() -> None:
    taking = leg("tp", 110, 1, Side.SELL, purpose=Purpose.TAKE_PROFIT)
    venue = ScriptedVenue(plan(leg("a", 95), taking, start=("a", "tp"))).start()
    venue.reject("tp", "reduce_only_without_position")
    assert venue.ended() == {"tp": "already_flat"}


def test_an_order_that_has_traded_cannot_be_rejected() -> None:
    venue = ScriptedVenue(plan(leg("a", 95))).start()
    venue.fill("a", "0.5")
    venue.reject("a", "anything")
    assert venue.live("a") is not None
    venue.fill("a")
    assert venue.ledger.quantity == 1


def test_words_about_unknown_orders_change_nothing() -> None:
    venue = ScriptedVenue(plan(leg("a", 95))).start()
    before = len(venue.records)
    venue.step(ev.OrderAccepted(venue.now_ms, "sim-none-1", "v"))
    venue.step(ev.OrderRejected(venue.now_ms, "sim-none-1", "x"))
    venue.step(ev.OrderCanceled(venue.now_ms, "sim-none-1", D(0)))
    venue.step(ev.CancelRejected(venue.now_ms, "sim-none-1", "x"))
    venue.step(ev.OrderAmended(venue.now_ms, "sim-none-1", D(1), D(1)))
    venue.step(ev.AmendRejected(venue.now_ms, "sim-none-1", "x"))
    assert len(venue.records) == before


def test_a_fill_nobody_ordered_goes_to_the_house_once() -> None:
    venue = ScriptedVenue(plan(leg("a", 95))).start()
    venue.fill("a")
    foreign = ev.OrderFilled(
        venue.now_ms, "somebody-1", "f1", venue.symbol, Side.SELL, D(99), D(3), D("0.2"), Liquidity.TAKER
    )
    venue.step(foreign)
    venue.step(foreign)
    assert venue.ledger.quantity == 1
    assert venue.account.ledger("", venue.symbol).quantity == -3
    assert venue.account.net_quantity(venue.symbol) == -2


def test_what_somebody_adds_by_hand_is_no_liquidation() -> None:
    """It has no id, as a liquidation; but that makes a position smaller."""
    venue = ScriptedVenue(plan(leg("a", 95))).start()
    venue.fill("a")
    how = (venue.symbol, Side.BUY, D(99), D(3), D("0.2"), Liquidity.TAKER)
    venue.step(ev.OrderFilled(venue.now_ms, "", "f1", *how))
    assert venue.ledger.quantity == 1
    assert venue.account.ledger("", venue.symbol).quantity == 3
    assert not [record for record in venue.records if record[0] == "noted" and record[3] == "exit_begun"]
    taken = (venue.symbol, Side.SELL, D(90), D(1), D("0.2"), Liquidity.TAKER)
    venue.step(ev.OrderFilled(venue.now_ms, "", "f2", *taken))
    assert (venue.ledger.quantity, venue.account.ledger("", venue.symbol).quantity) == (0, 3)


def test_what_somebody_takes_beyond_what_a_bot_holds_is_not_the_bots() -> None:
    venue = ScriptedVenue(plan(leg("a", 95))).start()
    venue.fill("a")
    how = (venue.symbol, Side.SELL, D(90), D(3), D("0.2"), Liquidity.TAKER)
    venue.step(ev.OrderFilled(venue.now_ms, "", "f1", *how))
    house = venue.account.ledger("", venue.symbol)
    assert (venue.ledger.quantity, house.quantity, house.average_price) == (0, -2, 90)
    assert venue.ledger.realized_pnl == -5
    assert venue.strategy.said("on_closed")[-1] == ("liquidation",)


def test_an_exit_ends_when_others_have_closed_what_it_was_to_close() -> None:
    leaves = {
        "on_start": lambda context: context.enter(plan(leg("a", 95))),
        "on_timer": lambda context, _: context.exit("over"),
    }
    venue = ScriptedVenue(leaves).start()
    venue.fill("a")
    venue.timer("t")
    venue.reject("exit", "reduce_only_without_position")  # The exchange knows already; its fill is late.
    assert venue.told("noted")[-1][1:] == ("exit_begun", "over")
    how = (venue.symbol, Side.SELL, D(90), D(1), D("0.2"), Liquidity.TAKER)
    venue.step(ev.OrderFilled(venue.now_ms, "", "f1", *how))
    assert venue.ledger.quantity == 0
    assert venue.told("noted")[-1][1:] == ("exit_done", "over")


# -- following ----------------------------------------------------------------------------------------------


def test_a_take_profit_follows_average_and_position_at_each_fill() -> None:
    taking = Leg("tp", "tp", Side.SELL, Purpose.TAKE_PROFIT, Held(), AverageTimes(D("1.1")), closes=True)
    legs = (leg("base", 100, purpose=Purpose.ENTRY, then=("tp", "more")), leg("more", 80, 3), taking)
    venue = ScriptedVenue(plan(*legs)).start()
    venue.fill("base")
    assert (venue.requests("tp")[0].price, venue.requests("tp")[0].quantity) == (D(110), D(1))
    venue.accept("tp")
    venue.fill("more", 1)
    change = venue.wished(cmd.Amend)[-1].amendment
    assert (change.price, change.quantity) == (99, 2)
    venue.amend("tp")
    venue.fill("more", 2)
    change = venue.wished(cmd.Amend)[-1].amendment
    assert (change.price, change.quantity) == (D("93.5"), 4)
    venue.amend("tp")
    venue.fill("tp", "1.5")
    assert venue.wished(cmd.Amend)[-1].amendment is change
    venue.fill("tp")
    assert venue.ledger.quantity == 0
    assert not venue.account.plans
    assert venue.strategy.said("on_closed") == [("take_profit",)]


def test_a_half_of_the_position_stays_a_half_however_its_fills_are_split() -> None:
    half = Leg("half", "half", Side.SELL, Purpose.EXIT, Held(D("0.5")), At(D(110)))
    venue = ScriptedVenue(plan(leg("a", 95, 4, then=("half",)), half)).start()
    venue.fill("a")
    venue.fill("half", "0.5")
    venue.fill("half", "0.5")
    venue.fill("half", "1")
    assert venue.ledger.quantity == 2
    assert not venue.account.plans


def test_what_was_to_close_a_position_ends_with_the_position() -> None:
    taking = Leg("tp", "tp", Side.SELL, Purpose.TAKE_PROFIT, Held(), At(D(110)))
    closing = leg("out", 105, 1, Side.SELL, purpose=Purpose.EXIT)
    venue = ScriptedVenue(plan(leg("a", 95, then=("tp", "out")), taking, closing)).start()
    venue.fill("a")
    venue.accept("tp")
    venue.fill("out")
    assert venue.ended() == {"tp": "already_flat"}
    venue.cancel("tp")
    assert venue.told("plan_closed") == [(1, "completed")]


def test_a_fill_of_the_old_quantity_while_an_amendment_shrinks_it_spends_the_want_once() -> None:
    taking = Leg("tp", "tp", Side.SELL, Purpose.TAKE_PROFIT, Held(), At(D(110)), then=("again",))
    again = leg("again", 90, 1)
    legs = (
        leg("a", 95, 2, then=("tp", "out")),
        taking,
        leg("out", 105, 1, Side.SELL, purpose=Purpose.EXIT),
        again,
    )
    venue = ScriptedVenue(plan(*legs)).start()
    venue.fill("a")
    venue.fill("out")
    assert venue.wished(cmd.Amend)[-1].amendment.quantity == 1
    venue.fill("tp", 1)
    assert len(venue.requests("again")) == 1
    assert venue.wished(cmd.Cancel)[-1].client_order_id == venue.order_id("tp")
    venue.fill("tp", 1)
    assert len(venue.requests("again")) == 1
    assert venue.ledger.quantity == -1


def test_a_fill_while_an_amendment_grows_the_order_is_followed_by_the_rest() -> None:
    taking = Leg("tp", "tp", Side.SELL, Purpose.TAKE_PROFIT, Held(), At(D(110)))
    venue = ScriptedVenue(plan(leg("a", 95, then=("tp", "b")), taking, leg("b", 90, 1))).start()
    venue.fill("a")
    venue.fill("b")
    venue.fill("tp", 1)
    venue.refuse_amend(venue.requests("tp")[0].client_order_id, "order_not_open")
    assert [own.quantity for own in venue.requests("tp")] == [1, 1]
    venue.fill("tp")
    assert venue.ledger.quantity == 0
    assert not venue.account.plans


def test_a_refused_amendment_is_made_good_by_a_new_order() -> None:
    taking = Leg("tp", "tp", Side.SELL, Purpose.TAKE_PROFIT, Held(), At(D(110)))
    venue = ScriptedVenue(plan(leg("a", 95, then=("tp", "b")), taking, leg("b", 90, 1))).start()
    venue.fill("a")
    venue.accept("tp")
    venue.fill("b")
    venue.refuse_amend("tp", "not_modifiable")
    assert venue.wished(cmd.Cancel)[-1].client_order_id == venue.order_id("tp")
    venue.cancel("tp")
    assert [own.quantity for own in venue.requests("tp")] == [1, 2]


@pytest.mark.parametrize(("price", "expected"), [(FillTimes(D("1.1")), D("105")), (At(D(97)), D(97))])
def test_a_counter_takes_what_was_filled_at_a_price_from_the_fill(price: Any, expected: Decimal) -> None:
    back = Leg("out", "out", Side.SELL, Purpose.TAKE_PROFIT, Filled(), price)
    venue = ScriptedVenue(plan(leg("a", 95, 2, then=("out",)), back)).start()
    venue.fill("a", 1, 94)
    venue.fill("a", 1, 96)
    request = venue.requests("out")[0]
    assert request.quantity == 2
    assert request.price == (expected if isinstance(price, At) else D("104.5"))


def test_spot_orders_are_never_reduce_only() -> None:
    taking = Leg("tp", "tp", Side.SELL, Purpose.TAKE_PROFIT, Held(), At(D(110)))
    venue = ScriptedVenue(plan(leg("a", 95, then=("tp",)), taking), SPOT).start()
    venue.fill("a")
    assert not venue.requests("tp")[0].reduce_only


def test_only_the_stop_of_the_position_closes_all_of_it() -> None:
    part = Leg("part", "part", Side.SELL, Purpose.STOP_LOSS, Held(D("0.5")), At(D(90)), is_stop=True)
    venue = ScriptedVenue(plan(leg("a", 95, 2, then=("part",)), part)).start()
    venue.fill("a")
    request = venue.requests("part")[0]
    assert (request.reduce_only, request.closes_position, request.quantity) == (True, False, D(1))


def test_funding_is_shared_by_what_each_ledger_holds() -> None:
    venue = ScriptedVenue(plan(leg("a", 95, 3))).start()
    venue.fill("a")
    house = venue.account.ledger("", venue.symbol)
    house.position.apply(D(6), D(95))
    venue.step(ev.FundingPaid(venue.now_ms, venue.symbol, D("-1.00")))
    assert venue.ledger.funding + house.funding == D("-1.00")
    assert abs(venue.ledger.funding - D("-1.00") / 3) < D("1e-11")
    assert venue.told("funding_booked")[0][0] == BOT
