"""One record and what it did to the account: all that the parts of the projection look at."""

from decimal import Decimal

from attrs import define

from traderagent_core.account.account import Account
from traderagent_core.account.ledger import Ledger
from traderagent_core.account.state import Order, Record, Want

ZERO = Decimal(0)
_OF_AN_ORDER = frozenset(
    {"order_accepted", "order_amended", "order_ended", "cancel_sent", "cancel_refused", "filled"}
)
_OF_A_WANT = frozenset({"want_blocked", "want_unblocked", "want_resized", "want_shrunk", "want_ended"})


@define(eq=False)
class Step:
    """A record with the want, order and ledger that it is about, and how it changed the ledger.

    `heir` is the ledger that what is held goes to.
    """

    record: Record
    kind: str
    time_ms: int
    want: Want | None = None
    order: Order | None = None
    ledger: Ledger | None = None
    heir: Ledger | None = None
    realized: Decimal = ZERO
    cycles: int = 0
    cycle_profit: Decimal = ZERO
    is_spent: bool = False

    @property
    def bot(self) -> str:
        """The bot whose want it is, or empty."""
        return self.want.plan.bot if self.want is not None else ""


def take_step(book: Account, record: Record) -> Step:
    """Fold a record into the account and tell what it did."""
    step = Step(record, record[0], record[1])
    _find_subject(book, step)
    ledger = step.ledger
    before = None if ledger is None else (ledger.realized_pnl, ledger.cycles, ledger.cycle_profit)
    result = getattr(book, step.kind)(*record[1:])
    if step.kind == "want_granted":
        step.want = result
    elif step.kind == "order_submitted":
        step.order, step.want = result, result.want
    elif step.kind == "filled":
        step.is_spent = result
    if ledger is not None and before is not None:
        step.realized = ledger.realized_pnl - before[0]
        step.cycles = ledger.cycles - before[1]
        step.cycle_profit = ledger.cycle_profit - before[2]
    return step


def _find_subject(book: Account, step: Step) -> None:
    record, kind = step.record, step.kind
    if kind in _OF_AN_ORDER:
        step.order = book.order(record[2])
        step.want = step.order.want if step.order is not None else None
    elif kind in _OF_A_WANT:
        step.want = book.wants[record[2]]
    elif kind in ("foreign_filled", "funding_booked", "ledger_handed_over"):
        step.ledger = book.ledger(record[2], record[3])
    if kind == "ledger_handed_over":
        step.heir = book.ledger(record[4], record[3])
    if kind == "filled" and step.want is not None:
        step.ledger = step.want.plan.ledger
