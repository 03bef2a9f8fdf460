"""Reads the records of a run back: wants, fills, trades, what was decided, and the money after each fill."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from attrs import Factory, define

from traderagent_core.account.state import Record
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import Leg
from traderagent_core.simulator.equity import MoneySteps
from traderagent_core.simulator.outcome import FillTotals
from traderagent_core.simulator.trades import Lot, TradeBook

ZERO = Decimal(0)
BUY = Side.BUY
TOLD = frozenset({"plan_rejected", "want_blocked", "want_shrunk", "noted", "plugin_failed", "mode_changed"})
"""Records besides those of granted and closed plans that have a row of decisions."""


def is_internal(plan: str) -> bool:
    """Whether a plan of this name was made by the engine itself."""
    return plan.startswith("~")


class PlanEntry(NamedTuple):
    """A granted plan as the records tell it; `number` is its id."""

    number: int
    time_ms: int
    bot: str
    symbol: str
    name: str
    evidence: Mapping[str, Any]
    factor: Decimal
    reason: str


class Task(NamedTuple):
    """What of a leg is asked for after the run; all wants of a leg share it."""

    name: str
    slot: str
    side: Side
    purpose: Purpose
    closes: bool
    is_exit: bool
    told: tuple[str, str, str]
    """Slot, purpose and side, as rows show them."""


@define(eq=False)
class WantEntry:
    """A want as the records tell it; `quantity`, `filled` and `is_over` only of one that is to complete a cycle."""

    plan: PlanEntry
    leg: Task
    origin: "WantEntry | None" = None
    lot: Lot | None = None
    quantity: Decimal = ZERO
    filled: Decimal = ZERO
    is_over: bool = False

    @property
    def place(self) -> tuple[str, str, str, str, str]:
        """Bot, symbol, slot, purpose and side, as rows show them."""
        plan = self.plan
        return plan.bot, plan.symbol, *self.leg.told


@define(eq=False)
class RecordReader:
    """One pass over the records of a run, from its first; times and money as in the records.

    `fills` and `told` are how many rows there are of executions and of decisions; `cycles` are the numbers of those
    executions, counted from 1, that completed a cycle by the rules of ledgers.
    """

    balance: Decimal
    plans: list[PlanEntry] = Factory(list)
    wants: list[WantEntry] = Factory(list)
    owners: dict[str, WantEntry] = Factory(dict)
    fills: int = 0
    cycles: set[int] = Factory(set)
    told: int = 0
    trades: TradeBook = Factory(TradeBook)
    money: MoneySteps = Factory(lambda self: MoneySteps(self.balance), takes_self=True)
    fees: Decimal = ZERO
    turnover: Decimal = ZERO
    ambiguous: int = 0
    _legs: dict[int, dict[str, Leg | Task]] = Factory(dict)
    """Of plans that are not over."""
    _tasks: dict[tuple[str, str, int, int, bool], Task] = Factory(dict)

    def take(self, records: Iterable[Record]) -> None:
        """Take in the next records."""
        find = self._handlers().get
        for record in records:
            handler = find(record[0])
            if handler is not None:
                handler(record)

    def read(self, records: Iterable[Record]) -> "RecordReader":
        """Take in the last records, or all there are."""
        self.take(records)
        for want in self.wants:
            if want.lot is not None and not self.trades.holds(want.lot):
                want.lot = None  # Most of what was ever opened is closed.
        return self

    def _handlers(self) -> dict[str, Callable[[Record], None]]:
        return {
            "plan_granted": self._plan_granted,
            "plan_closed": self._plan_closed,
            "want_granted": self._want_granted,
            "want_resized": self._want_resized,
            "want_ended": self._want_ended,
            "order_submitted": self._order_submitted,
            "filled": self._filled,
            "foreign_filled": self._foreign_filled,
            "funding_booked": self._funding_booked,
            "ledger_handed_over": self._handed_over,
            **dict.fromkeys(TOLD, self._told),
        }

    # -- plans, wants ---------------------------------------------------------------------------------------

    def _plan_granted(self, record: Record) -> None:
        _, time_ms, bot, symbol, plan, factor, _, legs, reason = record
        number = len(self.plans) + 1
        self.plans.append(PlanEntry(number, time_ms, bot, symbol, plan.name, plan.evidence, factor, reason))
        self._legs[number] = {leg.name: leg for leg in legs}
        self.told += not is_internal(plan.name)

    def _plan_closed(self, record: Record) -> None:
        del self._legs[record[2]]
        self.told += not is_internal(self.plans[record[2] - 1].name)

    def _told(self, _record: Record) -> None:
        self.told += 1

    def _want_granted(self, record: Record) -> None:
        _, _, plan_id, leg_name, _, quantity, _, parent_id = record
        leg = self._task(self._legs[plan_id], leg_name)
        want = WantEntry(self.plans[plan_id - 1], leg)
        if parent_id:
            parent = self.wants[parent_id - 1]
            if parent.leg.slot == leg.slot and parent.leg.side is not leg.side and parent.origin is None:
                want.origin, want.quantity = parent, quantity
        self.wants.append(want)

    def _task(self, legs: dict[str, Leg | Task], name: str) -> Task:
        found = legs[name]
        if isinstance(found, Task):
            return found
        # Members of an enum are looked up by what they are: their own hash takes longer than all of this.
        key = (name, found.slot, id(found.side), id(found.purpose), found.closes)
        task = self._tasks.get(key)
        if task is None:
            told = (found.slot, found.purpose.value, found.side.value)
            task = Task(name, found.slot, found.side, found.purpose, found.closes, found.is_exit, told)
            self._tasks[key] = task
        legs[name] = task
        return task

    def _want_resized(self, record: Record) -> None:
        want = self.wants[record[2] - 1]
        if want.origin is not None:
            want.quantity = record[3]

    def _want_ended(self, record: Record) -> None:
        want = self.wants[record[2] - 1]
        if want.origin is not None:
            want.is_over = True

    # -- orders and money -----------------------------------------------------------------------------------

    def _order_submitted(self, record: Record) -> None:
        self.owners[record[2]] = self.wants[record[3] - 1]

    def _filled(self, record: Record) -> None:
        _, time_ms, order_id, _, price, quantity, fee, _, is_ambiguous = record
        want = self.owners[order_id]
        leg, bot, symbol = want.leg, want.plan.bot, want.plan.symbol
        self.ambiguous += is_ambiguous
        self._book(time_ms, symbol, leg.side, price, quantity, fee)
        origin = want.origin
        if origin is not None:
            want.filled = want.filled + quantity if want.filled else quantity
            if want.filled >= want.quantity and not want.is_over:
                want.is_over = True
                self.cycles.add(self.fills)
        if leg.is_exit:
            self.trades.exit(bot, symbol, leg.slot, time_ms, leg.side, price, quantity, fee)
            return
        lot = want.lot
        if lot is None or not self.trades.holds(lot):
            lot = want.lot = self.trades.open(bot, symbol, leg.slot, time_ms, leg.side)
        lot.add(price, quantity, fee)
        if origin is not None and origin.lot is not None and want.filled >= want.quantity:
            self.trades.cycle(origin.lot, lot, time_ms)

    def _foreign_filled(self, record: Record) -> None:
        _, time_ms, bot, symbol, _, side, price, quantity, fee = record
        self._book(time_ms, symbol, side, price, quantity, fee)
        self.trades.exit(bot, symbol, "", time_ms, side, price, quantity, fee)

    def _book(
        self, time_ms: int, symbol: str, side: Side, price: Decimal, quantity: Decimal, fee: Decimal
    ) -> None:
        """Keep what an execution moved."""
        self.fills += 1
        notional = price * quantity
        self.turnover += notional
        self.fees += fee
        if side is BUY:
            self.money.fill(time_ms, symbol, quantity, -notional - fee)
        else:
            self.money.fill(time_ms, symbol, -quantity, notional - fee)

    def totals(self) -> FillTotals:
        """What all fills add up to."""
        return FillTotals(self.fills, self.ambiguous, self.fees, self.turnover)

    def _handed_over(self, record: Record) -> None:
        self.trades.hand_over(record[2], record[4])

    def _funding_booked(self, record: Record) -> None:
        self.money.pay(record[1], record[4])
