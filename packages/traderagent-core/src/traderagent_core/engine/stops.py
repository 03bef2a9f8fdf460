"""Protective stops: one for the position of each bot, moved in the protective direction only.

A stop is held as the exchange allows: `attached` to the entry or `resting` as an order that closes the position,
or by the `engine` through a price watch. Break-even and trailing are a chain of watches that moves whichever it is.
"""

from decimal import Decimal
from typing import TYPE_CHECKING

from traderagent_core.account.state import Order, Want, WantStatus
from traderagent_core.model.command import Unwatch, Watch
from traderagent_core.model.order import AttachedStop, OrderType, Purpose, Side
from traderagent_core.model.plan import At, AverageTimes, Held, Leg, Stop

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

ZERO = Decimal(0)
ONE = Decimal(1)
STOP_WATCH = "~stop"
TRAIL_WATCH = "~trail"
TRAIL_TIMER = "~trail"
ALIVE = (WantStatus.OPEN, WantStatus.BLOCKED)


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
        quantity = member.ledger.quantity
        is_other_side = stop.is_long is not None and (quantity > ZERO) is not stop.is_long
        if not quantity or is_other_side:
            if stop.price is not None or stop.want is not None or stop.trail_watch is not None:
                self.drop(member)
            if not quantity:
                return
        if member.exit_reason and stop.price is not None:
            return  # It stands or has been triggered; the exit does the rest.
        price = self._wanted_price(member)
        if price is not None and (price != stop.price or not self._is_held(member)):
            self._hold(member, price)
        if stop.rule is not None:
            stop.is_long = quantity > ZERO
            self._watch_next(member)

    def _is_held(self, member: "Member") -> bool:
        stop = member.stop
        if stop.want is None or stop.travelling is not None:
            return stop.watched is not None
        return stop.watched is not None or stop.want.status in ALIVE

    def _wanted_price(self, member: "Member") -> Decimal | None:
        """The tightest of the plan's stop, the bot's stop-loss ratio, break-even and the trail."""
        is_long = member.ledger.quantity > ZERO
        average = member.ledger.average_price
        prices = []
        rule = self._side_rule(member, is_long=is_long)
        if rule is not None:
            prices.append(rule.price if type(rule) is At else average * rule.ratio)  # type: ignore[union-attr]
        ratio = member.setup.limits.stop_loss_ratio
        if ratio is not None:
            prices.append(average * (ONE - ratio if is_long else ONE + ratio))
        even = member.stop.rule.break_even if member.stop.is_even and member.stop.rule is not None else None
        if even is not None:
            prices.append(average * (ONE + even.offset_ratio if is_long else ONE - even.offset_ratio))
        if member.stop.is_trailing:
            prices.append(self._trailed(member))
        if not prices:
            return None
        side = Side.SELL if is_long else Side.BUY
        return member.instrument.stop_price(side, max(prices) if is_long else min(prices))

    def _side_rule(self, member: "Member", *, is_long: bool) -> At | AverageTimes | None:
        rule = member.stop.rule
        if rule is None:
            return None
        return rule.long if is_long else rule.short

    def _hold(self, member: "Member", price: Decimal) -> None:
        stop = member.stop
        is_long = member.ledger.quantity > ZERO
        stop.price = price
        stop.is_long = is_long
        stop.moved_ms = self._engine.now_ms
        if member.setup.stop_placement == "engine":
            stop.watched = price
            self._engine.commands.append(Watch(member.name, STOP_WATCH, member.symbol, price, not is_long))
            return
        if stop.watched is not None:
            self.cover(member)
        side = Side.SELL if is_long else Side.BUY
        want = stop.want
        is_there = stop.travelling is None
        if want is not None and is_there and want.side is side and want.status is WantStatus.OPEN:
            if want.price != price:
                self._engine.desk.resize(want, abs(member.ledger.quantity) + want.filled, price)
            return
        if want is not None:
            self._withdraw(member, want)
        stop.want = self._want(member, side, price)
        self._engine.desk.send(stop.want)

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
        if member.stop.watched is not None:
            member.stop.watched = None
            self._engine.commands.append(Unwatch(member.name, STOP_WATCH, member.symbol))

    def _want(self, member: "Member", side: Side, price: Decimal) -> Want:
        leg = Leg("stop", "stop", side, Purpose.STOP_LOSS, Held(), At(price), is_stop=True)
        return self._engine.planner.grant_internal(member, leg)

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
            stop.is_long = want.side is Side.BUY
            stop.want = self._want(member, side, price)
            self._register(stop.want, want.quantity)
            stop.travelling = stop.want.order
            stop.carriers = []
        order = stop.travelling
        if order is None or stop.want.side is not side:
            return None
        assert stop.want.price is not None
        stop.carriers.append(client_order_id)
        return AttachedStop(order.client_order_id, stop.want.price)

    def arrived(self, member: "Member", client_order_id: str) -> None:
        """An order has traded: if it carried the stop, that is at the venue now."""
        if client_order_id in member.stop.carriers:
            member.stop.travelling = None
            member.stop.carriers = []

    def _entry_stop_price(self, member: "Member", want: Want) -> Decimal | None:
        """Where the stop will be once this entry has filled."""
        is_long = want.side is Side.BUY
        rule = self._side_rule(member, is_long=is_long)
        if rule is None:
            return None
        entry = want.price or self._engine.view.price(member.symbol)
        price = rule.price if type(rule) is At else entry * rule.ratio  # type: ignore[union-attr]
        return member.instrument.stop_price(want.side.opposite, price)

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

    def forget_rule(self, member: "Member") -> None:
        """A rule goes with the last plan and the position: the next plan brings its own, or none."""
        if member.stop.rule is None or member.ledger.quantity:
            return
        plans = self._engine.account.plans.values()
        if not any(own.bot == member.name and not own.plan.name.startswith("~") for own in plans):
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
        record("order_ended", order.client_order_id, "NEVER_ACCEPTED", ZERO, "entry_never_filled")
        member.stop.travelling = None
        self._engine.planner.close_if_done(order.want.plan)

    def release_unborn(self, member: "Member") -> None:
        """An attached stop whose entries all ended unfilled was never at the venue."""
        stop = member.stop
        order = stop.travelling
        if order is None:
            return
        others = (plan for plan in self._engine.account.plans.values() if plan.bot == member.name)
        if any(plan.live_orders and plan is not order.want.plan for plan in others):
            return
        self._give_up(member, order)
        stop.want = stop.price = stop.is_long = None

    def is_passed(self, member: "Member") -> None:
        """The price is beyond the stop: close the position at the market."""
        self._engine.exits.begin(member, "stop_loss")

    def watch_crossed(self, member: "Member", price: Decimal) -> None:
        """The engine's own watch at the stop has fired; the news of one dropped or moved since is late."""
        watched = member.stop.watched
        if watched is None or (price > watched if member.stop.is_long else price < watched):
            return
        member.stop.watched = None
        self.is_passed(member)

    # -- break-even and trailing ----------------------------------------------------------------------------

    def _watch_next(self, member: "Member") -> None:
        """Watch for the next price at which the stop goes to break-even, or the trail begins or moves by a step."""
        stop = member.stop
        is_long = member.ledger.quantity > ZERO
        levels = [
            level for level in (self._even_level(member), self._trail_level(member)) if level is not None
        ]
        if not levels:
            return
        # On the tick: the price that reaches it comes back with all its digits.
        away = Side.SELL if is_long else Side.BUY
        level = member.instrument.limit_price(away, min(levels) if is_long else max(levels))
        if level == stop.trail_watch:
            return
        stop.trail_watch = level
        self._engine.commands.append(Watch(member.name, TRAIL_WATCH, member.symbol, level, is_long))

    def _even_level(self, member: "Member") -> Decimal | None:
        """The price from which the stop is at break-even; None without such a rule, or when it is there."""
        stop = member.stop
        even = None if stop.rule is None else stop.rule.break_even
        if even is None or stop.is_even:
            return None
        ratio = even.activation_ratio
        return member.ledger.average_price * (ONE + ratio if member.ledger.quantity > ZERO else ONE - ratio)

    def _trail_level(self, member: "Member") -> Decimal | None:
        """The price at which the trail begins or moves by a step; None without one."""
        stop = member.stop
        trail = None if stop.rule is None else stop.rule.trail
        if trail is None:
            return None
        start, ratio = member.ledger.average_price, trail.activation_ratio
        if stop.is_trailing:
            assert stop.best is not None
            start, ratio = stop.best, trail.least_step_ratio
        return start * (ONE + ratio if member.ledger.quantity > ZERO else ONE - ratio)

    def trail_crossed(self, member: "Member", price: Decimal) -> None:
        """The price is where the stop goes to break-even, or at a new best price by a step at least."""
        stop, level = member.stop, member.stop.trail_watch
        if level is None or (price < level if stop.is_long else price > level):
            return  # The news of a watch that was dropped or moved since.
        stop.trail_watch = None
        if stop.rule is None or not member.ledger.quantity:
            return
        even, trail = self._even_level(member), self._trail_level(member)
        is_due = self._is_reached(member, even, price)
        if is_due:
            stop.is_even = True
        if self._is_reached(member, trail, price):
            is_due = self._follow(member, price) or is_due
        if is_due:
            self.refresh(member)
        else:
            self._watch_next(member)

    def _is_reached(self, member: "Member", level: Decimal | None, price: Decimal) -> bool:
        if level is None:
            return False
        return price >= level if member.ledger.quantity > ZERO else price <= level

    def _follow(self, member: "Member", price: Decimal) -> bool:
        """Take in a new best price; false when the stop was moved too lately to be moved again now."""
        stop = member.stop
        assert stop.rule is not None
        assert stop.rule.trail is not None
        is_first = not stop.is_trailing
        stop.is_trailing = True
        stop.best = price
        due_ms = stop.moved_ms + stop.rule.trail.least_interval_ms
        if is_first or self._engine.now_ms >= due_ms:
            return True
        if not stop.is_waiting:
            stop.is_waiting = True
            self._engine.set_timer(member.name, TRAIL_TIMER, due_ms)
        return False

    def trail_due(self, member: "Member") -> None:
        """The least interval between two moves is over."""
        member.stop.is_waiting = False
        if member.stop.is_trailing:
            self.refresh(member)

    def _trailed(self, member: "Member") -> Decimal:
        """The trail's price: the best price less the distance, never behind where the stop already is."""
        stop = member.stop
        assert stop.rule is not None
        assert stop.rule.trail is not None
        assert stop.best is not None
        distance = stop.rule.trail.distance_ratio
        if member.ledger.quantity > ZERO:
            price = stop.best * (ONE - distance)
            return price if stop.price is None else max(price, stop.price)
        price = stop.best * (ONE + distance)
        return price if stop.price is None else min(price, stop.price)
