"""Judges plans: contract, entry filters, risk modes, limits, minimums. A plan passes whole or not at all."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
from attrs import frozen

from traderagent_core.account import reasons
from traderagent_core.contract.entry_filter import EntryFilter, Ruling, Verdict
from traderagent_core.engine.standing import Standing
from traderagent_core.errors import PluginHungError, told
from traderagent_core.model.instrument import Market
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import At, FillTimes, Fixed, Leg, Plan
from traderagent_core.ports import MarketView

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

ZERO = Decimal(0)
ONE = Decimal(1)
MAX_LEGS = 1500
ADDING = (Purpose.ENTRY, Purpose.SAFETY)
BUY = Side.BUY
ENTRY = Purpose.ENTRY
OWNER = Standing.OWNER
REJECT, NEUTRAL = Ruling.REJECT, Ruling.NEUTRAL
ACCEPTED = Verdict(Ruling.ACCEPT)


@frozen
class Judgement:
    """What became of a plan: the legs that are granted, or none with a reason."""

    verdict: Verdict
    legs: tuple[Leg, ...] = ()
    factor: Decimal = ONE


class Judge:
    """Says yes, yes but smaller, or no, with a reason."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self.on_verdict: Callable[[str, str, Plan, Verdict], None] | None = None
        """Told of every verdict: the filter, who asked, the plan, the answer."""

    def judge(self, member: "Member", plan: Plan) -> Judgement:
        """Judge a plan that keeps the contract, once, as a whole."""
        is_reducing = all(leg.is_exit for leg in plan.legs)
        standing = None if is_reducing else self.standing_refusal(member)
        if standing is not None:
            return _refused(standing)
        if _is_on_the_wrong_side(member, plan):
            return _refused(reasons.WRONG_SIDE, f"{member.symbol} holds one side only")
        factor, verdict = self._filtered(member, plan)
        if verdict.ruling is REJECT:
            return Judgement(verdict)
        mode = ONE if is_reducing else self._engine.guards.size_factor
        room, numbers = ONE, ""
        if self._engine.allocating is not None and not is_reducing:
            added = self._added(member, plan) * factor * mode
            room, numbers = self._engine.allocating.granted_ratio(member, added)
        if not room:
            return _refused(reasons.OVERCOMMITTED, numbers)
        whole = factor * mode * room
        legs = tuple([self.rounded(member, leg, whole) for leg in plan.legs])
        problem = self._size_problem(member, plan, legs)
        if problem is not None:
            return _refused(*problem)
        if whole == ONE:
            return Judgement(verdict, legs, ONE)
        why = [verdict.reason, self._engine.guards.active_names() if mode != ONE else ""]
        if room != ONE:
            why.append(f"{reasons.ALLOCATOR}({numbers})")
        scaled = Verdict(NEUTRAL, ", ".join(filter(None, why)), whole, verdict.evidence)
        return Judgement(scaled, legs, whole)

    def _added(self, member: "Member", plan: Plan) -> Decimal:
        """By how much a plan could increase the position at its largest, in quote currency."""
        price = self._engine.view.price(member.symbol)
        by_name = _named(plan, plan.legs)
        bought = sold = ZERO
        for leg in plan.legs:
            if leg.purpose in ADDING and type(leg.quantity) is Fixed:
                notional = leg.quantity.quantity * _expected_price(leg, by_name, price)
                if leg.side is BUY:
                    bought += notional
                else:
                    sold += notional
        held = member.ledger.quantity * price
        return max(held + bought, sold - held, abs(held)) - abs(held)

    def standing_refusal(self, member: "Member") -> str | None:
        """Why this bot may not add exposure now, whatever the order; None when it may."""
        if member.is_halted or self._engine.halting.is_on:
            return reasons.HALTED
        if member.is_paused:
            return reasons.BOT_PAUSED
        if member.is_stopped or member.exit_reason:
            return reasons.STOPPED
        if member.is_over_daily_loss:
            return reasons.DAILY_LOSS
        if member.standing is not OWNER:
            return reasons.NOT_OWNER
        bar = self._engine.barring.reason_for(member.symbol)
        if bar is not None:
            return f"{reasons.BARRED}:{bar}"
        return None if self._engine.guards.is_entry_allowed else reasons.MODE_FORBIDS

    def _filtered(self, member: "Member", plan: Plan) -> tuple[Decimal, Verdict]:
        filters = self._engine.setup.filters
        if not filters or not any(leg.purpose is ENTRY for leg in plan.legs):
            return ONE, ACCEPTED
        factor = ONE
        notes = []
        for name, entry_filter in filters.items():
            verdict = self._asked(name, entry_filter, member, plan)
            if verdict.ruling is REJECT:
                return factor, attrs.evolve(
                    verdict, reason=f"{reasons.FILTER_REJECTED}:{name}:{verdict.reason}"
                )
            if verdict.ruling is NEUTRAL:
                factor *= verdict.size_factor
                notes.append(f"{name}:{verdict.reason}")
        return factor, Verdict(Ruling.ACCEPT, ", ".join(notes), ONE, verdict.evidence)

    def _asked(self, name: str, entry_filter: EntryFilter, member: "Member", plan: Plan) -> Verdict:
        """A filter's verdict; one that raises, or answers with anything else, fails closed."""
        engine, state, callback = self._engine, entry_filter.state, f"filter {name}"
        try:
            verdict: Any = engine.call(
                member.name, callback, _judged, entry_filter, plan, engine.view, member.symbol
            )
            if not isinstance(verdict, Verdict):
                raise TypeError(f"judge must return a Verdict, not {verdict!r}")
        except Exception as error:
            entry_filter.state = state
            if isinstance(error, PluginHungError):
                engine.caller.failed(member, callback, error)
            else:
                engine.record("plugin_failed", member.name, callback, told(error))
            return Verdict(REJECT, "filter_failed")
        if self.on_verdict is not None:
            self.on_verdict(name, member.name, plan, verdict)
        return verdict

    def rounded(self, member: "Member", leg: Leg, factor: Decimal) -> Leg:
        """A leg with its price on the tick and its quantity, times `factor`, on the lot."""
        quantity, price, instrument = leg.quantity, leg.price, member.instrument
        if type(price) is At and price.price % instrument.tick_size:
            on_tick = instrument.stop_price if leg.is_stop else instrument.limit_price
            price = At(on_tick(leg.side, price.price))
        if type(quantity) is Fixed and (factor != ONE or quantity.quantity % instrument.lot_size):
            size = instrument.round_quantity(quantity.quantity * factor)
            quantity = quantity if size == quantity.quantity else Fixed(size)
        if quantity is leg.quantity and price is leg.price:
            return leg
        return leg.of(quantity, price)

    def _size_problem(self, member: "Member", plan: Plan, legs: tuple[Leg, ...]) -> tuple[str, str] | None:
        """A leg below a minimum, or what the plan at its largest would exceed: budget or position limit."""
        price, find_problem = self._engine.view.price(member.symbol), member.instrument.size_problem
        bought = sold = ZERO
        by_name = _named(plan, legs)
        for leg in legs:
            rule = leg.quantity
            if type(rule) is not Fixed:
                continue
            quantity, at = rule.quantity, _expected_price(leg, by_name, price)
            problem = find_problem(quantity, at)
            if problem is not None:
                return reasons.BELOW_MINIMUM, f"leg {leg.name}: {problem}"
            if leg.purpose in ADDING:
                if leg.side is BUY:
                    bought += quantity * at
                else:
                    sold += quantity * at
        return self._limits_problem(member, price, bought, sold)

    def _limits_problem(
        self, member: "Member", price: Decimal, bought: Decimal, sold: Decimal
    ) -> tuple[str, str] | None:
        """Whether buying and selling for so much quote currency could exceed the budget or the position limit."""
        held = member.ledger.quantity * price
        worst = max(held + bought, sold - held, abs(held))
        limit = member.setup.limits.max_position_size
        if limit is not None and worst > limit and worst > abs(held):
            return reasons.MAX_POSITION, f"position could reach {worst}, limit {limit}"
        budget = self._engine.budget(member) * member.setup.leverage
        if worst > budget and worst > abs(held):
            return reasons.OVER_BUDGET, f"plan needs {worst}, budget {budget}"
        return None


