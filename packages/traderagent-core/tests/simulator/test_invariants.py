"""What is always true of a run: money, orders, endings, protection, and that the records tell all of it."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

from attrs import fields
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from traderagent_core.account.account import Account
from traderagent_core.account.ledger import Ledger
from traderagent_core.account.state import ActivePlan, Order, Want, WantStatus
from traderagent_core.engine.engine import Engine
from traderagent_core.model import event as ev
from traderagent_core.model.order import OrderStatus, Side
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.path import PathPolicy

ZERO = Decimal(0)
ALIVE = (WantStatus.OPEN, WantStatus.BLOCKED)
MANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


# -- money --------------------------------------------------------------------------------------------------


def check_money(engine: Engine, venue: SimulatedExchange) -> None:
    """Ledgers equal the account to the last digit, less what the engine has not been told yet."""
    flow = venue.flow
    held = {symbol: market.position.quantity for symbol, market in venue.markets.items()}
    for event in venue.events:
        if isinstance(event, ev.OrderFilled):
            signed = event.quantity if event.side is Side.BUY else -event.quantity
            flow += signed * event.price + event.fee
            held[event.symbol] -= signed
        elif isinstance(event, ev.FundingPaid):
            flow -= event.amount
    assert engine.account.flow() + venue.balance == flow
    assert {symbol: engine.account.net_quantity(symbol) for symbol in held} == held


def after_each_step(check: Any) -> Any:
    """Have `check(engine, venue)` called after every step of a run."""

    def wrap(engine: Engine, venue: SimulatedExchange) -> None:
        step = engine.step

        def checked(event: Any) -> Any:
            effects = step(event)
            check(engine, venue)
            return effects

        engine.step = checked  # type: ignore[method-assign]

    return wrap


@given(data=st.data())
@MANY
def test_ledgers_equal_the_exchange_to_the_last_digit_at_every_step(kit: Any, data: Any) -> None:
    kit.run(data.draw(kit.worlds()), around_step=after_each_step(check_money))


# -- orders -------------------------------------------------------------------------------------------------


def check_orders(engine: Engine, venue: SimulatedExchange) -> None:
    """One live order a slot; what is linked is linked both ways; ids keep the venue's rules."""
    account = engine.account
    slots: Counter[tuple[str, str]] = Counter()
    for order_id, order in account.orders.items():
        assert order.client_order_id == order_id
        assert len(order_id) <= 36
        assert order_id.replace("-", "").replace("_", "").isalnum()
        assert order.want.order is order
        assert order.want.slot.order is order
        slots[order.want.slot.bot, order.want.slot.name] += 1
    assert all(count == 1 for count in slots.values())
    for slot in account.slots.values():
        assert slot.order is None or slot.order.client_order_id in account.orders
        if slot.want is not None:
            assert slot.want.status in (WantStatus.OPEN, WantStatus.BLOCKED)
            assert slot.want.plan.id in account.plans
    blocked = sum(want.status is WantStatus.BLOCKED for want in account.wants.values())
    assert account.blocked == blocked
    for plan in account.plans.values():
        assert plan.live_orders == sum(order.want.plan is plan for order in account.orders.values())
    check_notionals(account)


def check_notionals(account: Account) -> None:
    """The running sums of open notionals are the sums."""
    for ledger in account.ledgers.values():
        for side, total in ((Side.BUY, ledger.open_buys), (Side.SELL, ledger.open_sells)):
            mine = [
                order.price * (order.quantity - order.filled)
                for order in account.orders.values()
                if order.want.plan.ledger is ledger
                and order.side is side
                and order.price is not None
                and not order.reduce_only
            ]
            assert sum(mine, ZERO) == total


@given(data=st.data())
@MANY
def test_a_slot_has_one_live_order_and_sums_are_kept(kit: Any, data: Any) -> None:
    kit.run(data.draw(kit.worlds()), around_step=after_each_step(check_orders))


def check_quiet(engine: Engine, venue: SimulatedExchange) -> None:
    """Without latency, when nothing is on its way: nothing is forgotten, nobody unprotected."""
    account = engine.account
    at_venue = {order_id for market in venue.markets.values() for order_id in market.orders}
    travelling = [member.stop.travelling for member in engine.members.values()]
    unborn = {order.client_order_id for order in travelling if order is not None}
    assert set(account.orders) - unborn == at_venue - unborn
    for want in account.wants.values():
        if want.status is WantStatus.OPEN:
            assert want.order is not None, f"nothing is done for want {want.id} of {want.leg.name}"
        elif want.status is not WantStatus.BLOCKED:
            assert want.order is not None
    for order in account.orders.values():
        assert order.want.status is WantStatus.OPEN, "an order nobody wants is still alive"
    for member in engine.members.values():
        check_protected(engine, member)


