"""The order desk: turns wants into orders, one generation at a time, and takes the venue's word on them."""

from decimal import Decimal
from typing import TYPE_CHECKING

from traderagent_core.account import reasons
from traderagent_core.account.state import Order, Retry, Slot, Want, WantStatus
from traderagent_core.engine.context import RESERVED_SLOTS
from traderagent_core.model import event as ev
from traderagent_core.model.command import Amend, Cancel, Submit
from traderagent_core.model.instrument import Market
from traderagent_core.model.order import (
    Amendment,
    AttachedStop,
    OrderRequest,
    OrderStatus,
    OrderType,
    Purpose,
)

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine

LIMIT, MARKET, STOP = OrderType.LIMIT, OrderType.MARKET, OrderType.STOP
WANTED, BLOCKED = WantStatus.OPEN, WantStatus.BLOCKED
OVER = (WantStatus.SPENT, WantStatus.ENDED)
SUBMITTED, CANCELED = OrderStatus.SUBMITTED, OrderStatus.CANCELED
NOT_TAKEN = (OrderStatus.NEVER_ACCEPTED, OrderStatus.REJECTED)
NEVER, BACK_OFF = Retry.NEVER, Retry.BACK_OFF
STOP_LOSS = Purpose.STOP_LOSS

RETRIES = {
    "insufficient_quote": Retry.ON_FILL,
    "insufficient_base": Retry.ON_FILL,
    "insufficient_margin": Retry.ON_FILL,
    "post_only_would_cross": Retry.BACK_OFF,
    "rate_limited": Retry.BACK_OFF,
}
"""What becomes of a want whose order was refused; a code that is not here is never tried again."""

NOT_OPEN = "order_not_open"
"""The refusal of a cancellation or an amendment that only says: the order's end or its fills are on their way."""

NO_POSITION = "reduce_only_without_position"
"""The refusal of an order that could only reduce."""

CANCEL_TIMER = "~cancel:"
CANCEL_AGAIN_MS = 5_000
BACK_OFF_MS = (60_000, 3_600_000)
"""First and longest pause before a want whose order was refused is tried again."""

OWN_BACK_OFF_MS = (1_000, 8_000)
"""The same for the engine's own stops and exits: no position stays open or without a stop longer than it must."""


