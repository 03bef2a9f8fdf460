"""Protective stops: one for the position of each bot, moved in the protective direction only.

A stop is held as the exchange allows: `attached` to the entry or `resting` as an order that closes the position,
or by the `engine` through a price watch. Trailing is a chain of watches that moves whichever it is.
"""

from decimal import Decimal
from typing import TYPE_CHECKING

from traderagent_core.account.state import Want, WantStatus
from traderagent_core.model.command import Unwatch, Watch
from traderagent_core.model.order import AttachedStop, OrderStatus, OrderType, Purpose, Side
from traderagent_core.model.plan import At, AverageTimes, Held, Leg, Stop, Trail

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

ZERO = Decimal(0)
ONE = Decimal(1)
STOP_WATCH = "~stop"
TRAIL_WATCH = "~trail"
TRAIL_TIMER = "~trail"


class Stops:
    """Keeps each bot's stop where its rules want it."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def set_rule(self, member: "Member", rule: Stop) -> None:
        """A new plan brings its stop; a position that is held already is covered by it from now on."""
        member.stop.rule = rule
        member.note_guards()
        if member.ledger.quantity:
            self.refresh(member)

    # -- placing and moving ---------------------------------------------------------------------------------

    def refresh(self, member: "Member") -> None:
        """Bring the stop in line with the position after a fill; drop it when there is nothing to protect."""
        stop = member.stop
        if not member.ledger.quantity:
            if stop.price is not None or stop.want is not None:
                self.drop(member)
            return
        price = self._wanted_price(member)
        if price is None:
            return
        if price != stop.price or (stop.want is None and stop.watched is None):
            self._hold(member, price)
        if stop.rule is not None and stop.rule.trail is not None:
            self._watch_trail(member, stop.rule.trail)

    def _wanted_price(self, member: "Member") -> Decimal | None:
        """The tightest of the plan's stop, the bot's stop-loss ratio and the trail."""
        is_long = member.ledger.quantity > ZERO
        average = member.ledger.average_price
        prices = []
        rule = self._side_rule(member, is_long=is_long)
        if rule is not None:
            prices.append(rule.price if type(rule) is At else average * rule.ratio)  # type: ignore[union-attr]
        ratio = member.setup.limits.stop_loss_ratio
        if ratio is not None:
            prices.append(average * (ONE - ratio if is_long else ONE + ratio))
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
        stop.moved_ms = self._engine.now_ms
        if member.setup.stop_placement == "engine":
            stop.watched = price
            self._engine.commands.append(Watch(member.name, STOP_WATCH, member.symbol, price, not is_long))
            return
        side = Side.SELL if is_long else Side.BUY
        want = stop.want
        if want is not None and want.side is side and want.status is WantStatus.OPEN:
            if want.price != price:
                self._engine.desk.resize(want, want.quantity, price)
            return
        if want is not None:
            self._withdraw(want)
        stop.want = self._want(member, side, price)
        self._engine.desk.send(stop.want)

    def _want(self, member: "Member", side: Side, price: Decimal) -> Want:
        leg = Leg("stop", "stop", side, Purpose.STOP_LOSS, Held(), At(price), is_stop=True)
        return self._engine.planner.grant_internal(member, leg)

    def attach(self, member: "Member", want: Want) -> AttachedStop | None:
        """The stop that travels with an entry, where the exchange takes it so and none is alive yet."""
        if member.setup.stop_placement != "attached" or (want.price is None and member.ledger.quantity):
            return None
        if want.plan.plan.has_two_sides:
            return None  # Which side comes first is open; the stop is placed with the first fill.
        stop = member.stop
        side = want.side.opposite
        if stop.want is None:
            price = self._entry_stop_price(member, want)
            former = self._engine.account.slots.get((member.name, "stop"))
            if price is None or (former is not None and former.order is not None):
                return None
            stop.price = price
            stop.want = self._want(member, side, price)
            self._register(stop.want, want.quantity)
        order = stop.want.order
        if order is None or order.status is not OrderStatus.SUBMITTED or stop.want.side is not side:
            return None
        assert stop.want.price is not None
        return AttachedStop(order.client_order_id, stop.want.price)

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
            self._withdraw(stop.want)
        stop.price = stop.watched = stop.want = stop.best = stop.trail_watch = None
        stop.is_trailing = stop.is_waiting = False

    def _withdraw(self, want: Want) -> None:
        if want.status in (WantStatus.OPEN, WantStatus.BLOCKED):
            self._engine.desk.withdraw(want, "position_closed")
            self._engine.planner.close_if_done(want.plan)

    def release_unborn(self, member: "Member") -> None:
        """An attached stop whose entries all ended unfilled was never at the venue."""
        want = member.stop.want
        order = None if want is None else want.order
        if (
            want is None
            or order is None
            or order.status is not OrderStatus.SUBMITTED
            or member.ledger.quantity
        ):
            return
        others = (plan for plan in self._engine.account.plans.values() if plan.bot == member.name)
        if any(plan.live_orders and plan is not want.plan for plan in others):
            return
        record = self._engine.record
        record("want_ended", want.id, "position_closed")
        record("order_ended", order.client_order_id, "NEVER_ACCEPTED", ZERO, "entry_never_filled")
        member.stop.want = member.stop.price = None
        self._engine.planner.close_if_done(want.plan)

    def is_passed(self, member: "Member") -> None:
        """The price is beyond the stop: close the position at the market."""
        self._engine.exits.begin(member, "stop_loss")

    def watch_crossed(self, member: "Member") -> None:
        """The engine's own watch at the stop has fired."""
        member.stop.watched = None
        self.is_passed(member)

    # -- trailing -------------------------------------------------------------------------------------------

    def _watch_trail(self, member: "Member", trail: Trail) -> None:
        """Watch for the next price at which the trail would begin or move by a step."""
        stop = member.stop
        is_long = member.ledger.quantity > ZERO
        if stop.is_trailing:
            assert stop.best is not None
            level = stop.best * (ONE + trail.least_step_ratio if is_long else ONE - trail.least_step_ratio)
        else:
            ratio = trail.activation_ratio
            level = member.ledger.average_price * (ONE + ratio if is_long else ONE - ratio)
        if level == stop.trail_watch:
            return
        stop.trail_watch = level
        self._engine.commands.append(Watch(member.name, TRAIL_WATCH, member.symbol, level, is_long))

    def trail_crossed(self, member: "Member", price: Decimal) -> None:
        """A new best price, by a step at least."""
        stop = member.stop
        stop.trail_watch = None
        if stop.rule is None or stop.rule.trail is None or not member.ledger.quantity:
            return
        trail = stop.rule.trail
        is_first = not stop.is_trailing
        stop.is_trailing = True
        stop.best = price
        due_ms = stop.moved_ms + trail.least_interval_ms
        if is_first or self._engine.now_ms >= due_ms:
            self.refresh(member)
        else:
            if not stop.is_waiting:
                stop.is_waiting = True
                self._engine.set_timer(member.name, TRAIL_TIMER, due_ms)
            self._watch_trail(member, trail)

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
