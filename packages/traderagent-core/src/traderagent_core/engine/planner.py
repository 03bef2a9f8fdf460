"""Plans at work: grants them, places their legs as fills come in, and closes them when they are over."""

from decimal import Decimal
from typing import TYPE_CHECKING

from traderagent_core.account import reasons
from traderagent_core.account.account import describe
from traderagent_core.account.state import ActivePlan, Retry, Slot, Want, WantStatus
from traderagent_core.contract.entry_filter import Ruling
from traderagent_core.engine.context import RESERVED_SLOTS
from traderagent_core.model.instrument import Market
from traderagent_core.model.order import Side
from traderagent_core.model.plan import At, AverageTimes, Filled, FillTimes, Fixed, Held, Leg, Plan

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

ZERO = Decimal(0)
ONE = Decimal(1)
BUY = Side.BUY
LINEAR = Market.LINEAR
REJECT = Ruling.REJECT
BLOCKED = WantStatus.BLOCKED
INTERNAL = "~"
"""Names of plans that the engine makes itself start with this."""
STOP_PLAN = f"{INTERNAL}stop"


def internal_plan(leg: Leg) -> Plan:
    """A plan of one leg that the engine itself wants: a stop, an exit, or what a strategy places by itself."""
    return Plan(INTERNAL + leg.slot, (leg,), (leg.name,))


