"""Exits: withdraw everything of a bot, wait for the venue's word, close what is left at the market."""

from decimal import Decimal
from typing import TYPE_CHECKING

from traderagent_core.account import reasons
from traderagent_core.engine.planner import INTERNAL
from traderagent_core.model.instrument import Market
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import Held, Leg

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

ZERO = Decimal(0)
STOP_PLAN = f"{INTERNAL}stop"


class Exits:
    """An exit goes on from event to event until the bot is flat; the stop stays until then."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def begin(self, member: "Member", reason: str) -> None:
        """Start an exit, or go on with the one that has begun."""
        if not member.exit_reason:
            member.exit_reason = reason
            self._engine.record("noted", member.name, "exit_begun", reason)
            self._engine.planner.withdraw_all(member, reason)
        self.advance(member)

    def advance(self, member: "Member") -> None:
        """Close what is left once nothing else of the bot is alive; end the exit when it is flat."""
        engine = self._engine
        for plan in engine.account.plans.values():
            if plan.bot == member.name and plan.plan.name != STOP_PLAN:
                return
        quantity = member.ledger.quantity
        if quantity and not self._is_dust(member):
            side = Side.SELL if quantity > ZERO else Side.BUY
            leg = Leg("exit", "exit", side, Purpose.EXIT, Held())
            engine.desk.send(engine.planner.grant_internal(member, leg))
            return
        if quantity:
            engine.record("noted", member.name, reasons.DUST, f"quantity={quantity}")
        reason, member.exit_reason = member.exit_reason, ""
        engine.stops.drop(member)
        engine.record("noted", member.name, "exit_done", reason)
        engine.caller.later(member, "on_closed", reason)

    def _is_dust(self, member: "Member") -> bool:
        instrument = member.instrument
        quantity = instrument.round_quantity(abs(member.ledger.quantity))
        if instrument.market is Market.LINEAR:  # Exits are reduce-only there, so no notional is too small.
            return not quantity or quantity < instrument.min_quantity
        return instrument.size_problem(quantity, self._engine.view.price(member.symbol)) is not None
