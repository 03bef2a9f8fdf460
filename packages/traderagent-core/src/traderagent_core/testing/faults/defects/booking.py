"""Defects in booking: executions, fees, funding, and what belongs to whom."""

from typing import Any

from attrs import evolve

from traderagent_core.account.account import Account
from traderagent_core.engine.engine import Engine
from traderagent_core.live.reconcile import Reconciler
from traderagent_core.live.retracing import Retracer
from traderagent_core.model import event as ev
from traderagent_core.model.order import OrderStatus
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.testing.faults.defects.defect import Defect, Patch
from traderagent_core.testing.faults.kinds import Fault


def _every_time(real: Any) -> Any:
    def filled(engine: Any, event: Any) -> None:
        engine.account.seen_trades.pop(event.trade_id, None)
        real(engine, event)

    return filled


def _only_when_known(real: Any) -> Any:
    def filled(engine: Any, event: Any) -> None:
        order = engine.account.orders.get(event.client_order_id)
        if order is not None and order.status is OrderStatus.SUBMITTED:
            engine.account._remember(event.trade_id)
        else:
            real(engine, event)

    return filled


def _whole_at_once(real: Any) -> Any:
    def filled(engine: Any, event: Any) -> None:
        order = engine.account.orders.get(event.client_order_id)
        if order is not None and not order.closes_position and not order.filled:
            event = evolve(event, quantity=order.quantity)
        real(engine, event)

    return filled


def _over_before_its_fills(real: Any) -> Any:
    def ended(account: Any, time_ms: Any, order_id: Any, status: Any, *rest: Any) -> Any:
        if real(account, time_ms, order_id, status, *rest):
            return True
        account._retire(account.orders[order_id], OrderStatus(status))
        return True

    return ended


def _fee_twice(real: Any) -> Any:
    def fill(account: Any, order: Any, trade_id: Any, price: Any, quantity: Any, fee: Any) -> Any:
        return real(account, order, trade_id, price, quantity, 2 * fee)

    return fill


def _at_the_wanted_price(real: Any) -> Any:
    def filled(engine: Any, event: Any) -> None:
        order = engine.account.orders.get(event.client_order_id)
        if order is not None and order.price is not None:
            event = evolve(event, price=order.price)
        real(engine, event)

    return filled


def _foreign_unheeded(real: Any) -> Any:  # noqa: ARG001
    return lambda engine, event: engine.account._remember(event.trade_id)


def _funded_each_time(real: Any) -> Any:  # noqa: ARG001
    return lambda *_: True


def _funded_anew(real: Any) -> Any:
    def finish(retracer: Any) -> None:
        real(retracer)
        retracer.stepper.funded.clear()

    return finish


def _step_later(real: Any) -> Any:
    """A fill that has been written down is stepped with the entry after it, if there is one."""

    def take_step(retracer: Any, event: Any) -> None:
        if isinstance(event, ev.OrderFilled) and retracer._shortcut is None:
            retracer.seen_fill = event
        else:
            real(retracer, event)

    return take_step


def _take_later(real: Any) -> Any:
    def take(retracer: Any, entry: Any) -> Any:
        event = getattr(retracer, "seen_fill", None)
        if event is not None and entry.kind is not EntryKind.OPENED:
            retracer.seen_fill = None
            _REAL_STEP(retracer, event)
            if entry.kind is EntryKind.RECORDS:
                return retracer._records(entry, retracer._step)
        return real(retracer, entry)

    return take


def _finish_seen(real: Any) -> Any:
    def finish(retracer: Any) -> None:
        event = getattr(retracer, "seen_fill", None)
        if event is not None:
            retracer.stepper.engine.account.seen_trades[event.trade_id] = None
            retracer._step = None
        real(retracer)

    return finish


_REAL_STEP = Retracer._take_step

DEFECTS = (
    Defect(
        "no_dedupe",
        "An execution that is told twice is booked twice.",
        ("I3", "I4"),
        (Patch(Engine, "_filled", _every_time),),
        (Fault.DOUBLED_MESSAGE,),
        first_seed=3,
    ),
    Defect(
        "seen_before_applied",
        "An execution counts as seen once it is written down, though a crash comes before it is booked.",
        ("I3", "I4"),
        (
            Patch(Retracer, "_take_step", _step_later),
            Patch(Retracer, "take", _take_later),
            Patch(Retracer, "finish", _finish_seen),
        ),
        script="dealer",
        crash_steps=(49,),
    ),
    Defect(
        "fill_before_ack_dropped",
        "A fill of an order that the exchange has not confirmed yet is dropped.",
        ("I4", "I3", "liveness"),
        (Patch(Engine, "_filled", _only_when_known),),
        (Fault.REORDERED_MESSAGE,),
        first_seed=4,
    ),
    Defect(
        "partial_is_whole",
        "The first execution of an order is taken for all of it.",
        ("I4", "I7"),
        (Patch(Engine, "_filled", _whole_at_once),),
        (Fault.PARTIAL_FILL,),
        first_seed=4,
    ),
    Defect(
        "over_before_its_fills",
        "An order is over once the exchange says so, though executions of it are still to come.",
        ("I7", "I1"),
        (Patch(Account, "order_ended", _over_before_its_fills),),
        (Fault.REORDERED_MESSAGE, Fault.CANCEL_RACE, Fault.PARTIAL_FILL),
    ),
    Defect(
        "fee_twice",
        "Fees are booked twice.",
        ("I4",),
        (Patch(Account, "fill", _fee_twice),),
    ),
    Defect(
        "fill_at_wanted_price",
        "A fill is booked at the price of its order rather than at its own.",
        ("I4",),
        (Patch(Engine, "_filled", _at_the_wanted_price),),
        (Fault.PRICE_GAP,),
    ),
    Defect(
        "foreign_fill_unheeded",
        "What others trade on the account is not booked.",
        ("I4",),
        (Patch(Engine, "_foreign_filled", _foreign_unheeded),),
        (Fault.MANUAL_TRADE,),
    ),
    Defect(
        "funding_twice",
        "A funding payment is booked whenever it is told.",
        ("I4",),
        (Patch(Reconciler, "is_new_funding", _funded_each_time),),
    ),
    Defect(
        "funding_again_after_restart",
        "A restart forgets which funding payments have been booked.",
        ("I4",),
        (Patch(Retracer, "finish", _funded_anew),),
        (Fault.CRASH,),
    ),
)
