"""Defects in finding out what became of orders and of the account: look-ups, reads, reconciliation."""

import asyncio
from copy import copy
from typing import Any

from attrs import evolve, frozen

from traderagent_core.engine.stops import Stops
from traderagent_core.errors import ExchangeUnavailableError
from traderagent_core.live import running
from traderagent_core.live.driver import Driver
from traderagent_core.live.outbox import Outbox
from traderagent_core.live.reconcile import Reconciler
from traderagent_core.live.reports import never_accepted
from traderagent_core.live.resolver import Resolver
from traderagent_core.live.stepper import Stepper
from traderagent_core.model import event as ev
from traderagent_core.model.order import Liquidity, OrderType, Purpose
from traderagent_core.testing.faults import process
from traderagent_core.testing.faults.defects.defect import Defect, Patch
from traderagent_core.testing.faults.kinds import Fault


def _absent_at_once(real: Any) -> Any:  # noqa: ARG001
    def is_proved(resolver: Any, case: Any) -> bool:
        resolver.absent(case.client_order_id, None)
        return True

    return is_proved


@frozen
class Forgetful:
    """A resolver that takes what it is asked to find out about for gone."""

    outbox: Any

    def ask(self, request: Any) -> None:
        """Forget it."""
        self.outbox._tell(never_accepted(request.client_order_id, self.outbox._now()))

    def sent_again(self, client_order_id: str) -> None:
        """Nothing is looked for."""


def _dropped(real: Any) -> Any:
    async def submit(outbox: Any, request: Any) -> None:
        other = copy(outbox)
        other._resolver = Forgetful(outbox)
        await real(other, request)

    return submit


def _failure_as_absence(real: Any) -> Any:
    async def look(resolver: Any, case: Any) -> bool:
        before = case.looks, case.absences
        if await real(resolver, case):
            return True
        is_failed = (case.looks, case.absences) == before
        return is_failed and bool(resolver._is_proved_absent(case))

    return look


def _by_the_wall_clock(real: Any) -> Any:
    def begin(resolver: Any, *arguments: Any) -> None:
        known = set(resolver.cases)
        real(resolver, *arguments)
        for name in set(resolver.cases) - known:
            resolver.cases[name].since_ms = resolver.adapter.clock.now_ms()

    return begin


def _proved_by_the_wall_clock(real: Any) -> Any:
    def is_proved(resolver: Any, case: Any) -> bool:
        clock = resolver.adapter.clock
        wall_ms, case.since_ms = case.since_ms, clock.monotonic_ms() - (clock.now_ms() - case.since_ms)
        try:
            return bool(real(resolver, case))
        finally:
            case.since_ms = wall_ms

    return is_proved


def _unlisted(reconciler: Any, reads: Any) -> Any:
    for order in list(reconciler.engine.account.orders.values()):
        order_id = order.client_order_id
        is_travelling = reconciler.engine.stops.is_travelling(order_id)
        if order_id in reads.known and order_id not in reads.orders and not is_travelling:
            yield order


def _missing_as_filled(real: Any) -> Any:
    def missed(reconciler: Any, reads: Any) -> Any:
        yield from real(reconciler, reads)
        for order in list(_unlisted(reconciler, reads)):
            if order.type is OrderType.LIMIT:
                rest = order.quantity - order.filled
                name = order.client_order_id
                how = (order.symbol, order.side, order.price, rest, rest * 0, Liquidity.MAKER)
                yield ev.OrderFilled(reads.time_ms, name, f"missing-{name}", *how)

    return missed


def _missing_as_canceled(real: Any) -> Any:
    def missed(reconciler: Any, reads: Any) -> Any:
        yield from real(reconciler, reads)
        for order in list(_unlisted(reconciler, reads)):
            yield ev.OrderCanceled(reads.time_ms, order.client_order_id, order.filled, "missing")

    return missed


def _without_fills(real: Any) -> Any:
    return lambda reconciler, reads: real(reconciler, evolve(reads, fills=()))


def _no_fills(real: Any) -> Any:  # noqa: ARG001
    async def fills(resolver: Any, client_order_id: str) -> Any:  # noqa: ARG001
        return []

    return fills


