"""How a position goes from one strategy of a pair to the next, without an order and without a moment unprotected.

All orders of the old one are taken back first but for its stop. Once the venue has confirmed that, ledger and stop
move in one step. A stop that is an order stays at the venue until the new one is there, too; should it trade in
between, what it has traded belongs to the new owner.
"""

from decimal import Decimal
from typing import TYPE_CHECKING

from traderagent_core.account import reasons
from traderagent_core.account.state import Order
from traderagent_core.engine.releasing import asked_to_take_over
from traderagent_core.engine.standing import Standing
from traderagent_core.model.order import OrderStatus
from traderagent_core.model.plan import At, Stop

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

ZERO = Decimal(0)
IDLE = Standing.IDLE


class Handing:
    """Moves positions between the strategies of a pair."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def is_agreed(self, old: "Member", heir: "Member | None") -> bool:
        """Whether there is a position that the next strategy takes over now."""
        if heir is None or old.exit_reason or self._engine.exits.is_flat(old):
            return False
        return asked_to_take_over(self._engine, heir, old.ledger)

    def begin(self, old: "Member") -> None:
        """Take back all orders of the old strategy; what it holds waits for its heir."""
        self._engine.exits.begin(old, reasons.HANDED_OVER)

    def is_due(self, old: "Member") -> bool:
        """Whether nothing but the position and its stop is left to hand over."""
        return old.exit_reason == reasons.HANDED_OVER and self._engine.exits.is_bare(old)

    def hand_over(self, old: "Member", heir: "Member | None") -> bool:
        """Move everything; or close it, as nobody takes it any more, and return False."""
        engine = self._engine
        if heir is None or not asked_to_take_over(engine, heir, old.ledger):
            old.exit_reason = reasons.TRANSITION
            engine.record("noted", old.name, "hand_over_refused", "" if heir is None else heir.name)
            engine.exits.advance(old)
            return False
        rule = self._rule_of(old)
        quantity, price = old.ledger.quantity, old.ledger.average_price
        self._move(old, heir)
        unrealized = quantity * (engine.view.price(old.symbol) - price)
        old.peak_profit -= unrealized  # What is on paper changes hands: it is no drawdown of either.
        heir.peak_profit += unrealized
        self._protect(heir, rule)
        if heir.stop.want is None or engine.stops.rests(heir):
            engine.stops.drop(old)
        engine.exits.end(old)
        return True

    def _move(self, old: "Member", heir: "Member") -> None:
        ledger = old.ledger
        self._engine.record(
            "ledger_handed_over", old.name, old.symbol, heir.name, ledger.quantity, ledger.average_price
        )

    # -- protection -----------------------------------------------------------------------------------------

    def _rule_of(self, old: "Member") -> Stop | None:
        """The stop of what is held as a rule of its own: it stays where it stands."""
        price = self._engine.stops.rule_price(old)
        if price is None:
            return None
        return Stop(At(price), None) if old.ledger.quantity > ZERO else Stop(None, At(price))

    def _protect(self, heir: "Member", rule: Stop | None) -> None:
        """Protect what the heir holds now, by the former stop and by its own bot's."""
        if rule is not None:
            self._engine.stops.set_rule(heir, rule)
        else:
            self._engine.stops.refresh(heir)

    def relieve(self, heir: "Member") -> None:
        """The position has a stop at the venue, or is gone: those of its former owners may go."""
        for former in self._engine.director.others(heir):
            if former.stop.want is not None and not former.ledger.quantity:
                self._engine.stops.drop(former)

    # -- late fills -----------------------------------------------------------------------------------------

    def pass_on(self, former: "Member", order: Order) -> None:
        """A fill of a strategy that has let go belongs to the one that holds the position now."""
        heir = self.heir_of(former)
        if not (former.ledger.quantity and heir.ledger.quantity) or heir is former:
            return
        self._move(former, heir)
        engine = self._engine
        if (
            order.closes_position
            and order.client_order_id in engine.account.orders
            and not heir.ledger.quantity
        ):
            filled = order.filled
            engine.record(
                "order_ended", order.client_order_id, OrderStatus.FILLED.value, filled, "position_closed"
            )

    def heir_of(self, former: "Member") -> "Member":
        """Who answers for the position of a pair; the strategy itself where nobody else does."""
        if former.standing is not IDLE:
            return former
        others = self._engine.director.others(former)
        holders = [member for member in others if member.ledger.quantity]
        owners = [member for member in others if member.standing is not IDLE]
        return next(iter(holders + owners), former)