def check_protected(engine: Engine, member: Any) -> None:
    """A position with a stop rule for its side has a live stop, or is being closed."""
    quantity, stop, rule = member.ledger.quantity, member.stop, member.stop.rule
    if not quantity or member.exit_reason:
        assert quantity or stop.watched is None
        return
    side_rule = None if rule is None else rule.long if quantity > 0 else rule.short
    if side_rule is None and member.setup.limits.stop_loss_ratio is None:
        return
    if member.setup.stop_placement == "engine":
        assert stop.watched == stop.price is not None
        return
    assert stop.want is not None
    assert stop.travelling is None
    assert stop.want.order is not None
    assert stop.want.order.price == stop.price
    assert stop.want.side is (Side.SELL if quantity > 0 else Side.BUY)


@given(data=st.data())
@settings(MANY, max_examples=100)
def test_nothing_wanted_is_forgotten_and_nobody_is_left_unprotected(kit: Any, data: Any) -> None:
    policies = [policy for policy in PathPolicy if policy is not PathPolicy.NEXT_CANDLE]
    world = data.draw(kit.worlds(latencies=[0], policies=policies))

    def check(engine: Engine, venue: SimulatedExchange) -> None:
        check_quiet(engine, venue)

    kit.run(world, when_quiet=check)


# -- endings ------------------------------------------------------------------------------------------------


def check_endings(ran: Any) -> None:
    """Every plan and want ends once, by one reason, or is open at the end."""
    records, account = ran.records, ran.engine.account
    granted = [record for record in records if record[0] == "plan_granted"]
    closed = Counter(record[2] for record in records if record[0] == "plan_closed")
    assert set(closed.values()) <= {1}
    assert set(closed) | set(account.plans) == set(range(1, len(granted) + 1))
    assert not set(closed) & set(account.plans)
    wants = sum(record[0] == "want_granted" for record in records)
    ended = Counter(record[2] for record in records if record[0] == "want_ended")
    assert set(ended.values()) <= {1}
    open_now = {want.id for plan in account.plans.values() for want in plan.wants.values()}
    assert not set(ended) & open_now
    submitted = {record[2]: record for record in records if record[0] == "order_submitted"}
    traded = {submitted[record[2]][3] for record in ran.fills if record[0] == "filled"}
    for want_id in set(range(1, wants + 1)) - set(ended) - open_now:
        assert want_id in traded, f"want {want_id} has gone without a reason"
    assert all(record[-1] for record in records if record[0] in ("plan_closed", "want_ended"))


@given(data=st.data())
@MANY
def test_every_plan_and_want_ends_once_by_one_reason(kit: Any, data: Any) -> None:
    check_endings(kit.run(data.draw(kit.worlds())))


# -- records ------------------------------------------------------------------------------------------------


def state_of(account: Account) -> dict[str, Any]:
    """All that an account knows, in values that compare by content."""
    return {
        "ledgers": {
            key: flat(own) for key, own in account.ledgers.items() if flat(own) != flat(Ledger(*key))
        },
        "plans": {number: flat(plan) for number, plan in account.plans.items()},
        "wants": {number: flat(want) for number, want in account.wants.items()},
        "orders": {order_id: flat(order) for order_id, order in account.orders.items()},
        "closed": {order_id: flat(order) for order_id, order in account.closed_orders.items()},
        "slots": {key: flat(slot) for key, slot in account.slots.items()},
        "trades": list(account.seen_trades),
        "counts": (account.next_plan, account.next_want, account.blocked),
    }


def flat(item: Any) -> tuple[Any, ...]:
    """The fields of an attrs object; what it links to is told by its name only."""
    return tuple(_named(getattr(item, own.name)) for own in fields(type(item)) if own.name != "average")


def _named(value: Any) -> Any:
    if isinstance(value, Order):
        return value.client_order_id
    if isinstance(value, Want | ActivePlan):
        return (type(value).__name__, value.id)
    if isinstance(value, dict):
        return sorted(value)
    if type(value).__name__ in ("Position", "Ledger", "Slot"):
        return flat(value)[:2] if type(value).__name__ == "Slot" else flat(value)
    return value


