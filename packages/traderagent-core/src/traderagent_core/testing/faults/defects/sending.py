"""Defects in how requests are sent, and in what is made of their answers."""

from collections.abc import Callable
from copy import copy
from typing import Any

from attrs import evolve, frozen

from traderagent_core.contract.outcome import Outcome, OutcomeKind, Refusal
from traderagent_core.engine import desk
from traderagent_core.engine.desk import Desk
from traderagent_core.live import aligning
from traderagent_core.live.driver import Driver
from traderagent_core.live.outbox import Outbox
from traderagent_core.live.reports import never_left
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.testing.faults.defects.defect import Defect, Patch
from traderagent_core.testing.faults.kinds import Fault

MAINTENANCE = "10016"


@frozen
class Misheard:
    """An adapter whose answers to orders somebody takes for something else."""

    real: Any
    hear: Callable[[Outcome], Outcome]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def submit(self, request: Any) -> Outcome:
        """Send an order."""
        return self.hear(await self.real.submit(request))


def _mishearing(hear: Callable[[Outcome], Outcome]) -> Patch:
    def make(real: Any) -> Any:
        async def submit(outbox: Any, request: Any) -> None:
            other = copy(outbox)
            other._adapter = Misheard(outbox._adapter, hear)
            await real(other, request)

        return submit

    return Patch(Outbox, "_submit", make)


def _unknown_as_rejected(outcome: Outcome) -> Outcome:
    if outcome.kind is not OutcomeKind.UNKNOWN:
        return outcome
    return Outcome.rejected(Refusal.BAD_PARAMETERS, outcome.code)


def _maintenance_as_rejected(outcome: Outcome) -> Outcome:
    return _unknown_as_rejected(outcome) if outcome.code == MAINTENANCE else outcome


def _under_new_id(real: Any) -> Any:
    async def submit(outbox: Any, request: Any) -> None:
        again = evolve(request, client_order_id=f"{request.client_order_id}r")

        def hear(outcome: Outcome) -> Outcome:
            if outcome.kind is OutcomeKind.UNKNOWN:
                outbox.put([cmd.Submit(again)])
            return outcome

        other = copy(outbox)
        other._adapter = Misheard(outbox._adapter, hear)
        await real(other, request)

    return submit


def _before_the_journal(real: Any) -> Any:  # noqa: ARG001
    async def release(driver: Any) -> None:
        leaving, driver._leaving = driver._leaving, []
        driver.outbox.put(driver._prepared(leaving))
        await driver.options.flush()

    return release


def _refusal_as_cancellation(real: Any) -> Any:
    async def cancel(outbox: Any, command: Any) -> None:
        async def answer(event: Any) -> None:
            order = outbox._engine.account.orders.get(event.client_order_id)
            if isinstance(event, ev.CancelRejected) and order is not None:
                event = ev.OrderCanceled(event.time_ms, event.client_order_id, order.filled, event.code)
            await outbox._answer(event)

        other = copy(outbox)
        other._answer = answer
        await real(other, command)

    return cancel


def _cancellation_at_once(real: Any) -> Any:
    def cancel(own: Any, order: Any) -> None:
        real(own, order)
        if order.client_order_id in own._account.orders and order.is_canceling:
            own.canceled(ev.OrderCanceled(own._engine.now_ms, order.client_order_id, order.filled, ""))

    return cancel


def _only_amendments_again(order: Any, report: Any) -> Any:
    command = never_left(order, report)
    return None if isinstance(command, cmd.Cancel) else command


def _accepted_without_a_look(real: Any) -> Any:
    def accepted(own: Any, event: Any) -> None:
        kept, desk.OVER = desk.OVER, ()  # type: ignore[assignment]
        try:
            real(own, event)
        finally:
            desk.OVER = kept

    return accepted


def _without_pause(real: Any) -> Any:  # noqa: ARG001
    async def pause(outbox: Any, outcome: Any) -> None:
        """Ask again at once, whatever the exchange has said."""

    return pause


def _nothing_to_reduce_at_once(real: Any) -> Any:
    def nothing(own: Any, want: Any) -> None:
        member = own._engine.members[want.plan.bot]
        if not member.ledger.quantity:
            real(own, want)

    return nothing


def _not_reducing(real: Any) -> Any:
    def begin(own: Any, engine: Any) -> None:
        real(own, engine)
        own._linear = set()

    return begin


DEFECTS = (
    Defect(
        "new_id_on_retry",
        "An order whose answer is lost is sent again under another id.",
        ("I1", "I2"),
        (Patch(Outbox, "_submit", _under_new_id),),
        (Fault.LOST_REPLY,),
    ),
    Defect(
        "send_before_journal",
        "Orders leave while their intents are still being flushed.",
        ("I2",),
        (Patch(Driver, "release", _before_the_journal),),
        (Fault.SLOW_FLUSH,),
    ),
    Defect(
        "unknown_is_rejected",
        "An order that nobody knows the end of is taken for refused.",
        ("I1", "I6", "I7"),
        (_mishearing(_unknown_as_rejected),),
        (Fault.LOST_REPLY,),
    ),
    Defect(
        "maintenance_is_rejected",
        "Code 10016 is taken for a refusal, though the order may have been taken.",
        ("I1", "I6", "I7"),
        (_mishearing(_maintenance_as_rejected),),
        (Fault.UNKNOWN_CODE,),
    ),
    Defect(
        "refused_cancel_is_canceled",
        "A cancellation that the exchange refuses is taken for done.",
        ("I7", "I6", "I1"),
        (Patch(Outbox, "_cancel", _refusal_as_cancellation),),
        (Fault.CANCEL_RACE,),
    ),
    Defect(
        "state_before_confirmation",
        "An order counts as canceled once we have asked for it.",
        ("I7", "I1", "I6"),
        (Patch(Desk, "cancel", _cancellation_at_once),),
        (Fault.LATE_REQUEST,),
    ),
    Defect(
        "lost_cancel_stays_lost",
        "A cancellation that got lost, or overtook its order, is never sent again.",
        ("I6", "liveness"),
        (
            Patch(aligning, "never_left", lambda _: _only_amendments_again),
            Patch(Desk, "accepted", _accepted_without_a_look),
        ),
        (Fault.LATE_REQUEST, Fault.CRASH_AT_STEP, Fault.CRASH),
        first_seed=35,
    ),
    Defect(
        "no_pause_between_requests",
        "What the exchange does not take is sent again without the pause that it asks for.",
        ("I11",),
        (Patch(Outbox, "_pause", _without_pause),),
        (Fault.BAN,),
    ),
    Defect(
        "endless_exit",
        "An exit that has nothing to reduce is sent again at once, for ever.",
        ("I11", "liveness"),
        (Patch(Desk, "_nothing_to_reduce", _nothing_to_reduce_at_once),),
        (Fault.MANUAL_TRADE, Fault.DELEVERAGED, Fault.SILENT_STREAM),
        first_seed=12,
    ),
    Defect(
        "exit_may_open",
        "Exits and stops are not sent as orders that can only reduce.",
        ("I9",),
        (Patch(Desk, "__init__", _not_reducing),),
    ),
)
