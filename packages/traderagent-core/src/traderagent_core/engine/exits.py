"""Exits: withdraw everything of a bot, wait for the venue's word, close what is left at the market."""

from decimal import Decimal
from typing import TYPE_CHECKING

from traderagent_core.account import reasons
from traderagent_core.account.account import HOUSE
from traderagent_core.engine.planner import STOP_PLAN, internal_plan
from traderagent_core.model.command import Submit
from traderagent_core.model.instrument import Market
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import Held, Leg

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

ZERO = Decimal(0)
LINEAR = Market.LINEAR
NAKED_TIMER = "~naked"
NAKED_MS = 5_000
"""How long a position without a stop waits for the end of other orders; it may have none for 10 s at most."""

CLOSE_LONG, CLOSE_SHORT = (
    internal_plan(Leg("exit", "exit", side, Purpose.EXIT, Held())) for side in (Side.SELL, Side.BUY)
)


class Exits:
    """An exit goes on from event to event until the bot is flat; the stop stays until then."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def begin(self, member: "Member", reason: str) -> None:
        """Start an exit, or go on with the one that has begun; any other reason stops a position's handing over."""
        if member.exit_reason in ("", reasons.HANDED_OVER):
            member.exit_reason = reason
            self._engine.record("noted", member.name, "exit_begun", reason)
            self._engine.planner.withdraw_all(member, reason)
        self.advance(member)

    def advance(self, member: "Member") -> None:
        """Close what is left once nothing else of the bot is alive; end the exit when it is flat.

        What is to be handed over stays, for the director to do that at the end of the step.
        """
        if not member.ledger.position.quantity:
            self._engine.planner.withdraw_all(member, member.exit_reason)  # Others may have closed it.
        if not self.is_bare(member):
            if self._is_naked(member):
                self._engine.set_timer(member.name, NAKED_TIMER, self._engine.now_ms + NAKED_MS)
            return
        self._close(member)

    def still_naked(self, member: "Member") -> None:
        """The end of other orders has not come: the position is closed, whatever is still alive."""
        if member.exit_reason and self._is_naked(member):
            self._close(member)

    def _close(self, member: "Member") -> None:
        """Send what closes the position, or end the exit."""
        engine, quantity = self._engine, member.ledger.quantity
        if quantity and not self._is_dust(member):
            if member.exit_reason == reasons.HANDED_OVER:
                return
            closing = CLOSE_LONG if quantity > ZERO else CLOSE_SHORT
            engine.desk.send(engine.planner.grant_internal(member, closing))
            self._mark_forced(member)
            return
        if quantity:
            engine.record("noted", member.name, reasons.DUST, f"quantity={quantity}")
        engine.stops.drop(member)
        self.end(member)

    def end(self, member: "Member") -> None:
        """An exit is over: the strategy is told."""
        reason, member.exit_reason = member.exit_reason, ""
        self._engine.record("noted", member.name, "exit_done", reason)
        self._engine.caller.later(member, "on_closed", reason)

    def is_bare(self, member: "Member") -> bool:
        """Whether nothing of a bot is wanted or at the venue but its stop."""
        for plan in self._engine.account.plans_of(member.name):  # noqa: SIM110 - asked at every event
            if plan.plan.name != STOP_PLAN:
                return False
        return True

    def _is_naked(self, member: "Member") -> bool:
        """Whether nothing protects a position that is to have a stop, and nothing closes it yet.

        The stop has been passed or has traded in part, or the position has come to the side for which the plan has
        none: others have traded, and an order that was withdrawn has too. It cannot wait for the end of the orders
        that are still alive then; on a linear market a close can do nothing but reduce.
        """
        stop, held = member.stop, member.ledger.position.quantity
        if not held or stop.watched is not None or member.instrument.market is not LINEAR:
            return False
        if stop.price is None and (stop.rule is None or self._engine.stops.rule_price(member) is not None):
            return False
        plans = self._engine.account.plans_of(member.name)
        is_closing = any(plan.plan.name == CLOSE_LONG.name for plan in plans)
        return not is_closing and not self._engine.stops.rests(member) and not self._is_dust(member)

    def settle(self, member: "Member") -> None:
        """What others have traded away is the bot's no more: it goes to the house, which holds the opposite."""
        account = self._engine.account
        house, held = account.ledgers.get((HOUSE, member.symbol)), member.ledger.quantity
        if house is None or not held or not house.quantity or (held > ZERO) is (house.quantity > ZERO):
            return
        net = account.net_quantity(member.symbol)
        left = max(net if held > ZERO else -net, ZERO)
        lost = min(abs(held) - left, abs(house.quantity))
        if lost <= ZERO:
            return
        signed, price = (lost if held > ZERO else -lost), member.ledger.average_price
        self._engine.record("ledger_handed_over", member.name, member.symbol, HOUSE, signed, price)
        self._engine.stops.refresh(member)
        self._engine.planner.repeg(member)

    def _mark_forced(self, member: "Member") -> None:
        """Let the venue model know an order that closes what a strategy had no time left to close itself."""
        sent = self._engine.commands[-1]
        if member.exit_reason == reasons.TRANSITION_TIMEOUT and type(sent) is Submit:
            sent.request.is_forced = True

    def is_flat(self, member: "Member") -> bool:
        """Whether nothing is held that could be closed."""
        return not member.ledger.position.quantity or self._is_dust(member)

    def _is_dust(self, member: "Member") -> bool:
        instrument, held = member.instrument, member.ledger.position.quantity
        quantity = instrument.round_quantity(held if held > ZERO else -held)
        if instrument.market is LINEAR:  # Exits are reduce-only there, so no notional is too small.
            return not quantity or quantity < instrument.min_quantity
        return instrument.size_problem(quantity, self._engine.view.price(member.symbol)) is not None