@given(data=st.data())
@MANY
def test_folding_the_records_gives_the_account_again(kit: Any, data: Any) -> None:
    ran = kit.run(data.draw(kit.worlds()))
    again = Account("sim")
    again.fold(ran.records)
    mine, theirs = state_of(ran.engine.account), state_of(again)
    for part in mine:
        assert mine[part] == theirs[part], part


@given(data=st.data())
@MANY
def test_every_fill_of_the_outcome_went_through_a_step(kit: Any, data: Any) -> None:
    told: list[tuple[str, Decimal, Decimal]] = []

    def wrap(engine: Engine, venue: SimulatedExchange) -> None:
        step = engine.step

        def stepping(event: Any) -> Any:
            if isinstance(event, ev.OrderFilled):
                told.append((event.trade_id, event.price, event.quantity))
            return step(event)

        engine.step = stepping  # type: ignore[method-assign]

    ran = kit.run(data.draw(kit.worlds()), around_step=wrap)
    recorded = [
        (record[3], record[4], record[5]) if record[0] == "filled" else (record[4], record[6], record[7])
        for record in ran.fills
    ]
    assert recorded == told
    assert len(told) == ran.exchange._trades


# -- splitting ----------------------------------------------------------------------------------------------


def splitting(seed: int) -> Any:
    """An exchange that splits fills into up to four executions at random."""

    class Splitting(SimulatedExchange):
        random = Random(seed)

        def _parts(self, order: Any, quantity: Decimal) -> Sequence[Decimal]:
            lot = self.markets[order.request.symbol].instrument.lot_size
            lots = int(quantity / lot)
            cuts = sorted({self.random.randrange(lots) for _ in range(3)} - {0}) if lots > 1 else []
            bounds = [0, *cuts, lots] if lots else []
            parts = [lot * (right - left) for left, right in pairwise(bounds)]
            return parts if sum(parts, ZERO) == quantity else super()._parts(order, quantity)

    return Splitting


def final_state(ran: Any) -> dict[str, Any]:
    """Ledgers at the end, and what is still wanted, by slot; an order that has not arrived may be changed yet."""
    account = ran.engine.account
    return {
        "ledgers": {
            key: (own.quantity, own.position.cost, own.realized_pnl, own.fees, own.cycles, own.cycle_profit)
            for key, own in account.ledgers.items()
        },
        "wants": {
            (want.slot.bot, want.slot.name, want.leg.name): (
                want.quantity,
                want.filled,
                want.notional,
                want.price,
            )
            for want in account.wants.values()
            if want.status in ALIVE
        },
        "orders": {
            (own.want.slot.bot, own.want.slot.name): (own.price, own.quantity, own.filled)
            for own in account.orders.values()
            if own.want.status in ALIVE and own.status is not OrderStatus.SUBMITTED
        },
    }


def adds_and_closes(script: Any) -> bool:
    """Whether a leg that adds ends its plan: the stop stays where the fill before the last one has left it."""
    return any(leg.closes and not leg.is_exit for plan in script.plans for leg in plan.legs)


@given(data=st.data())
@MANY
def test_splitting_fills_leaves_the_same_ledgers_and_wants(kit: Any, data: Any) -> None:
    world = data.draw(kit.worlds())
    assume(not any(script.wants_fills or adds_and_closes(script) for script in world.scripts))
    whole = kit.run(world)
    parts = kit.run(world, exchange=splitting(data.draw(st.integers(0, 99))))
    assume(not begins_with_a_part(whole) and not begins_with_a_part(parts))
    assert final_state(whole) == final_state(parts)


def begins_with_a_part(ran: Any) -> bool:
    """Whether something began that rightly begins with the first part of a fill, not with the last.

    A want that waits for the next fill may go out then; so may a stop that the price has passed already.
    """
    records = ran.records
    fills = {record[1] for record in ran.fills}
    is_waiting = any(record[0] == "want_blocked" and record[4] == "next fill" for record in records)
    return is_waiting or any(
        record[0] == "noted" and record[3:] == ("exit_begun", "stop_loss") and record[1] in fills
        for record in records
    )


@given(data=st.data())
@MANY
def test_split_fills_keep_every_invariant(kit: Any, data: Any) -> None:
    def check(engine: Engine, venue: SimulatedExchange) -> None:
        check_money(engine, venue)
        check_orders(engine, venue)

    world = data.draw(kit.worlds())
    check_endings(kit.run(world, exchange=splitting(5), around_step=after_each_step(check)))
