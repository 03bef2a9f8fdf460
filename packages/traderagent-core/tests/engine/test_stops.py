"""Protective stops in each way of holding them, and exits."""

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from traderagent_core.engine.setup import Limits
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.order import Liquidity, OrderStatus, OrderType, Purpose, Side
from traderagent_core.model.plan import At, AverageTimes, Fixed, Held, Leg, Plan, Stop, Trail
from traderagent_core.testing.scripted import LINEAR, SPOT, ScriptedVenue

D = Decimal
STOP = "~stop"
TRAIL = "~trail"
TIGHT = Stop(At(D(90)))


def plan(*legs: Leg, stop: Stop | None = TIGHT, name: str = "plan", start: tuple[str, ...] = ()) -> Plan:
    return Plan(name, legs, start or (legs[0].name,), stop)


def entry(name: str = "in", price: Any = 100, quantity: Any = 2, side: Side = Side.BUY, **more: Any) -> Leg:
    rule = None if price is None else At(D(price))
    slot, purpose = more.pop("slot", name), more.pop("purpose", Purpose.ENTRY)
    return Leg(name, slot, side, purpose, Fixed(D(quantity)), rule, **more)


def watches(venue: ScriptedVenue, name: str = STOP) -> list[Any]:
    return [(own.price, own.is_above) for own in venue.wished(cmd.Watch) if own.name == name]


# -- held by the engine -------------------------------------------------------------------------------------


def test_an_engine_stop_is_a_watch_and_closes_at_the_market_when_crossed() -> None:
    venue = ScriptedVenue(plan(entry(), entry("more", 95), start=("in", "more"))).start()
    assert not watches(venue)
    venue.fill("in", "0.5")
    assert watches(venue) == [(90, False)]
    venue.fill("in")
    assert len(watches(venue)) == 1
    venue.accept("more")
    venue.watch(STOP, 89)
    assert venue.wished(cmd.Cancel)[-1].client_order_id == venue.order_id("more")
    assert not venue.requests("exit"), "the exit waits for the cancellation"
    venue.cancel("more")
    request = venue.requests("exit")[0]
    assert (request.type, request.quantity, request.side) == (OrderType.MARKET, D(2), Side.SELL)
    venue.fill("exit")
    assert venue.ledger.quantity == 0
    assert venue.strategy.said("on_closed") == [("stop_loss",)]
    assert not venue.account.plans


def test_an_exit_closes_what_a_lost_race_has_added_too() -> None:
    venue = ScriptedVenue(plan(entry(), entry("more", 95, 3), start=("in", "more"))).start()
    venue.fill("in")
    venue.watch(STOP, 89)
    venue.refuse_cancel("more")
    assert not venue.requests("exit")
    venue.fill("more")
    assert venue.requests("exit")[0].quantity == 5
    venue.fill("exit", 2)
    venue.fill("exit")
    assert venue.ledger.quantity == 0
    assert len(venue.requests("exit")) == 1


def test_parts_of_an_exit_do_not_arm_the_stop_again() -> None:
    venue = ScriptedVenue(plan(entry())).start()
    venue.fill("in")
    venue.watch(STOP, 89)
    venue.fill("exit", 1)
    venue.fill("exit")
    assert len(watches(venue)) == 1


@pytest.mark.parametrize("code", ["insufficient_base", "order_too_small", "rate_limited", "anything"])
def test_a_refused_exit_is_tried_again_but_not_at_once(code: str) -> None:
    venue = ScriptedVenue(plan(entry())).start()
    venue.fill("in")
    venue.watch(STOP, 89)
    venue.reject("exit", code)
    assert len(venue.requests("exit")) == 1
    timer = venue.wished(cmd.SetTimer)[-1]
    venue.now_ms = timer.due_ms
    venue.timer(timer.name)
    assert len(venue.requests("exit")) == 2
    venue.fill("exit")
    assert venue.strategy.said("on_closed")[-1] == ("stop_loss",)