def _cursor_follows_the_stream(real: Any) -> Any:
    def take(stepper: Any, event: Any) -> Any:
        if isinstance(event, ev.OrderFilled):
            stepper.cursor_ms = max(stepper.cursor_ms or 0, event.time_ms)
        return real(stepper, event)

    return take


def _strays_and_foreign(real: Any) -> Any:
    def strays(reconciler: Any, reads: Any) -> Any:
        yield from real(reconciler, reads)
        members = list(reconciler.engine.members.values())
        for order_id, report in reads.orders.items():
            if not any(order_id.startswith(member.prefix) for member in members):
                yield members[0].name, report

    return strays


def _without_stops(real: Any) -> Any:
    def orders(reconciler: Any, reads: Any) -> Any:
        return (found for found in real(reconciler, reads) if found[0].purpose is not Purpose.STOP_LOSS)

    return orders


def _link_up_unheeded(real: Any) -> Any:
    def link_up(driver: Any, fact: Any) -> None:
        kept, driver.wants_reads = driver.wants_reads, asyncio.Event()
        real(driver, fact)
        driver.wants_reads = kept

    return link_up


def _pause_to_its_end(real: Any) -> Any:
    return lambda pause, news: real(pause, None)  # noqa: ARG005


def _only_when_asked(real: Any) -> Any:  # noqa: ARG001
    async def keep_reconciled(driver: Any) -> None:
        while True:
            await driver.wants_reads.wait()
            driver.wants_reads.clear()
            driver.tell(await running.read_patiently(driver))

    return keep_reconciled


@frozen
class Emptied:
    """An adapter whose failed reads look as though there were nothing."""

    real: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def positions(self) -> Any:
        """Positions."""
        return await self._or_nothing(self.real.positions())

    async def open_orders(self) -> Any:
        """Live orders."""
        return await self._or_nothing(self.real.open_orders())

    async def executions(self, since_ms: int) -> Any:
        """Fills."""
        return await self._or_nothing(self.real.executions(since_ms))

    async def _or_nothing(self, read: Any) -> Any:
        try:
            return await read
        except ExchangeUnavailableError:
            return []


def _failure_as_nothing(real: Any) -> Any:
    return lambda adapter, *rest: real(Emptied(adapter), *rest)