def _is_on_the_wrong_side(member: "Member", plan: Plan) -> bool:
    """Whether a plan would close by what adds, or add to the other position of hedge mode than its bot's.

    Coins can only be held long: what is there to be sold need not have been bought by the bot, so it may begin so.
    """
    instrument = member.instrument
    side = instrument.side or (BUY if instrument.market is Market.SPOT else None)
    if side is None:
        return False
    is_hedged = instrument.side is not None
    return any(
        leg.side is side if leg.is_exit else is_hedged and leg.purpose in ADDING and leg.side is not side
        for leg in plan.legs
    )


def _judged(entry_filter: EntryFilter, plan: Plan, view: MarketView, symbol: str) -> Verdict:
    entry_filter.advance(view, symbol)
    return entry_filter.judge(plan, view, symbol)


def _refused(reason: str, detail: str = "") -> Judgement:
    return Judgement(Verdict(REJECT, reason, evidence={"detail": detail} if detail else {}))


def _named(plan: Plan, legs: tuple[Leg, ...]) -> dict[str, Leg]:
    """The legs by whose prices others are priced."""
    return {leg.name: leg for leg in legs if leg.name in plan.references} if plan.references else {}


def _expected_price(leg: Leg, by_name: dict[str, Leg], market: Decimal) -> Decimal:
    """Where a leg is expected to trade, as far as that can be known before anything has."""
    rule = leg.price
    if rule is None:
        return market
    if type(rule) is At:
        return rule.price
    if type(rule) is FillTimes and rule.of in by_name:
        named = by_name[rule.of].price
        return (named.price if isinstance(named, At) else market) * rule.ratio
    return market
