"""Rows of DCA deals: a plan with safety orders, what its steps bought, and what came of it."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

from attrs import Factory, define

from traderagent_core.account.account import Account, describe
from traderagent_core.account.ledger import Ledger
from traderagent_core.account.reasons import PLAN_CLOSED
from traderagent_core.account.state import ActivePlan, Want
from traderagent_core.model.order import Purpose, Side
from traderagent_core.persistence.projection.rows import Changes, Row, moment
from traderagent_core.persistence.projection.signals import Signals
from traderagent_core.persistence.projection.step import Step

ZERO = Decimal(0)
_AVERAGE = Context(prec=16, rounding=ROUND_HALF_EVEN)


@define(eq=False)
class Deal:
    """A deal that is not over: closed once its plan has ended and nothing is held."""

    plan_id: int
    ledger: Ledger
    steps: dict[str, int]
    direction: str
    opened_ms: int
    realized_before: Decimal
    fees_before: Decimal
    funding_before: Decimal
    filled_steps: set[str] = Factory(set)
    quantity: Decimal = ZERO
    invested: Decimal = ZERO
    last_price: Decimal | None = None
    closed_ms: int | None = None
    reason: str = ""

    @property
    def average_price(self) -> Decimal | None:
        """Average price of what the steps bought, or sold on the short side, to 16 digits."""
        return _AVERAGE.divide(self.invested, self.quantity) if self.quantity else None

    def row(self, time_ms: int) -> Row:
        """The deal as it stands."""
        ledger = self.ledger
        return {
            "plan_id": self.plan_id,
            "bot": ledger.bot,
            "symbol": ledger.symbol,
            "direction": self.direction,
            "status": "OPEN" if self.closed_ms is None else "CLOSED",
            "steps": len(self.filled_steps),
            "quantity": self.quantity,
            "invested": self.invested,
            "average_price": self.average_price,
            "last_price": self.last_price,
            "realized_pnl": ledger.realized_pnl - self.realized_before,
            "fees": ledger.fees - self.fees_before,
            "funding": ledger.funding - self.funding_before,
            "reason": self.reason,
            "opened_at": moment(self.opened_ms),
            "closed_at": None if self.closed_ms is None else moment(self.closed_ms),
            "updated_at": moment(time_ms),
        }


@define(eq=False)
class Deals:
    """The deal of each bot, its orders and its steps."""

    changes: Changes
    book: Account
    signals: Signals
    open: dict[str, Deal] = Factory(dict)

    def see(self, step: Step) -> None:
        """Take in what a record did."""
        if step.kind == "plan_granted":
            self._granted(step)
            return
        deal = self._deal(step)
        if deal is None:
            return
        if step.kind == "plan_closed":
            deal.reason = deal.reason or step.record[3]
        elif step.kind == "order_submitted" and step.want is not None:
            self._sent(deal, step.want, step.record[2])
        elif step.kind == "filled" and step.want is not None:
            self._filled(deal, step, step.want)
        elif step.kind not in ("foreign_filled", "funding_booked", "ledger_handed_over"):
            return
        self._put(deal, step.time_ms)

    def _deal(self, step: Step) -> Deal | None:
        if step.kind == "plan_closed":
            return next((deal for deal in self.open.values() if deal.plan_id == step.record[2]), None)
        bot = step.ledger.bot if step.ledger is not None else step.bot
        return self.open.get(bot)

    def _granted(self, step: Step) -> None:
        _, time_ms, bot, _, plan, *_ = step.record
        if not any(leg.purpose is Purpose.SAFETY for leg in plan.legs):
            return
        active = next(reversed(self.book.plans.values()))
        former = self.open.get(bot)
        if former is not None:
            self._close(former, time_ms)
        deal = self.open[bot] = _new_deal(active, time_ms)
        self._put(deal, time_ms)
        self.changes.put(
            "dca_signals",
            (self.signals.last_number,),
            {
                "signal": self.signals.last_number,
                "plan_id": deal.plan_id,
                "evidence": describe(dict(plan.evidence)),
            },
        )

    def _sent(self, deal: Deal, want: Want, order_id: str) -> None:
        is_own = want.plan.id == deal.plan_id
        self.changes.put(
            "dca_orders",
            (order_id,),
            {
                "client_order_id": order_id,
                "plan_id": deal.plan_id,
                "purpose": want.leg.purpose.value,
                "step": deal.steps.get(want.leg.name) if is_own else None,
            },
        )

    def _filled(self, deal: Deal, step: Step, want: Want) -> None:
        if want.plan.id != deal.plan_id or want.leg.name not in deal.steps:
            return
        price, quantity = step.record[4], step.record[5]
        deal.filled_steps.add(want.leg.name)
        deal.quantity += quantity
        deal.invested += price * quantity
        deal.last_price = price
        self.changes.put(
            "dca_history",
            (deal.plan_id, deal.steps[want.leg.name]),
            {
                "plan_id": deal.plan_id,
                "step": deal.steps[want.leg.name],
                "quantity": want.filled,
                "price": _AVERAGE.divide(want.notional, want.filled),
                "fee": want.fees,
                "invested": deal.invested,
                "average_price": deal.average_price,
                "filled_at": moment(step.time_ms),
            },
        )

    def _put(self, deal: Deal, time_ms: int) -> None:
        if deal.plan_id not in self.book.plans and not deal.ledger.quantity:
            self._close(deal, time_ms)
        else:
            self.changes.put("dca_deals", (deal.plan_id,), deal.row(time_ms))

    def _close(self, deal: Deal, time_ms: int) -> None:
        deal.closed_ms = time_ms
        deal.reason = deal.reason or PLAN_CLOSED
        del self.open[deal.ledger.bot]
        self.changes.put("dca_deals", (deal.plan_id,), deal.row(time_ms))


def _new_deal(active: ActivePlan, time_ms: int) -> Deal:
    """A deal without an entry begins with what is held: that is its base."""
    entering = [leg for leg in active.legs.values() if not leg.is_exit]
    ledger = active.ledger
    is_taken_over = all(leg.purpose is not Purpose.ENTRY for leg in entering)
    held = abs(ledger.quantity) if is_taken_over else ZERO
    return Deal(
        plan_id=active.id,
        ledger=ledger,
        quantity=held,
        invested=held * ledger.average_price,
        steps={leg.name: number for number, leg in enumerate(entering, start=int(is_taken_over))},
        direction="LONG" if entering[0].side is Side.BUY else "SHORT",
        opened_ms=time_ms,
        realized_before=ledger.realized_pnl,
        fees_before=ledger.fees,
        funding_before=ledger.funding,
    )