class Desk:
    """Sends, cancels and amends orders; knows nothing of strategies and plans beyond their wants."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._account = engine.account
        self._attaches = any(m.setup.stop_placement == "attached" for m in engine.members.values())
        instruments = {member.symbol: member.instrument for member in engine.members.values()}.items()
        self._limited = {symbol: each for symbol, each in instruments if each.has_largest_order}
        """Instruments with a largest order, by symbol."""
        self._linear = {symbol for symbol, each in instruments if each.market is Market.LINEAR}
        self._closing = {symbol: each.side.opposite for symbol, each in instruments if each.side is not None}
        """What can only reduce where an account holds long and short apart, by symbol."""

    # -- to the venue ---------------------------------------------------------------------------------------

    def send(self, want: Want) -> None:
        """Send a want's unfilled rest as the next generation of its slot; waits while the slot's order lives."""
        slot = want.slot
        if slot.order is not None:
            self.cancel(slot.order)
            return
        engine = self._engine
        leg, price, symbol = want.leg, want.price, want.plan.symbol
        kind = MARKET if price is None else STOP if leg.is_stop else LIMIT
        is_reducing = (leg.is_exit and symbol in self._linear) or self._closing.get(symbol) is want.side
        closes_position = is_reducing and slot.name == "stop"
        slot.generation = generation = slot.generation + 1
        order_id = f"{slot.prefix}{generation}"
        attached: AttachedStop | None = None
        if self._attaches and not leg.is_exit and not is_reducing:
            attached = engine.stops.attach(engine.members[want.plan.bot], want, order_id)
        quantity = want.quantity - want.filled if want.filled else want.quantity
        if self._limited and not closes_position:
            quantity = self._within_limit(symbol, kind, quantity)
        flags = (is_reducing, closes_position)
        engine.records.append(
            ("order_submitted", engine.now_ms, order_id, want.id, generation, kind, price, quantity, *flags)
        )
        self._account.send(want, order_id, kind, price, quantity, is_reducing, closes_position)
        request = OrderRequest(
            order_id,
            symbol,
            want.side,
            kind,
            quantity,
            price,
            is_reducing,
            leg.post_only,
            closes_position,
            attached,
        )
        engine.commands.append(Submit(request))

    def _within_limit(self, symbol: str, kind: OrderType, quantity: Decimal) -> Decimal:
        """As much as the venue takes in one order; the rest goes out when that has been filled."""
        instrument = self._limited.get(symbol)
        most = None if instrument is None else instrument.largest_order(kind)
        return quantity if most is None else min(quantity, most)

    def cancel(self, order: Order) -> None:
        """Ask the venue to cancel; asked once until it has answered."""
        if not order.is_canceling:
            self._engine.record("cancel_sent", order.client_order_id)
            self._engine.commands.append(Cancel(order.client_order_id, order.symbol))

    def withdraw(self, want: Want, reason: str) -> None:
        """End a want by a reason of our own; its order, if one lives, is cancelled."""
        order = want.order
        self._engine.record("want_ended", want.id, reason)
        if order is not None:
            self.cancel(order)

    def resize(self, want: Want, quantity: Decimal, price: Decimal | None) -> None:
        """Give a want new numbers and amend its order in place."""
        self._engine.record("want_resized", want.id, quantity, price)
        order = want.order
        if order is not None:
            change = Amendment(order.client_order_id, price, quantity - want.filled + order.filled)
            self._engine.commands.append(Amend(change, order.symbol))

    def block(self, want: Want, reason: str, retry: Retry) -> None:
        """Hold a want back, or end it when it will never be tried again; the strategy is told."""
        engine = self._engine
        if retry is NEVER:
            engine.record("want_ended", want.id, reason)
        else:
            engine.record("want_blocked", want.id, reason, retry.value)
            self._cover(want)
            if retry is BACK_OFF:
                first_ms, longest_ms = OWN_BACK_OFF_MS if want.leg.slot in RESERVED_SLOTS else BACK_OFF_MS
                delay = min(first_ms << min(want.attempts - 1, 10), longest_ms)
                engine.set_timer(want.plan.bot, f"~retry:{want.id}", engine.now_ms + delay)
        engine.tell_order(want, "blocked", reason)

    def retry(self, want: Want) -> None:
        """Try a blocked want again."""
        self._engine.record("want_unblocked", want.id)
        self._engine.planner.permit_and_send(want)

    # -- from the venue -------------------------------------------------------------------------------------

    def accepted(self, event: ev.OrderAccepted) -> None:
        """The venue has an order; said twice or late, it changes nothing."""
        order = self._account.orders.get(event.client_order_id)
        if order is not None and order.status is SUBMITTED:
            self._engine.records.append(
                ("order_accepted", event.time_ms, event.client_order_id, event.venue_order_id)
            )
            self._account.order_accepted(event.time_ms, event.client_order_id, event.venue_order_id)
            if order.closes_position:
                self._stop_accepted(order)
            if order.want.status in OVER:
                self.cancel(order)  # The cancellation was refused: it has overtaken the order.
        elif order is None:
            self._cancel_stray(event.client_order_id)

    def _stop_accepted(self, order: Order) -> None:
        """An order that closes the position rests; a stop that is not wanted any more protects nothing."""
        member = self._engine.members[order.want.plan.bot]
        if order.want is member.stop.want:
            self._engine.stops.is_there(member)

    def _cancel_stray(self, client_order_id: str) -> None:
        """A stop that was given up or refused while it travelled with an entry has come to life after all."""
        order = self._account.closed_orders.get(client_order_id)
        if order is not None and order.status in NOT_TAKEN:
            self._engine.record("noted", order.want.plan.bot, "stray_stop_canceled", client_order_id)
            self._engine.commands.append(Cancel(client_order_id, order.symbol))

    def rejected(self, event: ev.OrderRejected) -> None:
        """The venue refused an order; one that has traded cannot have been refused."""
        order = self._account.orders.get(event.client_order_id)
        if order is None or order.filled:
            return
        self._engine.record("order_ended", order.client_order_id, "REJECTED", order.filled, event.code)
        self._after_refusal(order.want, event.code)
        self.freed(order.want.slot)

    def _after_refusal(self, want: Want, code: str) -> None:
        if want.status is not WANTED:
            return
        if code == "would_trigger" and want.leg.purpose is STOP_LOSS:
            self._engine.record("want_ended", want.id, code)
            self._engine.stops.is_passed(self._engine.members[want.plan.bot])
        elif code == NO_POSITION:
            self._nothing_to_reduce(want)
        elif want.slot.name != "stop" or not self._is_given_up(want, code):
            # What the engine itself wants, a stop or an exit, is wanted until it is done, whatever the reason was.
            retry = BACK_OFF if want.leg.slot in RESERVED_SLOTS else RETRIES.get(code, NEVER)
            self.block(want, code, retry)

    def _nothing_to_reduce(self, want: Want) -> None:
        """No position is there for an order that only reduces: others have closed it, or a fill is on its way."""
        member = self._engine.members[want.plan.bot]
        self._engine.exits.settle(member)
        if want.status is not WANTED:
            return
        if member.ledger.quantity and want.leg.slot in RESERVED_SLOTS:
            self.block(want, NO_POSITION, BACK_OFF)  # The fill will say; asking at once would go on for ever.
        else:
            self._engine.record("want_ended", want.id, reasons.ALREADY_FLAT)

    def _is_given_up(self, want: Want, code: str) -> bool:
        return self._engine.stops.is_refused(self._engine.members[want.plan.bot], want, code)

    def canceled(self, event: ev.OrderCanceled) -> None:
        """The venue took an order out of its book; the rest of a want that is still wanted goes out again."""
        order = self._account.orders.get(event.client_order_id)
        if order is None:
            return
        self._engine.record("order_ended", order.client_order_id, "CANCELED", event.filled, event.code)
        if order.client_order_id in self._account.orders:
            return
        want = order.want
        if want.status is WANTED and want.slot.want is want:
            self._after_loss(want, event.code, was_asked=order.is_canceling)
        self.freed(want.slot)

    def _after_loss(self, want: Want, code: str, *, was_asked: bool) -> None:
        """A wanted order is gone."""
        if code == NO_POSITION:
            self._nothing_to_reduce(want)
        elif code == "liquidation":
            self._engine.record("want_ended", want.id, code)
        elif not was_asked and want.filled and self._is_dust(want):
            self._engine.record("want_ended", want.id, reasons.DUST)
        elif not was_asked:
            self.block(want, code, BACK_OFF)
        if not was_asked:
            self._engine.tell_order(want, "canceled", code)

    def cancel_rejected(self, event: ev.CancelRejected) -> None:
        """Not open is no evidence of anything: fills or the final word are still to come."""
        order = self._account.orders.get(event.client_order_id)
        if order is not None and order.is_canceling:
            self._engine.record("cancel_refused", order.client_order_id, event.code)
            if event.code != NOT_OPEN:
                due_ms = self._engine.now_ms + CANCEL_AGAIN_MS
                self._engine.set_timer(order.want.plan.bot, f"{CANCEL_TIMER}{order.client_order_id}", due_ms)

    def cancel_again(self, client_order_id: str) -> None:
        """Ask once more for a cancellation that was refused for a passing reason."""
        order = self._account.orders.get(client_order_id)
        if order is not None and order.want.status is not WANTED:
            self.cancel(order)

    def amended(self, event: ev.OrderAmended) -> None:
        """The order rests with new numbers."""
        if event.client_order_id in self._account.orders:
            self._engine.record("order_amended", event.client_order_id, event.price, event.quantity)

    def amend_rejected(self, event: ev.AmendRejected) -> None:
        """A stop that the price has passed is executed at once; what else could not be changed is sent anew."""
        order = self._account.orders.get(event.client_order_id)
        if order is None:
            return
        self._engine.record("noted", order.want.plan.bot, "amend_refused", event.code)
        if event.code == "would_trigger" and order.purpose is STOP_LOSS:
            self._engine.stops.is_passed(self._engine.members[order.want.plan.bot])
        elif event.code != NOT_OPEN and order.want.status is WANTED:
            self._cover(order.want)
            self.cancel(order)

    def _cover(self, want: Want) -> None:
        if want.slot.name == "stop":
            self._engine.stops.cover(self._engine.members[want.plan.bot])

    def settled(self, order: Order) -> None:
        """The last fill of an order has come after the venue's word that it ended, or instead of a cancellation."""
        want = order.want
        if want.status is WANTED and order.status is CANCELED:
            self._after_loss(want, order.reason, was_asked=order.is_canceling)
        self.freed(want.slot)

    def freed(self, slot: Slot) -> None:
        """A slot's order is final: send what is wanted there next."""
        want = slot.want
        if want is not None and slot.order is None and want.status is WANTED:
            if want.filled and self._is_dust(want):
                self._engine.record("want_ended", want.id, reasons.DUST)
            else:
                self.send(want)

    def _is_dust(self, want: Want) -> bool:
        instrument = self._engine.members[want.plan.bot].instrument
        price = want.price or self._engine.view.price(want.plan.symbol)
        return instrument.size_problem(want.quantity - want.filled, price) is not None


__all__ = ["BLOCKED", "Desk"]