class Planner:
    """Runs the rules of plans. It never calls a plugin except to tell of a verdict or an end."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._account = engine.account

    # -- granting -------------------------------------------------------------------------------------------

    def enter(self, member: "Member", plan: Plan) -> None:
        """Judge a plan a strategy asks for; grant it or refuse it, and tell the strategy."""
        engine = self._engine
        judgement = engine.judge.judge(member, plan)
        verdict = judgement.verdict
        if verdict.ruling is REJECT:
            evidence = describe(dict(verdict.evidence))
            engine.record("plan_rejected", member.name, plan.name, verdict.reason, evidence)
        else:
            active = self.grant(member, plan, judgement.factor, judgement.legs, verdict.reason)
            if plan.stop is not None:
                engine.stops.set_rule(member, plan.stop)
            for name in plan.start:
                self._place(member, active, active.legs[name], None)
            self.close_if_done(active)
        engine.caller.later(member, "on_verdict", plan, verdict)

    def grant(
        self, member: "Member", plan: Plan, factor: Decimal, legs: tuple[Leg, ...], reason: str
    ) -> ActivePlan:
        """Record a granted plan."""
        engine = self._engine
        mode_factor = engine.guards.size_factor
        arguments = (engine.now_ms, member.name, member.symbol, plan, factor, mode_factor, legs, reason)
        engine.records.append(("plan_granted", *arguments))
        return self._account.plan_granted(*arguments)

    def grant_internal(self, member: "Member", plan: Plan) -> Want:
        """Grant an `internal_plan`; it needs no judgement."""
        active = self.grant(member, plan, ONE, plan.legs, "")
        return self._want(member, active, plan.legs[0], None)

    def place(self, member: "Member", leg: Leg) -> None:
        """A single leg that a strategy asks for beside its plans; it takes the place of what its slot wanted."""
        slot = self._account.slots.get((member.name, leg.slot))
        if slot is not None and slot.want is not None:
            plan = slot.want.plan
            self._engine.desk.withdraw(slot.want, reasons.REPLACED)
            self.close_if_done(plan)
        want = self.grant_internal(member, internal_plan(self._engine.judge.rounded(member, leg, ONE)))
        self.permit_and_send(want)
        self.close_if_done(want.plan)

    # -- rules ----------------------------------------------------------------------------------------------

    def spent(self, member: "Member", want: Want) -> None:
        """A want has been traded whole: place what its leg names next."""
        leg = want.leg
        plan = want.plan
        if leg.closes:
            self._engine.exits.begin(member, leg.purpose.value.lower())
        elif not plan.closing_reason:
            legs = plan.legs
            for name in leg.then:
                self._place(member, plan, legs[name], want)

    def _place(self, member: "Member", plan: ActivePlan, leg: Leg, parent: Want | None) -> None:
        slot = parent.slot if parent is not None and parent.slot.name == leg.slot else None
        slot = slot or self._account.slots.get((plan.bot, leg.slot))
        if slot is not None and slot.want is not None:
            self._engine.desk.withdraw(slot.want, reasons.REPLACED)
        self.permit_and_send(self._want(member, plan, leg, parent, slot))

    def _want(
        self, member: "Member", plan: ActivePlan, leg: Leg, parent: Want | None, slot: Slot | None = None
    ) -> Want:
        engine = self._engine
        rule = leg.price
        price = rule.price if type(rule) is At else self._price(member, leg, parent)
        quantity = self._quantity(member, leg, parent)
        if slot is None:
            slot = self._account.slot(plan.bot, leg.slot, f"{member.prefix}{leg.slot.replace(':', '-')}-")
        parent_id = 0 if parent is None else parent.id
        engine.records.append(
            ("want_granted", engine.now_ms, plan.id, leg.name, slot.prefix, quantity, price, parent_id)
        )
        return self._account.grant(plan, leg, slot, quantity, price, parent_id)

    def _price(self, member: "Member", leg: Leg, parent: Want | None) -> Decimal | None:
        rule = leg.price
        if rule is None:
            return None
        if type(rule) is At:
            return rule.price
        if type(rule) is FillTimes:
            assert parent is not None
            named = parent.plan.fill_prices.get(rule.of) if rule.of else None
            price = (parent.notional / parent.filled if named is None else named) * rule.ratio
        else:
            assert type(rule) is AverageTimes
            price = member.ledger.average_price * rule.ratio
        instrument = member.instrument
        return (
            instrument.stop_price(leg.side, price) if leg.is_stop else instrument.limit_price(leg.side, price)
        )

    def _quantity(self, member: "Member", leg: Leg, parent: Want | None) -> Decimal:
        rule = leg.quantity
        if type(rule) is Fixed:
            return rule.quantity
        if type(rule) is Filled:
            return parent.filled if parent is not None else ZERO
        assert type(rule) is Held
        return member.instrument.round_quantity(abs(member.ledger.quantity) * rule.ratio)

    # -- permission -----------------------------------------------------------------------------------------

    def permit_and_send(self, want: Want) -> None:
        """Send a want, unless it adds exposure that is not allowed now or is too small for the venue."""
        engine = self._engine
        member = engine.members[want.plan.bot]
        if engine.is_restricted or member.has_limits or member.exit_reason:
            refusal = self._refusal(member, want)
            if refusal is not None:
                engine.desk.block(want, *refusal)
                return
        if want.quantity <= ZERO:
            engine.desk.block(want, reasons.NO_POSITION, Retry.NEVER)
            return
        if self._is_too_small(member, want):
            engine.desk.block(want, reasons.BELOW_MINIMUM, Retry.NEVER)
            return
        engine.desk.send(want)

    def _is_too_small(self, member: "Member", want: Want) -> bool:
        """Whether numbers that no judge has seen, because a fill or the position gave them, are below a minimum."""
        leg = want.leg
        is_judged = type(leg.quantity) is Fixed and type(leg.price) is not FillTimes
        if is_judged and not want.plan.plan.name.startswith(INTERNAL):
            return False
        if leg.is_exit and member.instrument.market is LINEAR:
            return False  # Orders that can only reduce have no minimum.
        price = want.price or self._engine.view.price(member.symbol)
        return member.instrument.size_problem(want.quantity - want.filled, price) is not None

    def _refusal(self, member: "Member", want: Want) -> tuple[str, Retry] | None:
        """Why a want that adds exposure may not go out now; a mode's size factor shrinks it."""
        if member.exit_reason and want.slot.name not in RESERVED_SLOTS:
            return reasons.EXITING, Retry.NEVER
        if self.reduces(member, want):
            return None
        standing = self._engine.judge.standing_refusal(member)
        if standing is not None:
            return standing, Retry.WHEN_ALLOWED
        if not self._shrink(member, want):
            return reasons.BELOW_MINIMUM, Retry.WHEN_ALLOWED
        allocating = self._engine.allocating
        limit = member.setup.limits.max_position_size
        if limit is None and allocating is None:
            return None
        price = want.price or self._engine.view.price(member.symbol)
        if allocating is not None and allocating.lacks_room(member, want.quantity * price):
            return reasons.OVERCOMMITTED, Retry.ON_FILL
        if limit is None:
            return None
        held = member.ledger.quantity * price
        if want.side is BUY:
            worst = held + member.ledger.open_buys + want.quantity * price
        else:
            worst = member.ledger.open_sells + want.quantity * price - held
        return (reasons.MAX_POSITION, Retry.ON_FILL) if worst > limit else None

    def reduces(self, member: "Member", want: Want) -> bool:
        """Whether a want can only make the position smaller."""
        held = member.ledger.position.quantity
        if not held or (held > ZERO) is (want.side is BUY):
            return False
        return want.quantity <= abs(held) or want.leg.is_exit

    def _shrink(self, member: "Member", want: Want) -> bool:
        """Apply what risk modes have taken off since the plan was granted; false when too little is left."""
        factor = self._engine.guards.size_factor
        granted = want.plan.mode_factor if want.mode_factor is None else want.mode_factor
        if factor >= granted or want.filled:
            return True
        quantity = member.instrument.round_quantity(want.quantity * factor / granted)
        if member.instrument.size_problem(quantity, want.price or self._engine.view.price(member.symbol)):
            return False
        self._engine.record("want_resized", want.id, quantity, want.price)
        self._engine.record("want_shrunk", want.id, factor)
        return True

    def retry_blocked(self, member: "Member", kind: Retry) -> None:
        """Try the blocked wants of a bot that wait for something that has just happened."""
        for plan in list(self._account.plans_of(member.name)):
            wants = plan.wants.values()
            for want in [each for each in wants if each.status is BLOCKED and each.retry is kind]:
                self._engine.desk.retry(want)

    # -- following the position -----------------------------------------------------------------------------

    def repeg(self, member: "Member") -> None:
        """Move wants that follow the position or its average, after a fill has changed either."""
        for plan in list(self._account.plans_of(member.name)):
            if not plan.plan.has_pegs or plan.closing_reason:
                continue
            for want in list(plan.wants.values()):
                if want.leg.is_pegged:
                    self._repeg_want(member, want)
            if not plan.wants:
                self.close_if_done(plan)

    def _repeg_want(self, member: "Member", want: Want) -> None:
        leg = want.leg
        price, quantity = want.price, want.quantity
        if type(leg.price) is AverageTimes and member.ledger.quantity:
            price = self._price(member, leg, None)
        if type(leg.quantity) is Held:
            if self._has_nothing_to_close(member, want):
                self._engine.desk.withdraw(want, reasons.ALREADY_FLAT)
                return
            # What this want has closed itself still counts, so that its parts add up to its share.
            share = (abs(member.ledger.quantity) + want.filled) * leg.quantity.ratio
            quantity = max(member.instrument.round_quantity(share), want.filled)
        if (price, quantity) != (want.price, want.quantity) and quantity > want.filled:
            self._engine.desk.resize(want, quantity, price)

    def _has_nothing_to_close(self, member: "Member", want: Want) -> bool:
        """Whether the position that a want was to close is gone; stops see to themselves."""
        held = member.ledger.quantity
        is_gone = not held or (held > ZERO) is (want.side is BUY)
        return is_gone and want.leg.is_exit and want.slot.name != "stop"

    # -- closing --------------------------------------------------------------------------------------------

    def withdraw_all(self, member: "Member", reason: str) -> None:
        """End every want of a bot's plans, except its stop; the plans close when their orders are gone."""
        for plan in list(self._account.plans_of(member.name)):
            if plan.plan.name != STOP_PLAN:
                self.withdraw(plan, reason)

    def withdraw(self, plan: ActivePlan, reason: str) -> None:
        """End the wants of one plan."""
        if not plan.closing_reason:
            self._engine.record("plan_closing", plan.id, reason)
        if plan.wants:
            for want in list(plan.wants.values()):
                self._engine.desk.withdraw(want, reason)
        if not plan.live_orders:
            self.close_if_done(plan)

    def is_at_work(self, member: "Member") -> bool:
        """Whether a plan that the strategy asked for is not over yet."""
        return any(not own.plan.name.startswith(INTERNAL) for own in self._account.plans_of(member.name))

    def close_if_done(self, plan: ActivePlan) -> None:
        """Close a plan that has nothing wanted and nothing at the venue any more."""
        if plan.wants or plan.live_orders or plan.id not in self._account.plans:
            return
        engine = self._engine
        reason = plan.closing_reason or "completed"
        engine.record("plan_closed", plan.id, reason)
        member = engine.members[plan.bot]
        engine.stops.forget_rule(member)
        if not plan.plan.name.startswith(INTERNAL) and not member.exit_reason:
            engine.caller.later(member, "on_closed", reason)
