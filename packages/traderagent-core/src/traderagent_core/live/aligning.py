"""Brings the engine in line with the account: what reads have told, and what was found out of single orders."""

from collections.abc import Callable
from typing import Any

from attrs import frozen

from traderagent_core.account.state import Order
from traderagent_core.contract.exchange_adapter import ExchangeAdapter
from traderagent_core.contract.venue_facts import OrderReport
from traderagent_core.live.entries import CLOCK, Entries
from traderagent_core.live.outbox import Outbox, protects
from traderagent_core.live.reconcile import Reads, Reconciler
from traderagent_core.live.reports import facts_of, never_accepted, never_left
from traderagent_core.live.resolver import Resolver
from traderagent_core.live.stepper import Stepper
from traderagent_core.live.vitals import Vitals
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.instrument import Market
from traderagent_core.model.order import OrderRequest, OrderStatus

LARGEST_SKEW_MS = 5_000
"""How far the clocks of exchange and machine may be apart until entries are held back."""


@frozen
class Hands:
    """What the driver does for its part that compares.

    It steps the engine with an event, has a fact taken in its turn, says an operator's word, and writes the log.
    """

    step: Callable[[ev.Event], None]
    tell: Callable[[Any], None]
    say: Callable[[str, str, str], None]
    log: Callable[..., None]


class Aligning:
    """The driver's part that compares."""

    def __init__(
        self, adapter: ExchangeAdapter, stepper: Stepper, entries: Entries, vitals: Vitals, hands: Hands
    ) -> None:
        self._clock = adapter.clock
        self._stepper = stepper
        self._engine = stepper.engine
        self._entries = entries
        self._hands = hands
        self.resolver = Resolver(adapter, self._found, self._absent, self._is_refused)
        self.outbox = Outbox(adapter, stepper.engine, self.resolver, hands.tell, vitals)
        self.reconciler = Reconciler(stepper.engine, stepper.funded)
        self._ahead_ms = self._ahead_of_monotonic()

    def reconcile(self, reads: Reads) -> None:
        """What was read: executions, orders with stops first, strays, positions, the clock."""
        moved = self.reconciler.moved(reads)
        for event in self.reconciler.missed(reads):
            self._hands.step(event)
        for order, report in self.reconciler.orders(reads):
            request = self._stepper.requests.get(order.client_order_id)
            if report is not None:
                self._bring_in_line(report)
                self._send_again(order, report)
            elif self.outbox.is_under_way(order.client_order_id):
                continue  # It waits for its turn; its answer will say.
            elif self._engine.stops.is_travelling(order.client_order_id):
                continue  # It is nowhere before the entry that carries it has traded.
            elif request is not None:
                self._ask(request)
            else:
                self.resolver.look_up(order.symbol, order.client_order_id)
        for bot, stray in self.reconciler.strays(reads):
            self._take_back(bot, stray)
        for adjustment in self.reconciler.adjustments(reads, moved):
            self._hands.log("ledger_adjusted", symbol=adjustment.symbol, quantity=str(adjustment.quantity))
            self._hands.step(adjustment)
            self._pause(adjustment.symbol, "position differed from the exchange's")
        self._judge_clock(reads)

    def has_traded(self, order_id: str) -> None:
        """Look a stop up that has traded more than we knew that it was for: there is more that was not heard."""
        order = self._engine.account.order(order_id)
        if order is not None and order.closes_position and order.filled > order.quantity:
            self.resolver.look_up(order.symbol, order_id)

    def _ask(self, request: OrderRequest) -> None:
        """Find out about an order that no list shows; what protects is sent again at once, before that is known."""
        name = request.client_order_id
        if protects(request) and name not in self.resolver.cases and self.outbox.is_wanted(name):
            self.outbox.put([cmd.Submit(request)])
        self.resolver.ask(request)

    def suspects_clock(self) -> bool:
        """Whether the clock was set since the last read, or the machine slept: what seems due may be early.

        Entries are held back until the next read has told the time.
        """
        moved_ms = self._ahead_of_monotonic() - self._ahead_ms
        if abs(moved_ms) <= LARGEST_SKEW_MS:
            return False
        seconds = moved_ms / 1000
        self._entries.bar(
            CLOCK, f"the clock of this machine has moved by {seconds:+.1f} s; the exchange is asked"
        )
        return True

    def _ahead_of_monotonic(self) -> int:
        return self._clock.now_ms() - self._clock.monotonic_ms()

    def _judge_clock(self, reads: Reads) -> None:
        """Whether the clock forbids entries."""
        self._ahead_ms = self._ahead_of_monotonic()
        if abs(reads.skew_ms) > LARGEST_SKEW_MS:
            seconds = reads.skew_ms / 1000
            self._entries.bar(
                CLOCK,
                f"the clock of the exchange is {seconds:+.1f} s from that of this machine; set this one right (NTP)",
            )
        else:
            self._entries.allow(CLOCK)

    def set_leverage_again(self) -> None:
        """A start may have ended between its record and the request; setting it twice does no harm."""
        for member in self._engine.members.values():
            if member.is_started and member.instrument.market is Market.LINEAR:
                self.outbox.put([cmd.SetLeverage(member.symbol, member.setup.leverage)])

    # -- single orders --------------------------------------------------------------------------------------

    def _bring_in_line(self, report: OrderReport) -> None:
        order = self._engine.account.orders.get(report.client_order_id)
        if order is not None:
            for event in facts_of(order, report, self._clock.now_ms()):
                self._hands.step(event)

    def _is_refused(self, order_id: str) -> bool:
        order = self._engine.account.closed_orders.get(order_id)
        return order is not None and order.status is OrderStatus.REJECTED

    def _send_again(self, order: Order, report: OrderReport) -> None:
        """What was decided about a live order, and has never left."""
        name = order.client_order_id
        if name in self._engine.account.orders and not self.outbox.is_under_way(name):
            command = never_left(order, report)
            if command is not None:
                self.outbox.put([command])

    def _take_back(self, bot: str, report: OrderReport) -> None:
        """An order of ours that we know nothing of: what was to be written before sending was not, so stop adding.

        A stop that was held to be gone is only taken back: there is another one by now, or no position.
        """
        self._hands.log("stray_order", bot=bot, client_order_id=report.client_order_id)
        is_known = report.client_order_id in self._engine.account.closed_orders
        if is_known or not report.reduce_only:
            self.outbox.put([cmd.Cancel(report.client_order_id, report.symbol)])
        if is_known and report.reduce_only:
            return
        self._pause(report.symbol, f"order {report.client_order_id} is not in the journal")

    def _pause(self, symbol: str, reason: str) -> None:
        for member in self._engine.members.values():
            if member.symbol == symbol and not member.is_paused:
                self._hands.say(member.name, "pause", reason)

    def _found(self, report: OrderReport | None, fills: list[ev.OrderFilled]) -> None:
        """The venue's word on an order that was looked for."""

        def apply() -> None:
            for fill in fills:
                self._hands.step(fill)
            if report is not None:
                self._bring_in_line(report)

        self._hands.tell(apply)

    def _absent(self, order_id: str, request: OrderRequest | None) -> None:
        """An order was never taken: sent again under the same id while it is wanted, else it never was."""

        def apply() -> None:
            if self.outbox.is_under_way(order_id) or not self.outbox.is_unheard_of(order_id):
                return
            if request is not None and self.outbox.is_wanted(order_id):
                self.outbox.put([cmd.Submit(request)])
            else:
                self._hands.step(never_accepted(order_id, self._clock.now_ms()))

        self._hands.tell(apply)