def test_an_exit_that_is_refused_again_and_again_never_waits_longer_than_eight_seconds() -> None:
    venue = ScriptedVenue(plan(entry())).start()
    venue.fill("in")
    venue.watch(STOP, 89)
    delays = []
    for _ in range(6):
        venue.reject("exit", "rate_limited")
        timer = venue.wished(cmd.SetTimer)[-1]
        delays.append((timer.due_ms - venue.now_ms) // 1_000)
        venue.now_ms = timer.due_ms
        venue.timer(timer.name)
    assert delays == [1, 2, 4, 8, 8, 8]


def test_late_news_of_a_stop_that_was_dropped_closes_nothing() -> None:
    venue = ScriptedVenue(
        {"on_start": lambda c: c.enter(plan(entry())), "on_timer": lambda c, _: c.exit("enough")}
    ).start()
    venue.fill("in")
    venue.timer("t")
    venue.fill("exit")
    before = len(venue.records)
    venue.watch(STOP, 89)
    assert len(venue.records) == before


def test_the_average_stop_moves_with_the_average_and_late_news_of_the_old_one_is_ignored() -> None:
    venue = ScriptedVenue(
        plan(entry(), entry("more", 90), stop=Stop(AverageTimes(D("0.9"))), start=("in", "more"))
    )
    venue.start().fill("in")
    assert watches(venue)[-1] == (90, False)
    venue.fill("more")
    assert watches(venue)[-1] == (D("85.5"), False)
    venue.watch(STOP, 89)
    assert not venue.requests("exit")
    venue.watch(STOP, D("85.5"))
    assert venue.requests("exit")


def test_the_tightest_of_plan_stop_and_limit_holds() -> None:
    limits = Limits(stop_loss_ratio=D("0.05"))
    venue = ScriptedVenue(plan(entry()), limits=limits).start()
    venue.fill("in")
    assert watches(venue) == [(95, False)]
    short = ScriptedVenue(plan(entry(side=Side.SELL), stop=Stop(None, At(D(103)))), limits=limits).start()
    short.fill("in")
    assert watches(short) == [(103, True)]


def test_a_position_that_turns_round_gets_the_stop_of_its_new_side() -> None:
    rule = Stop(At(D(90)), At(D(110)), Trail(D("0.05"), D("0.02")))
    venue = ScriptedVenue(
        plan(entry(), entry("turn", 104, 5, Side.SELL), stop=rule, start=("in", "turn"))
    ).start()
    venue.fill("in")
    venue.watch(TRAIL, 106)
    assert watches(venue)[-1] == (D("103.5"), False)
    venue.fill("turn")
    assert watches(venue)[-1] == (110, True)
    assert venue.member.stop.is_trailing is False


def test_a_side_without_a_stop_keeps_none_of_the_other_side() -> None:
    venue = ScriptedVenue(plan(entry(), entry("turn", 104, 5, Side.SELL), start=("in", "turn"))).start()
    venue.fill("in")
    venue.fill("turn")
    assert venue.wished(cmd.Unwatch)
    venue.watch(STOP, 89)
    assert not venue.requests("exit")


def test_a_later_plan_without_a_stop_does_not_inherit_one() -> None:
    plans = [plan(entry()), plan(entry("next"), stop=None, name="next")]
    venue = ScriptedVenue(
        {
            "on_start": lambda c: c.enter(plans[0]),
            "on_closed": lambda c, reason: c.enter(plans[1]) if reason == "stop_loss" else None,
        }
    ).start()
    venue.fill("in")
    venue.watch(STOP, 89)
    venue.fill("exit")
    before = len(watches(venue))
    venue.fill("next")
    assert venue.ledger.quantity == 2
    assert len(watches(venue)) == before


# -- resting ------------------------------------------------------------------------------------------------


def test_a_resting_stop_is_one_order_that_closes_all_and_follows_the_position() -> None:
    venue = ScriptedVenue(plan(entry(), entry("more", 95), start=("in", "more")), placement="resting").start()
    venue.fill("in")
    request = venue.requests("stop")[0]
    assert (request.type, request.price, request.side) == (OrderType.STOP, D(90), Side.SELL)
    assert request.reduce_only
    assert request.closes_position
    venue.accept("stop")
    venue.fill("more")
    assert venue.wished(cmd.Amend)[-1].amendment.quantity == 4
    venue.amend("stop")
    venue.fill("stop", 4, 89)
    assert venue.ledger.quantity == 0
    assert len(venue.requests("stop")) == 1
    assert venue.strategy.said("on_closed")[-1] == ("stop_loss",)
    assert not venue.account.orders


def test_a_resting_stop_ends_with_the_position() -> None:
    out = Leg("out", "out", Side.SELL, Purpose.TAKE_PROFIT, Held(), At(D(110)))
    venue = ScriptedVenue(plan(entry(then=("out",)), out), placement="resting").start()
    venue.fill("in")
    venue.accept("stop")
    venue.fill("out")
    assert venue.wished(cmd.Cancel)[-1].client_order_id == venue.order_id("stop")
    venue.cancel("stop")
    assert not venue.account.plans


def test_a_resting_stop_refused_because_the_price_is_past_it_closes_at_once() -> None:
    venue = ScriptedVenue(plan(entry()), placement="resting").start()
    venue.fill("in")
    venue.reject("stop", "would_trigger")
    assert venue.requests("exit")[0].quantity == 2
    venue.fill("exit")
    assert not venue.account.plans


@pytest.mark.parametrize("how", ["rejected", "canceled", "amend refused"])
def test_the_engine_watches_for_a_stop_that_is_not_there(how: str) -> None:
    venue = ScriptedVenue(plan(entry(), entry("more", 95), start=("in", "more")), placement="resting").start()
    venue.fill("in")
    if how == "rejected":
        venue.reject("stop", "conditional_orders_full")
    elif how == "canceled":
        venue.accept("stop")
        venue.cancel("stop", code="venue_restart")
    else:
        venue.accept("stop")
        venue.fill("more")
        venue.refuse_amend("stop", "not_modifiable")
        venue.cancel("stop")
    assert watches(venue) == [(90, False)]
    if how != "amend refused":
        timer = venue.wished(cmd.SetTimer)[-1]
        venue.timer(timer.name)
    assert len(venue.requests("stop")) == 2
    venue.accept("stop")
    assert venue.wished(cmd.Unwatch)[-1].name == STOP
    venue.watch(STOP, 89)
    assert not venue.requests("exit")


def refuse_stop(venue: ScriptedVenue, times: int) -> None:
    for _ in range(times):
        venue.reject("stop", "conditional_orders_full")
        if venue.wished(cmd.SetTimer) and not venue.requests("exit"):
            venue.timer(venue.wished(cmd.SetTimer)[-1].name)


def test_a_stop_that_is_refused_three_times_closes_the_position_and_pauses_the_bot() -> None:
    venue = ScriptedVenue(plan(entry()), placement="resting").start()
    venue.fill("in")
    refuse_stop(venue, 2)
    assert not venue.requests("exit")
    refuse_stop(venue, 1)
    (request,) = venue.requests("exit")
    assert (request.type, request.quantity, request.reduce_only) == (OrderType.MARKET, 2, True)
    assert len(venue.requests("stop")) == 3
    assert watches(venue)[-1] == (90, False), "the price is watched until the position is closed"
    venue.fill("exit")
    assert not venue.account.plans
    assert (venue.ledger.quantity, venue.member.is_paused) == (0, True)


def test_refusals_of_a_stop_count_from_the_last_one_that_was_accepted() -> None:
    venue = ScriptedVenue(plan(entry()), placement="resting").start()
    venue.fill("in")
    refuse_stop(venue, 2)
    venue.accept("stop")
    venue.cancel("stop", code="venue_restart")
    venue.timer(venue.wished(cmd.SetTimer)[-1].name)
    refuse_stop(venue, 2)
    assert not venue.requests("exit")
    refuse_stop(venue, 1)
    assert venue.requests("exit")


def test_while_the_stop_is_not_there_the_watch_closes_the_position() -> None:
    venue = ScriptedVenue(plan(entry()), placement="resting").start()
    venue.fill("in")
    venue.reject("stop", "anything")
    venue.watch(STOP, 90)
    assert venue.requests("exit")[0].quantity == 2
    venue.fill("exit")
    assert not venue.account.plans
    assert not venue.timer("~retry:2")


def test_a_stop_filled_in_parts_beyond_its_known_size_leaves_nothing() -> None:
    venue = ScriptedVenue(
        plan(entry(), entry("more", 95, 3), start=("in", "more")), placement="resting"
    ).start()
    venue.fill("in")
    venue.accept("stop")
    venue.fill("more", 2)
    venue.fill("stop", 2)
    venue.fill(venue.requests("stop")[0].client_order_id, 2)
    venue.cancel("more")
    if venue.live("exit") is not None:
        venue.reject("exit", "reduce_only_without_position")
    assert venue.ledger.quantity == 0
    assert not venue.account.plans
    assert venue.strategy.said("on_closed") == [("stop_loss",)]


def test_a_stop_that_has_traded_more_than_it_was_sent_with_is_not_over_while_something_is_held() -> None:
    venue = ScriptedVenue(
        plan(entry(), entry("more", 95, 3), start=("in", "more")), placement="resting"
    ).start()
    venue.fill("in")
    venue.accept("stop")
    venue.fill("more")
    stop = venue.order_id("stop")
    venue.fill(stop, "2.5")
    assert stop in venue.account.orders, (
        "the news that it was amended was lost, and parts of it are still to come"
    )
    venue.fill(stop, "2.5")
    assert venue.ledger.quantity == 0
    assert not venue.account.orders
    assert venue.strategy.said("on_closed")[-1] == ("stop_loss",)


def turned_round(**setup: Any) -> ScriptedVenue:
    """Others have made a position smaller, and a sale that was withdrawn has traded: what is held has no stop."""
    sale = entry("sale", 104, 2, Side.SELL)
    venue = ScriptedVenue(
        plan(entry(), sale, entry("low", 50), start=("in", "sale", "low")), placement="resting", **setup
    ).start()
    venue.fill("in")
    venue.accept("stop")
    venue.step(
        ev.OrderFilled(
            venue.now_ms, "", "adl-1", venue.symbol, Side.SELL, D(100), D(1), D(0), Liquidity.TAKER
        )
    )
    venue.fill("sale")
    return venue


def test_what_has_turned_round_in_an_exit_does_not_wait_for_orders_of_unknown_end() -> None:
    venue = turned_round()
    assert venue.ledger.quantity == -1
    assert venue.live("low") is not None
    assert venue.wished_timer("~naked") - venue.now_ms == 5_000
    venue.timer("~naked")
    request = venue.requests("exit")[0]
    assert (request.side, request.quantity, request.reduce_only) == (Side.BUY, 1, True)
    venue.timer("~naked")
    assert len(venue.requests("exit")) == 1
    venue.fill("exit")
    assert not venue.strategy.said("on_closed"), "the exit ends with the last order"
    venue.cancel("low")
    venue.cancel("stop")
    assert venue.strategy.said("on_closed") == [("liquidation",)]
    assert not venue.account.plans


def test_a_passed_stop_does_not_wait_for_orders_of_unknown_end() -> None:
    venue = ScriptedVenue(plan(entry(), entry("low", 50), start=("in", "low"))).start()
    venue.fill("in")
    venue.watch(STOP, 89)
    assert venue.wished_timer("~naked") - venue.now_ms == 5_000
    venue.timer("~naked")
    assert venue.requests("exit")[0].quantity == 2


def test_while_its_stop_rests_an_exit_waits_for_its_orders() -> None:
    legs = plan(entry(), entry("low", 50), start=("in", "low"))
    leaves = {"on_start": lambda c: c.enter(legs), "on_timer": lambda c, _: c.exit("over")}
    venue = ScriptedVenue(leaves, placement="resting").start()
    venue.fill("in")
    venue.accept("stop")
    venue.timer("t")
    venue.timer("~naked")
    assert not venue.requests("exit")


def test_what_late_news_puts_right_in_an_exit_is_not_closed() -> None:
    venue = turned_round()
    venue.fill("low", 1)
    venue.timer("~naked")
    assert not venue.requests("exit")


def test_a_stop_fill_that_overtakes_an_entry_fill_is_followed_by_an_exit_of_nothing() -> None:
    venue = ScriptedVenue(
        plan(entry(), entry("more", 95, 3), start=("in", "more")), placement="resting"
    ).start()
    venue.fill("in")
    venue.accept("stop")
    venue.fill("stop", 5)
    assert venue.ledger.quantity == -3
    venue.refuse_cancel("more")
    venue.fill("more")
    assert venue.ledger.quantity == 0
    assert not venue.account.plans
    assert not venue.account.orders


SMALL = evolve(LINEAR, max_quantity=D(3), max_market_quantity=D(2))


def test_an_exit_above_the_largest_order_goes_out_in_parts() -> None:
    venue = ScriptedVenue(plan(entry(quantity=5)), placement="engine", instrument=SMALL).start()
    venue.fill("in")
    venue.fill("in")
    assert [request.quantity for request in venue.requests("in")] == [3, 2]
    venue.watch(STOP, 89)
    for held in (3, 1, 0):
        venue.fill("exit")
        assert venue.ledger.quantity == held
    assert [request.quantity for request in venue.requests("exit")] == [2, 2, 1]


def test_the_order_of_a_stop_closes_more_than_the_largest_order() -> None:
    venue = ScriptedVenue(plan(entry(quantity=5)), placement="resting", instrument=SMALL).start()
    venue.fill("in")
    assert [request.quantity for request in venue.requests("stop")] == [3]
    venue.accept("stop")
    venue.fill("in")
    assert venue.wished(cmd.Amend)[-1].amendment.quantity == 5


# -- attached -----------------------------------------------------------------------------------------------


def test_an_attached_stop_travels_with_its_entry() -> None:
    venue = ScriptedVenue(plan(entry()), placement="attached").start()
    attached = venue.requests("in")[0].attached_stop
    assert attached is not None
    assert attached.price == 90
    assert attached.client_order_id == venue.order_id("stop")
    assert not venue.requests("stop")
    venue.fill("in")
    venue.accept("stop")
    assert not venue.requests("stop")
    venue.fill("stop", 2, 89)
    assert venue.ledger.quantity == 0
    assert not venue.account.plans


def test_an_attached_stop_whose_entries_never_fill_is_never_accepted() -> None:
    venue = ScriptedVenue(
        plan(entry(), entry("more", 95), start=("in", "more")), placement="attached"
    ).start()
    stop_id = venue.order_id("stop")
    assert venue.requests("more")[0].attached_stop is not None
    venue.reject("in", "anything")
    assert venue.live("stop") is not None
    venue.accept("more")
    venue.operator("stop")
    venue.cancel("more")
    assert venue.account.closed_orders[stop_id].status is OrderStatus.NEVER_ACCEPTED
    assert not venue.account.plans
    assert not venue.account.orders


def test_the_next_entry_after_that_brings_a_new_stop() -> None:
    plans = [plan(entry()), plan(entry("next"), name="next")]
    venue = ScriptedVenue(
        {"on_start": lambda c: c.enter(plans[0]), "on_closed": lambda c, _: c.enter(plans[1])},
        placement="attached",
    ).start()
    first = venue.order_id("stop")
    venue.reject("in", "anything")
    second = venue.requests("next")[0].attached_stop
    assert second is not None
    assert second.client_order_id != first


def test_an_entry_that_waited_for_its_slot_brings_its_stop_too() -> None:
    plans = [plan(entry("a", slot="in"), stop=None), plan(entry("b", 99, slot="in"), name="next")]
    venue = ScriptedVenue(
        {"on_start": lambda c: c.enter(plans[0]), "on_timer": lambda c, _: c.enter(plans[1])},
        placement="attached",
    ).start()
    venue.accept("in")
    old = venue.order_id("in")
    venue.timer("t")
    venue.cancel(old)
    assert venue.requests("in")[1].attached_stop is not None


def test_an_attached_stop_given_up_too_early_is_cancelled_when_it_comes() -> None:
    out = Leg("out", "out", Side.SELL, Purpose.EXIT, Held(), None)
    venue = ScriptedVenue(plan(entry(then=("out",)), out), placement="attached").start()
    stop_id = venue.order_id("stop")
    venue.fill("in")
    venue.fill("out")
    assert venue.ledger.quantity == 0
    venue.accept(stop_id)
    assert venue.wished(cmd.Cancel)[-1].client_order_id == stop_id
    venue.cancel(stop_id)
    assert not venue.account.orders


def test_an_attached_stop_moves_to_where_the_fill_wants_it_with_the_whole_quantity() -> None:
    venue = ScriptedVenue(plan(entry(), stop=Stop(AverageTimes(D("0.9")))), placement="attached").start()
    venue.fill("in", price=95)
    change = venue.wished(cmd.Amend)[0].amendment
    assert (change.price, change.quantity) == (D("85.5"), D(2))


def test_a_market_entry_into_a_position_carries_no_second_stop() -> None:
    venue = ScriptedVenue(plan(entry(then=("more",)), entry("more", None)), placement="attached").start()
    venue.fill("in")
    assert venue.requests("more")[0].attached_stop is None


@pytest.mark.parametrize("side", Side)
def test_an_order_beyond_the_common_stop_carries_none(side: Side) -> None:
    """It would be refused; what it adds to has the stop."""
    prices = (100, 96, 95, 94) if side is Side.BUY else (100, 104, 105, 106)
    legs = [entry(f"in{price}", price, side=side) for price in prices]
    tight = Stop(AverageTimes(D("0.95")), AverageTimes(D("1.05")))
    start = tuple(leg.name for leg in legs)
    venue = ScriptedVenue(plan(*legs, stop=tight, start=start), placement="attached").start()
    carries = [venue.requests(name)[0].attached_stop is not None for name in start]
    assert carries == [True, True, False, False]


def test_a_stop_is_moved_again_after_each_entry_that_brought_it_back_to_the_price_it_carried() -> None:
    """The venue takes the price from each order that carries one, when it trades."""
    plans = [
        plan(entry(), entry("more", 95), stop=Stop(At(D(85))), start=("in", "more")),
        plan(entry("next", 99), stop=TIGHT, name="next"),
    ]
    venue = ScriptedVenue(
        {"on_start": lambda c: c.enter(plans[0]), "on_timer": lambda c, _: c.enter(plans[1])},
        placement="attached",
    ).start()
    venue.fill("in")
    venue.accept("stop")
    venue.timer("t")
    for part, held in (("0.5", "2.5"), (None, "4")):
        venue.fill("more", part)
        (change,) = [own.amendment for own in venue.wished(cmd.Amend)[-1:]]
        assert (change.price, change.quantity) == (90, D(held))


# -- trailing -----------------------------------------------------------------------------------------------


def trailing(placement: str, side: Side = Side.BUY) -> ScriptedVenue:
    rule = Stop(At(D(90)), At(D(110)), Trail(D("0.05"), D("0.02"), D("0.01"), 60_000))
    venue = ScriptedVenue(plan(entry(side=side), stop=rule), placement=placement).start()
    venue.fill("in")
    if placement == "resting":
        venue.accept("stop")
    venue.now_ms += 3_600_000
    return venue


def test_a_trail_is_a_chain_of_watches_that_only_tightens() -> None:
    venue = trailing("engine")
    assert watches(venue, TRAIL) == [(105, True)]
    stops = []
    # The next level is 1 % further, up to the tick.
    for price, level in ((105, "106.5"), (107, "108.5"), (109, "110.5"), (120, "121.5")):
        venue.watch(TRAIL, price)
        venue.now_ms += 60_000
        stops.append(watches(venue)[-1][0])
        assert watches(venue, TRAIL)[-1][0] == D(level)
    assert stops == [D("102.5"), D("104.5"), D("106.5"), D("117.5")]
    venue.watch(TRAIL, 115)
    assert watches(venue)[-1][0] == D("117.5")


def test_a_short_trail_mirrors_a_long_one() -> None:
    venue = trailing("engine", Side.SELL)
    assert watches(venue, TRAIL) == [(95, False)]
    venue.watch(TRAIL, 95)
    assert watches(venue)[-1] == (97, True)
    venue.now_ms += 60_000
    venue.watch(TRAIL, 90)
    assert watches(venue)[-1] == (92, True)


def test_a_resting_stop_is_amended_by_the_trail_not_sooner_than_its_interval() -> None:
    venue = trailing("resting")
    venue.watch(TRAIL, 105)
    assert venue.wished(cmd.Amend)[-1].amendment.price == D("102.5")
    venue.amend("stop")
    venue.now_ms += 10_000
    venue.watch(TRAIL, 107)
    venue.watch(TRAIL, 109)
    assert len(venue.wished(cmd.Amend)) == 1
    timer = venue.wished(cmd.SetTimer)[-1]
    assert timer.name == TRAIL
    assert timer.due_ms == venue.now_ms + 50_000
    venue.now_ms = timer.due_ms
    venue.timer(TRAIL)
    assert venue.wished(cmd.Amend)[-1].amendment.price == D("106.5")
    assert len(venue.wished(cmd.SetTimer)) == 1


def test_a_stop_amendment_the_price_has_passed_closes_at_once() -> None:
    venue = trailing("resting")
    venue.watch(TRAIL, 105)
    venue.refuse_amend("stop", "would_trigger")
    assert venue.requests("exit")[0].quantity == 2


def test_a_trail_ends_with_its_position() -> None:
    venue = trailing("engine")
    venue.watch(TRAIL, 105)
    venue.watch(STOP, 100)
    venue.fill("exit")
    assert {own.name for own in venue.wished(cmd.Unwatch)} == {TRAIL}
    before = len(venue.records)
    venue.watch(TRAIL, 106)
    venue.timer(TRAIL)
    assert len(venue.records) == before


# -- exits --------------------------------------------------------------------------------------------------


def test_a_leg_that_closes_ends_its_plan_and_the_position() -> None:
    out = Leg("out", "out", Side.SELL, Purpose.TAKE_PROFIT, Fixed(D(1)), At(D(110)), closes=True)
    legs = (entry(then=("out", "more")), entry("more", 95), out)
    venue = ScriptedVenue(plan(*legs, stop=None)).start()
    venue.fill("in")
    venue.fill("out")
    venue.cancel("more")
    assert venue.requests("exit")[0].quantity == 1
    venue.fill("exit")
    assert venue.strategy.said("on_closed") == [("take_profit",)]


@pytest.mark.parametrize("reason", ["", None, "enough"])
def test_an_exit_without_a_reason_is_an_exit_too(reason: Any) -> None:
    venue = ScriptedVenue(
        {"on_start": lambda c: c.enter(plan(entry())), "on_timer": lambda c, _: c.exit(reason)}
    ).start()
    venue.fill("in")
    venue.timer("t")
    venue.fill("exit")
    assert [kind for _, kind, _ in venue.told("noted")][-2:] == ["exit_begun", "exit_done"]
    assert venue.strategy.said("on_closed")[-1] == (reason or "exit",)
    assert venue.wished(cmd.Unwatch)
    assert all(record[1] for record in venue.told("plan_closed"))


def test_withdrawing_keeps_the_position_and_its_stop() -> None:
    venue = ScriptedVenue(
        {
            "on_start": lambda c: c.enter(plan(entry(), entry("more", 95), start=("in", "more"))),
            "on_timer": lambda c, _: c.withdraw(""),
        }
    ).start()
    venue.fill("in")
    venue.timer("t")
    venue.cancel("more")
    assert venue.ledger.quantity == 2
    assert venue.member.stop.watched == 90
    assert venue.strategy.said("on_closed")
    venue.watch(STOP, 89)
    venue.fill("exit")
    assert venue.ledger.quantity == 0


def test_a_leg_placed_during_an_exit_does_not_hold_it_up() -> None:
    taking = Leg("tp", "tp", Side.SELL, Purpose.TAKE_PROFIT, Held(), At(D(120)))
    legs = (entry(), entry("more", 95))
    venue = ScriptedVenue(
        {
            "on_start": lambda c: c.enter(plan(*legs, start=("in", "more"))),
            "on_watch": lambda c, _: c.exit("enough"),
            "on_timer": lambda c, _: c.place(taking),
        }
    ).start()
    venue.fill("in")
    venue.watch("w", 99)
    venue.timer("t")
    venue.cancel("more")
    assert venue.requests("exit"), "the exit is not held up"
    venue.fill("exit")
    assert venue.strategy.said("on_closed") == [("enough",)]
    assert not venue.account.plans


def test_what_is_left_below_the_minimum_ends_the_exit_as_dust() -> None:
    venue = ScriptedVenue(plan(entry()), SPOT).start()
    venue.fill("in", "0.04")
    venue.cancel("in")
    venue.watch(STOP, 89)
    assert not venue.requests("exit")
    assert ("bot", "rest_below_minimum", "quantity=0.04") in venue.told("noted")
    assert venue.strategy.said("on_closed") == [("stop_loss",)]