DEFECTS = (
    Defect(
        "not_found_is_dead",
        "An order that one look does not find is held to have never been taken.",
        ("I1", "I4", "I6", "I7", "liveness"),
        (Patch(Resolver, "_is_proved_absent", _absent_at_once),),
        (Fault.HIDDEN_ORDERS, Fault.LOST_REPLY),
    ),
    Defect(
        "network_error_drops_order",
        "An order whose answer is lost is forgotten.",
        ("I1", "I6", "I7"),
        (Patch(Outbox, "_submit", _dropped),),
        (Fault.LOST_REPLY,),
    ),
    Defect(
        "failed_look_is_absence",
        "A look-up that fails counts as one that finds nothing.",
        ("I1", "I6", "I7", "liveness"),
        (Patch(Resolver, "_look", _failure_as_absence),),
        (Fault.LOST_REPLY, Fault.MAINTENANCE, Fault.FAILED_READ),
        first_seed=11,
    ),
    Defect(
        "absence_by_the_wall_clock",
        "How long an order has been looked for is told by a clock that somebody sets.",
        ("I1", "I6", "I7", "liveness"),
        (
            Patch(Resolver, "ask", _by_the_wall_clock),
            Patch(Resolver, "look_up", _by_the_wall_clock),
            Patch(Resolver, "_is_proved_absent", _proved_by_the_wall_clock),
        ),
        (Fault.CLOCK_JUMP, Fault.LOST_REQUEST),
        first_seed=20,
    ),
    Defect(
        "missing_is_filled",
        "An order that is not in the list of open orders counts as filled.",
        ("I3", "I4", "I7"),
        (Patch(Reconciler, "missed", _missing_as_filled),),
        (Fault.HIDDEN_ORDERS,),
        first_seed=4,
    ),
    Defect(
        "missing_is_canceled",
        "An order that is not in the list of open orders counts as canceled.",
        ("I1", "I6", "I7"),
        (Patch(Reconciler, "missed", _missing_as_canceled),),
        (Fault.HIDDEN_ORDERS,),
    ),
    Defect(
        "no_execution_backfill",
        "Executions that no stream has told are not read.",
        ("I3", "I4", "liveness"),
        (
            Patch(Reconciler, "missed", _without_fills),
            Patch(Resolver, "_fills", _no_fills),
        ),
        (Fault.DROPPED_MESSAGE,),
    ),
    Defect(
        "cursor_from_stream",
        "Executions are read from the newest one on that a stream has told.",
        ("I3", "I4", "liveness"),
        (
            Patch(Stepper, "take", _cursor_follows_the_stream),
            Patch(running, "OVERLAP_MS", lambda _: 0),
        ),
        (Fault.DROPPED_MESSAGE, Fault.PARTIAL_FILL, Fault.MANUAL_TRADE, Fault.DELEVERAGED),
    ),
    Defect(
        "no_overlap_of_reads",
        "Executions are read from the last read on, though that one may have come from behind.",
        ("I3", "I4", "liveness"),
        (Patch(running, "OVERLAP_MS", lambda _: 0),),
        (Fault.STALE_PAGE, Fault.DROPPED_MESSAGE, Fault.PARTIAL_FILL, Fault.MANUAL_TRADE),
        first_seed=2,
    ),
    Defect(
        "foreign_order_canceled",
        "Orders that are not ours are taken for strays.",
        ("I6",),
        (Patch(Reconciler, "strays", _strays_and_foreign),),
        (Fault.FOREIGN_ORDER,),
    ),
    Defect(
        "stop_not_verified",
        "Nobody looks whether a stop that was decided is at the exchange.",
        ("I5", "liveness"),
        (Patch(Reconciler, "orders", _without_stops),),
        (Fault.CRASH_AT_STEP, Fault.CRASH, Fault.CRASH_IN_RECOVERY),
        first_seed=2,
    ),
    Defect(
        "adjusted_at_once",
        "Ledgers are adjusted to a position that differs at a single read.",
        ("I3", "I4"),
        (Patch(Reconciler, "_is_certain", lambda _: lambda _, __, missing, *___: bool(missing)),),
        (Fault.STALE_PAGE, Fault.DROPPED_MESSAGE),
        first_seed=6,
    ),
    Defect(
        "no_read_after_reconnection",
        "What happened while the stream was away is read at the next periodic pass only.",
        ("I4",),
        (Patch(Driver, "_link_up", _link_up_unheeded),),
        (Fault.CONNECTION_LOSS,),
        first_seed=16,
    ),
    Defect(
        "pause_outlasts_reconnection",
        "A pause between failed reads grows to a minute, and goes on though the connection is back.",
        ("I4",),
        (
            Patch(running, "_is_cut_short", _pause_to_its_end),
            Patch(running, "LONGEST_PAUSE_MS", lambda _: 60_000),
        ),
        (Fault.MAINTENANCE,),
        first_seed=6,
    ),
    Defect(
        "no_periodic_read",
        "The account is read after a reconnection only.",
        ("I4", "I3", "liveness"),
        (Patch(process, "keep_reconciled", _only_when_asked),),
        (Fault.DROPPED_MESSAGE,),
    ),
    Defect(
        "failed_read_is_empty",
        "A read that fails is taken for one that finds nothing.",
        ("I3", "I4", "I6", "I7"),
        (Patch(running, "read_account", _failure_as_nothing),),
        (Fault.FAILED_READ,),
        strength=10.0,
        first_seed=4,
    ),
    Defect(
        "travelling_stop_looked_for",
        "A stop that travels with an entry is looked for before that has traded.",
        ("I1", "I5", "I6", "I7", "liveness"),
        (Patch(Stops, "is_travelling", lambda _: lambda *_: False),),
        script="ladder",
        first_seed=6,
    ),
)
