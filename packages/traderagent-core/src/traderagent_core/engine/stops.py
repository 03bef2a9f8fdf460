"""Protective stops: one for the position of each bot, moved in the protective direction only.

A stop is held as the exchange allows: `attached` to the entry or `resting` as an order that closes the position,
or by the `engine` through a price watch. Break-even and trailing are a chain of watches that moves whichever it is.
"""

from decimal import Decimal
from typing import TYPE_CHECKING

from traderagent_core.account import reasons
from traderagent_core.account.state import Order, Want, WantStatus
from traderagent_core.engine.planner import internal_plan
from traderagent_core.engine.trails import TRAIL_WATCH
from traderagent_core.model.command import Unwatch, Watch
from traderagent_core.model.order import AttachedStop, OrderStatus, OrderType, Purpose, Side
from traderagent_core.model.plan import At, AverageTimes, Held, Leg, Stop

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

ZERO = Decimal(0)
ONE = Decimal(1)
STOP_WATCH = "~stop"
MOST_REFUSALS = 3
"""Refusals of a stop's order, one after the other, until its position is closed instead."""

WANTED = WantStatus.OPEN
ALIVE = (WANTED, WantStatus.BLOCKED)
BUY, SELL = Side.BUY, Side.SELL


class Stops:
    """Keeps each bot's stop where its rules want it."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def set_rule(self, member: "Member", rule: Stop) -> None:
        """A new plan brings its stop; a position that is held already is covered by it from now on."""
        member.stop.rule = rule
        member.note_guards()
        if rule.trail is None:  # A former one has nothing to follow any more.
            member.stop.is_trailing = False
            member.stop.best = None
        if member.ledger.quantity:
            self.refresh(member)

    # -- placing and moving ---------------------------------------------------------------------------------

    def refresh(self, member: "Member") -> None:
        """Bring the stop in line with the position after a fill; drop it when there is nothing to protect."""
        stop = member.stop
        quantity = member.ledger.position.quantity
        is_other_side = stop.is_long is not None and (quantity > ZERO) is not stop.is_long
        if not quantity or is_other_side:
            if stop.price is not None or stop.want is not None or stop.trail_watch is not None:
                self.drop(member)
            if not quantity:
                return
        if member.exit_reason and stop.price is not None:
            return  # It stands or has been triggered; the exit does the rest.
        price = self._wanted_price(member)
        if price is not None and not self._is_held(member, price):
            self._hold(member, price)
        if stop.rule is not None:
            stop.is_long = quantity > ZERO
            self._engine.trails.watch_next(member)

    def _is_held(self, member: "Member", price: Decimal) -> bool:
        """Whether the stop stands at a price; None is asked for first, as a Decimal takes long to differ from it."""
        stop = member.stop
        if stop.price is None or stop.price != price:
            return False
        if stop.want is None or stop.travelling is not None:
            return stop.watched is not None
        return stop.watched is not None or stop.want.status in ALIVE

    def _wanted_price(self, member: "Member") -> Decimal | None:
        """The tighter of the rule's stop and the bot's stop-loss ratio."""
        by_rule, ratio = self.rule_price(member), member.setup.limits.stop_loss_ratio
        if ratio is None:
            return by_rule
        position = member.ledger.position
        is_long = position.quantity > ZERO
        by_ratio = position.average_price * (ONE - ratio if is_long else ONE + ratio)
        return _tightest(member, [by_ratio] if by_rule is None else [by_rule, by_ratio], is_long=is_long)

    def rule_price(self, member: "Member") -> Decimal | None:
        """Where the rule in force wants the stop of what is held: the tightest of stop, break-even and trail."""
        stop, position = member.stop, member.ledger.position
        rule = stop.rule
        if rule is None:
            return None
        is_long = position.quantity > ZERO
        average = position.average_price
        prices = []
        base = rule.long if is_long else rule.short
        if base is not None:
            prices.append(base.price if isinstance(base, At) else average * base.ratio)
        even = rule.break_even if stop.is_even else None
        if even is not None:
            prices.append(average * (ONE + even.offset_ratio if is_long else ONE - even.offset_ratio))
        if stop.is_trailing:
            prices.append(self._engine.trails.price(member))
        return _tightest(member, prices, is_long=is_long)

    def _side_rule(self, member: "Member", *, is_long: bool) -> At | AverageTimes | None:
        rule = member.stop.rule
        if rule is None:
            return None
        return rule.long if is_long else rule.short

    def _hold(self, member: "Member", price: Decimal) -> None:
        stop = member.stop
        is_long = member.ledger.position.quantity > ZERO
        stop.price = price
        stop.is_long = is_long
        stop.moved_ms = self._engine.now_ms
        if member.setup.stop_placement == "engine":
            stop.watched = price
            self._engine.commands.append(Watch(member.name, STOP_WATCH, member.symbol, price, not is_long))
            return
        if stop.watched is not None:
            self.cover(member)
        side = SELL if is_long else BUY
        want = stop.want
        is_there = stop.travelling is None
        if want is not None and is_there and want.side is side and want.status is WANTED:
            if want.price != price:
                self._engine.desk.resize(want, abs(member.ledger.quantity) + want.filled, price)
            return
        if want is not None:
            self._withdraw(member, want)
        stop.want = self._want(member, side, price)
        self._engine.desk.send(stop.want)
        if stop.want.order is None:
            self.cover(member)  # The former one is not over yet.

    def cover(self, member: "Member") -> None:
        """Watch the price where the stop belongs, for as long as its order is not there."""
        stop = member.stop
        if stop.price is not None:
            stop.watched = stop.price
            self._engine.commands.append(
                Watch(member.name, STOP_WATCH, member.symbol, stop.price, not stop.is_long)
            )

    def is_there(self, member: "Member") -> None:
        """The stop's order is at the venue: it need not be watched any more."""
        member.stop.refusals = 0
        if member.stop.watched is not None:
            member.stop.watched = None
            self._engine.commands.append(Unwatch(member.name, STOP_WATCH, member.symbol))
        self._engine.handing.relieve(member)

    def rests(self, member: "Member") -> bool:
        """Whether the stop's order is at the venue."""
        want = member.stop.want
        return want is not None and want.order is not None and want.order.status is not OrderStatus.SUBMITTED

    def _want(self, member: "Member", side: Side, price: Decimal) -> Want:
        leg = Leg("stop", "stop", side, Purpose.STOP_LOSS, Held(), At(price), is_stop=True)
        return self._engine.planner.grant_internal(member, internal_plan(leg))

    def attach(self, member: "Member", want: Want, client_order_id: str) -> AttachedStop | None:
        """The stop that travels with an order, where the exchange takes it so and none is alive yet."""
        if member.setup.stop_placement != "attached":
            return None
        if member.ledger.quantity or want.plan.plan.has_two_sides:
            return None  # What is held has its stop, or which side comes first is open: it comes with the first fill.
        stop = member.stop
        side = want.side.opposite
        if stop.want is None or stop.want.status not in ALIVE:
            price = self._entry_stop_price(member, want)
            former = self._engine.account.slots.get((member.name, "stop"))
            if price is None or (former is not None and former.order is not None):
                return None
            stop.price = price
            stop.is_long = want.side is BUY
            stop.want = self._want(member, side, price)
            self._register(stop.want, want.quantity)
            stop.travelling = stop.want.order
            stop.carriers = []
        elif _lies_beyond(want, stop.want):
            return None
        order = stop.travelling
        if order is None or stop.want.side is not side:
            return None
        assert stop.want.price is not None
        stop.carriers.append(client_order_id)
        return AttachedStop(order.client_order_id, stop.want.price)

    def is_travelling(self, client_order_id: str) -> bool:
        """Whether an order is a stop that waits for the entry which carries it."""
        members = self._engine.members.values()
        travelling = [member.stop.travelling for member in members]
        return any(order is not None and order.client_order_id == client_order_id for order in travelling)

    def arrived(self, member: "Member", client_order_id: str) -> None:
        """An order has traded: if it carried the stop, that is at the venue now."""
        stop = member.stop
        if client_order_id in stop.carriers:
            stop.travelling, stop.carriers = None, []

    def _entry_stop_price(self, member: "Member", want: Want) -> Decimal | None:
        """Where the stop will be once this entry has filled."""
        is_long = want.side is BUY
        rule, ratio = self._side_rule(member, is_long=is_long), member.setup.limits.stop_loss_ratio
        entry = want.price or self._engine.view.price(member.symbol)
        prices = []
        if rule is not None:
            prices.append(rule.price if type(rule) is At else entry * rule.ratio)  # type: ignore[union-attr]
        if ratio is not None:
            prices.append(entry * (ONE - ratio if is_long else ONE + ratio))
        return _tightest(member, prices, is_long=is_long)

    def _register(self, want: Want, quantity: Decimal) -> None:
        """Record an order that reaches the venue inside another one."""
        slot = want.slot
        generation = slot.generation + 1
        self._engine.record(
            "order_submitted",
            f"{slot.prefix}{generation}",
            want.id,
            generation,
            OrderType.STOP,
            want.price,
            quantity,
            True,
            True,
        )

    # -- ending ---------------------------------------------------------------------------------------------

    def drop(self, member: "Member") -> None:
        """Nothing is held any more: forget the stop and its trail."""
        stop = member.stop
        if stop.watched is not None:
            self._engine.commands.append(Unwatch(member.name, STOP_WATCH, member.symbol))
        if stop.trail_watch is not None:
            self._engine.commands.append(Unwatch(member.name, TRAIL_WATCH, member.symbol))
        if stop.want is not None:
            self._withdraw(member, stop.want)
        stop.price = stop.watched = stop.want = stop.best = stop.trail_watch = stop.is_long = None
        stop.travelling = None
        self.forget_rule(member)
        stop.is_even = stop.is_trailing = stop.is_waiting = False
        self._engine.handing.relieve(member)

    def forget_rule(self, member: "Member") -> None:
        """A rule goes with the last plan and the position: the next plan brings its own, or none."""
        if member.stop.rule is None or member.ledger.quantity:
            return
        plans = self._engine.account.plans_of(member.name)
        if not any(not own.plan.name.startswith("~") for own in plans):
            member.stop.rule = None
            member.note_guards()

    def _withdraw(self, member: "Member", want: Want) -> None:
        if member.stop.travelling is not None and want.order is member.stop.travelling:
            self._give_up(member, want.order)
        elif want.status in ALIVE:
            self._engine.desk.withdraw(want, "position_closed")
            self._engine.planner.close_if_done(want.plan)

    def _give_up(self, member: "Member", order: Order) -> None:
        """End a stop that is not at the venue; should a carrier bring it there later, it is cancelled then."""
        record = self._engine.record
        if order.want.status in ALIVE:
            record("want_ended", order.want.id, "position_closed")
        if order.client_order_id in self._engine.account.orders:  # Else the venue has ended it meanwhile.
            record("order_ended", order.client_order_id, "NEVER_ACCEPTED", ZERO, "entry_never_filled")
        member.stop.travelling = None
        self._engine.planner.close_if_done(order.want.plan)

    def release_unborn(self, member: "Member") -> None:
        """An attached stop whose entries all ended unfilled was never at the venue."""
        stop = member.stop
        order = stop.travelling
        if order is None:
            return
        plans = self._engine.account.plans_of(member.name)
        if any(plan.live_orders and plan is not order.want.plan for plan in plans):
            return
        self._give_up(member, order)
        stop.want = stop.price = stop.is_long = None

    def is_passed(self, member: "Member") -> None:
        """The price is beyond the stop: close the position at the market."""
        self._engine.exits.begin(member, "stop_loss")

    def is_refused(self, member: "Member", want: Want, code: str) -> bool:
        """Count a refusal of the stop's order. After the last one allowed the position is closed, and the bot paused.

        What has no stop is not held; and a strategy that went on would enter again, and be closed again.
        """
        member.stop.refusals += 1
        if member.stop.refusals < MOST_REFUSALS:
            return False
        member.stop.refusals = 0
        self._engine.record("want_ended", want.id, code)
        self._engine.record("noted", member.name, reasons.STOP_REFUSED, code)
        member.is_paused = True
        self._engine.refresh_restriction()
        self.cover(member)
        self._engine.exits.begin(member, reasons.UNPROTECTED)
        return True

    def watch_crossed(self, member: "Member", price: Decimal) -> None:
        """The engine's own watch at the stop has fired; the news of one dropped or moved since is late."""
        watched = member.stop.watched
        if watched is None or (price > watched if member.stop.is_long else price < watched):
            return
        member.stop.watched = None
        self.is_passed(member)


def _lies_beyond(want: Want, stop: Want) -> bool:
    """Whether the common stop of a plan is triggered before the price of this entry is reached.

    An exchange refuses such a stop with the entry, which only adds to what others have opened, and that has its stop.
    """
    if want.price is None or stop.price is None:
        return False
    return want.price <= stop.price if want.side is BUY else want.price >= stop.price


def _tightest(member: "Member", prices: list[Decimal], *, is_long: bool) -> Decimal | None:
    """The first of these prices that the market would reach, on the tick."""
    if not prices:
        return None
    side = SELL if is_long else BUY
    return member.instrument.stop_price(side, max(prices) if is_long else min(prices))
