"""The account: orders, wants and ledgers, changed by records only.

Every public method that changes something is a kind of record: the engine appends (method name, arguments) and
calls it. Folding the records of a run over an empty account gives the same account again, without any plugin.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from traderagent_core.account import reasons
from traderagent_core.account.coordination import CoordinationRecords
from traderagent_core.account.ledger import Ledger
from traderagent_core.account.state import ActivePlan, Order, Record, Retry, Slot, Want, WantStatus
from traderagent_core.model.order import Liquidity, OrderStatus, OrderType, Side
from traderagent_core.model.plan import Leg, Plan
from traderagent_core.model.position import MONEY
from traderagent_core.model.remembered import forget_oldest

ZERO = Decimal(0)
BUY = Side.BUY
OPEN, PARTIALLY_FILLED, FILLED, CANCELED = (
    OrderStatus.OPEN,
    OrderStatus.PARTIALLY_FILLED,
    OrderStatus.FILLED,
    OrderStatus.CANCELED,
)
STATUSES = {status.value: status for status in OrderStatus}
SPENT, WANTED, BLOCKED, ENDED = WantStatus.SPENT, WantStatus.OPEN, WantStatus.BLOCKED, WantStatus.ENDED
HOUSE = ""
REMEMBERED_ORDERS = 10_000
REMEMBERED_TRADES = 100_000
"""Ended orders and executions kept to recognise what comes late or twice; the oldest tenth is forgotten at once."""


class Account(CoordinationRecords):
    """Orders, wants and ledgers of one exchange account.

    Strategy ledgers plus the house ledgers equal the account: `net_quantity` and `flow` say what that is. `net` and
    `money` are those sums, kept fill by fill.
    """

    def __init__(self, run_id: str = "sim") -> None:
        self.run_id = run_id
        self.ledgers: dict[tuple[str, str], Ledger] = {}
        self.slots: dict[tuple[str, str], Slot] = {}
        self.plans: dict[int, ActivePlan] = {}
        self.wants: dict[int, Want] = {}
        self.orders: dict[str, Order] = {}
        self.closed_orders: dict[str, Order] = {}
        self.seen_trades: dict[str, None] = {}
        self.just_spent: Want | None = None
        self._own_plans: dict[str, dict[int, ActivePlan]] = {}
        self._rebound: set[str] = set()
        self._moved: set[str] = set()
        self.money = ZERO
        self.net: dict[str, Decimal] = {}
        self._held: Mapping[str, Decimal] | None = None
        self._short: set[str] = set()
        self.blocked = 0
        self.next_plan = 1
        self.next_want = 1

    # -- reading --------------------------------------------------------------------------------------------

    def ledger(self, bot: str, symbol: str) -> Ledger:
        """The ledger of a bot on an instrument; the house's when `bot` is empty."""
        ledger = self.ledgers.get((bot, symbol))
        if ledger is None:
            ledger = self.ledgers[bot, symbol] = Ledger(bot, symbol)
        return ledger

    def slot(self, bot: str, name: str, prefix: str) -> Slot:
        """A slot of a bot, made when it is first named."""
        slot = self.slots.get((bot, name))
        if slot is None:
            slot = self.slots[bot, name] = Slot(bot, name, prefix)
        return slot

    def order(self, client_order_id: str) -> Order | None:
        """An order, live or ended."""
        return self.orders.get(client_order_id) or self.closed_orders.get(client_order_id)

    def plans_of(self, bot: str) -> Collection[ActivePlan]:
        """The plans of one bot, in the order in which they were granted."""
        own = self._own_plans.get(bot)
        return own.values() if own else ()

    def take_rebound(self) -> set[str]:
        """Bots whose position, open orders or ownership may have changed since this was asked last."""
        rebound = self._rebound
        if rebound:
            self._rebound = set()
        return rebound

    def take_moved(self) -> set[str]:
        """Bots whose ledger may have changed since this was asked last: by a fill, funding or a hand-over."""
        moved, self._moved = self._moved, set()
        return moved

    def take_over(self, saved: "Account") -> None:
        """Hold what one of a snapshot holds, and make anew what follows from it."""
        vars(self).update(vars(saved))
        self._own_plans = {}
        for plan in self.plans.values():
            self._own_plans.setdefault(plan.bot, {})[plan.id] = plan
        self._rebound = {bot for bot, _ in self.ledgers}
        self._moved = self._rebound.copy()
        self._held = None
        self._short = {symbol for symbol, quantity in self.net.items() if quantity < ZERO}

    def forget_ended(self) -> None:
        """No more news can come, late or twice: let go of what would be recognised by it."""
        self.closed_orders.clear()
        self.seen_trades.clear()

    def net_quantity(self, symbol: str) -> Decimal:
        """What all ledgers together hold of an instrument."""
        return self.net.get(symbol, ZERO)

    def held(self) -> Mapping[str, Decimal]:
        """The net quantity of every instrument that is held: one mapping until it changes."""
        if self._held is None:
            self._held = {symbol: quantity for symbol, quantity in self.net.items() if quantity}
        return self._held

    @property
    def is_short(self) -> bool:
        """Whether less than nothing is held of any instrument."""
        return bool(self._short)

    def _hold(self, symbol: str, signed: Decimal) -> None:
        """So much more is held of an instrument; less, where it is negative."""
        self._held = None
        self.net[symbol] = quantity = self.net.get(symbol, ZERO) + signed
        if quantity < ZERO:
            self._short.add(symbol)
        else:
            self._short.discard(symbol)

    def flow(self) -> Decimal:
        """Money that all fills, fees and funding brought in."""
        return self.money

    def fold(self, records: Iterable[Record]) -> None:
        """Take in records that were written before."""
        for kind, *arguments in records:
            getattr(self, kind)(*arguments)

    # -- records: plans and wants ---------------------------------------------------------------------------

    def plan_granted(
        self,
        time_ms: int,
        bot: str,
        symbol: str,
        plan: Plan,
        factor: Decimal,
        mode_factor: Decimal,
        legs: tuple[Leg, ...],
        reason: str,
    ) -> ActivePlan:
        """Filters and risk let a plan through, times `factor`; `mode_factor` of it is the risk modes'."""
        active = ActivePlan(self.next_plan, bot, symbol, plan, factor, mode_factor, self.ledger(bot, symbol))
        active.legs = {leg.name: leg for leg in legs}
        self.next_plan += 1
        self.plans[active.id] = active
        self._own_plans.setdefault(bot, {})[active.id] = active
        return active

    def plan_rejected(self, time_ms: int, bot: str, name: str, reason: str, evidence: str) -> None:
        """Filters or risk refused a plan; nothing of it is traded."""

    def plan_closed(self, time_ms: int, plan_id: int, reason: str) -> None:
        """A plan is over; its wants have been ended one by one."""
        del self._own_plans[self.plans.pop(plan_id).bot][plan_id]

    def plan_closing(self, time_ms: int, plan_id: int, reason: str) -> None:
        """A plan is being withdrawn; it is closed once the venue has confirmed the end of its orders."""
        self.plans[plan_id].closing_reason = reason

    def want_granted(
        self,
        time_ms: int,
        plan_id: int,
        leg_name: str,
        prefix: str,
        quantity: Decimal,
        price: Decimal | None,
        parent_id: int,
    ) -> Want:
        """A quantity is to be traded; `parent_id` is the want whose fill placed it, or 0."""
        plan = self.plans[plan_id]
        leg = plan.legs[leg_name]
        return self.grant(plan, leg, self.slot(plan.bot, leg.slot, prefix), quantity, price, parent_id)

    def grant(
        self, plan: ActivePlan, leg: Leg, slot: Slot, quantity: Decimal, price: Decimal | None, parent_id: int
    ) -> Want:
        """What `want_granted` does, for a caller that has the objects at hand."""
        want_id = self.next_want
        self.next_want = want_id + 1
        want = Want(want_id, plan, leg, slot, leg.side, quantity, price)
        parent = self.just_spent
        if parent is not None and parent.id == parent_id:
            want.origin = _closed_by(parent, want)
        slot.want = plan.wants[want_id] = self.wants[want_id] = want
        return want

    def want_blocked(self, time_ms: int, want_id: int, reason: str, retry: str) -> None:
        """A want cannot be sent now."""
        want = self.wants[want_id]
        self.blocked += want.status is not BLOCKED
        want.status = BLOCKED
        want.reason = reason
        want.retry = Retry(retry)
        want.attempts += 1

    def want_unblocked(self, time_ms: int, want_id: int) -> None:
        """A blocked want is tried again."""
        self.wants[want_id].status = WANTED
        self.blocked -= 1

    def want_resized(self, time_ms: int, want_id: int, quantity: Decimal, price: Decimal | None) -> None:
        """A want that follows the position, its average or a trail has new numbers."""
        want = self.wants[want_id]
        want.quantity = quantity
        want.price = price

    def want_shrunk(self, time_ms: int, want_id: int, factor: Decimal) -> None:
        """Risk modes have taken off a want's quantity what `factor` says; not again, should it be tried again."""
        self.wants[want_id].mode_factor = factor

    def want_ended(self, time_ms: int, want_id: int, reason: str) -> None:
        """A want is withdrawn; what it has traded stays traded."""
        want = self.wants[want_id]
        self.blocked -= want.status is BLOCKED
        want.status = ENDED
        want.reason = reason
        want.plan.wants.pop(want.id, None)
        if want.slot.want is want:
            want.slot.want = None
        if want.order is None:
            self.wants.pop(want.id, None)

    # -- records: orders ------------------------------------------------------------------------------------

    def order_submitted(
        self,
        time_ms: int,
        client_order_id: str,
        want_id: int,
        generation: int,
        order_type: OrderType,
        price: Decimal | None,
        quantity: Decimal,
        reduce_only: bool,
        closes_position: bool,
    ) -> Order:
        """An order leaves for the venue: the next generation of its slot."""
        self.wants[want_id].slot.generation = generation
        return self.send(
            self.wants[want_id], client_order_id, order_type, price, quantity, reduce_only, closes_position
        )

    def send(
        self,
        want: Want,
        client_order_id: str,
        order_type: OrderType,
        price: Decimal | None,
        quantity: Decimal,
        reduce_only: bool,
        closes_position: bool,
    ) -> Order:
        """What `order_submitted` does but for counting the generation, for a caller that has the want at hand."""
        side = want.side
        order = Order(client_order_id, want, side, order_type, price, quantity, reduce_only, closes_position)
        plan = want.plan
        plan.live_orders += 1
        want.slot.order = want.order = self.orders[client_order_id] = order
        if price is not None and not reduce_only:
            ledger = plan.ledger
            self._rebound.add(ledger.bot)
            if side is BUY:
                ledger.open_buys += price * quantity
            else:
                ledger.open_sells += price * quantity
        return order

    def order_accepted(self, time_ms: int, client_order_id: str, venue_order_id: str) -> None:
        """The venue has the order."""
        order = self.orders[client_order_id]
        order.status, order.venue_order_id = OPEN, venue_order_id

    def order_amended(
        self, time_ms: int, client_order_id: str, price: Decimal | None, quantity: Decimal
    ) -> None:
        """The order rests with new numbers."""
        order = self.orders[client_order_id]
        self._release(order, order.quantity - order.filled)
        order.price = price
        order.quantity = quantity
        self._release(order, order.filled - order.quantity)

    def cancel_sent(self, time_ms: int, client_order_id: str) -> None:
        """We asked the venue to cancel."""
        self.orders[client_order_id].is_canceling = True

    def cancel_refused(self, time_ms: int, client_order_id: str, code: str) -> None:
        """The venue would not cancel; what became of the order is still open."""
        self.orders[client_order_id].is_canceling = False

    def order_ended(
        self, time_ms: int, client_order_id: str, status: str, filled: Decimal, reason: str
    ) -> bool:
        """The venue's word that an order is over with `filled`; final only when our fills say the same."""
        order = self.orders[client_order_id]
        order.final_filled = filled
        order.reason = reason
        if order.filled < filled:
            return False
        self._retire(order, STATUSES[status])
        return True

    def _retire(self, order: Order, status: OrderStatus) -> None:
        """An order is final: its slot is free, what it left open no longer counts."""
        order.status = status
        order_id = order.client_order_id
        if status is not FILLED:
            self._release(order, order.quantity - order.filled)
        del self.orders[order_id]
        closed = self.closed_orders
        closed[order_id] = order
        forget_oldest(closed, REMEMBERED_ORDERS)
        want = order.want
        want.plan.live_orders -= 1
        if want.order is order:
            want.order = None
        slot = want.slot
        if slot.order is order:
            slot.order = None
        if want.status is SPENT or want.status is ENDED:
            self.wants.pop(want.id, None)

    def _release(self, order: Order, quantity: Decimal) -> None:
        """Take `quantity` of an order out of the open notionals."""
        price = order.price
        if price is None or order.reduce_only:
            return
        ledger = order.want.plan.ledger
        self._rebound.add(ledger.bot)
        if order.side is BUY:
            ledger.open_buys -= price * quantity
        else:
            ledger.open_sells -= price * quantity

    # -- records: money -------------------------------------------------------------------------------------

    def filled(
        self,
        time_ms: int,
        client_order_id: str,
        trade_id: str,
        price: Decimal,
        quantity: Decimal,
        fee: Decimal,
        liquidity: Liquidity,
        is_ambiguous: bool,
    ) -> bool:
        """One execution of an own order, not seen before; true when it spends what was wanted."""
        order = self.orders.get(client_order_id) or self.closed_orders[client_order_id]
        return self.fill(order, trade_id, price, quantity, fee)

    def fill(self, order: Order, trade_id: str, price: Decimal, quantity: Decimal, fee: Decimal) -> bool:
        """What `filled` does, for a caller that has the order at hand."""
        self._remember(trade_id)
        want = order.want
        ledger = want.plan.ledger
        notional = price * quantity
        if want.filled:
            want.filled += quantity
            want.notional += notional
            want.fees += fee
        else:  # Most wants are filled at once: nothing to add up.
            want.filled, want.notional, want.fees = quantity, notional, fee
        ledger.fees += fee
        self._rebound.add(ledger.bot)
        self._moved.add(ledger.bot)
        if order.side is BUY:
            ledger.bought_quantity += quantity
            ledger.bought_notional += notional
            ledger.position.apply(quantity, price)
            self.money -= notional + fee
            self._hold(ledger.symbol, quantity)
        else:
            ledger.position.apply(-quantity, price)
            self.money += notional - fee
            self._hold(ledger.symbol, -quantity)
        is_whole = not ledger.position.quantity if order.closes_position else want.filled >= want.quantity
        spends = is_whole and (want.status is WANTED or want.status is BLOCKED)
        if spends:
            self._spend(want)
        order.filled = order.filled + quantity if order.filled else quantity
        if order.client_order_id in self.orders:
            self._release(order, quantity)
            self._settle(order, ledger.position.quantity)
        return spends

    def _settle(self, order: Order, held: Decimal) -> None:
        """Where a live order stands after a fill; one that the venue has ended waits for its last fill.

        One that closes the position is for all that is held when it trades, not only for what it was sent with.
        """
        is_whole = order.filled >= order.quantity
        if order.closes_position:
            is_left = held < ZERO if order.side is BUY else held > ZERO
            is_whole = not held or (is_whole and not is_left)
        if is_whole:
            self._retire(order, FILLED)
        elif order.final_filled is not None and order.filled >= order.final_filled:
            self._retire(order, CANCELED)
        else:
            order.status = PARTIALLY_FILLED

    def _remember(self, trade_id: str) -> None:
        seen = self.seen_trades
        seen[trade_id] = None
        forget_oldest(seen, REMEMBERED_TRADES)

    def _spend(self, want: Want) -> None:
        self.blocked -= want.status is BLOCKED
        want.status = SPENT
        self.just_spent = want
        want.reason = reasons.FILLED
        origin = want.origin
        if origin is not None:
            ledger = want.plan.ledger
            gain = _gain(origin, want)
            ledger.cycle_profit += gain if origin.side is BUY else -gain
            ledger.cycles += 1
        plan = want.plan
        if want.leg.name in plan.plan.references:
            plan.fill_prices[want.leg.name] = MONEY.divide(want.notional, want.filled)
        del plan.wants[want.id]
        if want.slot.want is want:
            want.slot.want = None

    def foreign_filled(
        self,
        time_ms: int,
        bot: str,
        symbol: str,
        trade_id: str,
        side: Side,
        price: Decimal,
        quantity: Decimal,
        fee: Decimal,
    ) -> None:
        """An execution that we did not order: a liquidation, or somebody else's; booked to `bot` or the house."""
        self._remember(trade_id)
        ledger = self.ledger(bot, symbol)
        self._rebound.add(bot)
        self._moved.add(bot)
        ledger.fees += fee
        signed = quantity if side is BUY else -quantity
        ledger.trade(signed, price)
        self.money -= signed * price + fee
        self._hold(symbol, signed)

    def funding_booked(self, time_ms: int, bot: str, symbol: str, amount: Decimal) -> None:
        """A share of a funding payment."""
        self.ledger(bot, symbol).funding += amount
        self._moved.add(bot)
        self.money += amount

    def owner_changed(self, time_ms: int, bot: str, symbol: str, old: str, new: str) -> None:
        """A pair belongs to another of its strategies, or to none."""
        self._rebound.update((old, new))

    def ledger_handed_over(
        self, time_ms: int, bot: str, symbol: str, heir: str, quantity: Decimal, price: Decimal
    ) -> None:
        """What a bot holds, a signed quantity at its average price, belongs to another one now; nothing is traded."""
        self.ledger(bot, symbol).hand_over(self.ledger(heir, symbol), quantity, price)
        self._rebound.update((bot, heir))
        self._moved.update((bot, heir))

    # -- records that change nothing here -------------------------------------------------------------------

    def noted(self, time_ms: int, bot: str, reason: str, evidence: str) -> None:
        """A strategy or the engine says why something was done or left undone."""

    def plugin_failed(self, time_ms: int, bot: str, callback: str, error: str) -> None:
        """A plugin raised; what it asked for in that call was dropped."""

    def mode_changed(
        self,
        time_ms: int,
        mode: str,
        is_active: bool,
        reason: str,
        size_factor: Decimal,
        is_entry_allowed: bool,
    ) -> None:
        """A risk mode or guard began or ended."""


def _closed_by(parent: Want, want: Want) -> Want | None:
    """The parent, when `want` is its counter and so completes a cycle with it."""
    is_counter = parent.slot is want.slot and parent.side is not want.side
    return parent if is_counter and parent.origin is None else None


def _gain(origin: Want, counter: Want) -> Decimal:
    """What a counter has brought more than its origin, by what both have traded: one may have been scaled."""
    if counter.filled == origin.filled:
        return counter.notional - origin.notional
    both = min(counter.filled, origin.filled)
    return both * (counter.notional / counter.filled) - both * (origin.notional / origin.filled)


def describe(evidence: Mapping[str, Any]) -> str:
    """Evidence as short stable text: `key=value, …`."""
    return ", ".join([f"{key}={value}" for key, value in evidence.items()])
