"""Defects in stops and exits."""

from typing import Any

from traderagent_core.account import reasons
from traderagent_core.account.state import WantStatus
from traderagent_core.engine import desk
from traderagent_core.engine.desk import Desk
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.judge import Judge
from traderagent_core.engine.planner import Planner
from traderagent_core.engine.stops import Stops
from traderagent_core.live import aligning
from traderagent_core.live.view import LiveView
from traderagent_core.model.command import Cancel
from traderagent_core.model.order import Purpose
from traderagent_core.testing.faults.defects.defect import Defect, Patch
from traderagent_core.testing.faults.kinds import Fault


def _nothing(real: Any) -> Any:  # noqa: ARG001
    return lambda *_: None


def _placed_once(real: Any) -> Any:
    def after_refusal(own: Any, want: Any, code: str) -> None:
        if want.slot.name == "stop":
            own._engine.record("want_ended", want.id, code)
        else:
            real(own, want, code)

    return after_refusal


def _passed_unheeded(real: Any) -> Any:
    def after_refusal(own: Any, want: Any, code: str) -> None:
        is_stop = want.status is WantStatus.OPEN and want.leg.purpose is Purpose.STOP_LOSS
        if code == "would_trigger" and is_stop:
            own._engine.record("want_ended", want.id, code)
        else:
            real(own, want, code)

    return after_refusal


def _follows_back(real: Any) -> Any:
    def paid(engine: Any, event: Any) -> None:
        real(engine, event)
        for member in engine.members.values():
            if member.stop.is_trailing:
                member.stop.best = engine.view.price(member.symbol)
                member.stop.price = None
                engine.stops.refresh(member)

    return paid


def _orders_left(real: Any) -> Any:
    def withdraw(own: Any, want: Any, reason: str) -> None:
        order, want.order = want.order, None
        real(own, want, reason)
        want.order = order

    return withdraw


def _never_canceled(real: Any) -> Any:
    def again(order: Any, report: Any) -> Any:
        command = real(order, report)
        return None if isinstance(command, Cancel) else command

    return again


def _taken_twice(real: Any) -> Any:
    def learn(view: Any, symbol: str, candle: Any) -> Any:
        series = view.series(symbol, view.base)
        series.close_ms = min(series.close_ms, candle.open_time)
        return real(view, symbol, candle)

    return learn


def _limit_unheeded(real: Any) -> Any:
    def problem(*given: Any) -> Any:
        found = real(*given)
        return None if found is not None and found[0] == reasons.MAX_POSITION else found

    return problem


DEFECTS = (
    Defect(
        "limit_unheeded",
        "The largest position that a bot may have is not looked at, neither for a plan nor for its orders.",
        ("I8",),
        (Patch(Judge, "_limits_problem", _limit_unheeded), Patch(Planner, "_refusal", _limit_unheeded)),
        script="dealer",
        is_greedy=True,
    ),
    Defect(
        "stop_placed_once",
        "A stop that the exchange refuses is not placed again.",
        ("I5",),
        (Patch(Desk, "_after_refusal", _placed_once),),
        (Fault.STOP_REFUSED,),
    ),
    Defect(
        "passed_stop_unheeded",
        "A stop whose price has been passed is given up, and the position kept.",
        ("I5",),
        (Patch(Desk, "_after_refusal", _passed_unheeded),),
        (Fault.PRICE_GAP, Fault.STOP_REFUSED),
        strength=10.0,
    ),
    Defect(
        "stop_retried_too_late",
        "A stop that was refused is placed again after a minute.",
        ("I5",),
        (Patch(desk, "OWN_BACK_OFF_MS", lambda _: (60_000, 3_600_000)),),
        (Fault.STOP_REFUSED,),
    ),
    Defect(
        "nobody_watches_for_the_stop",
        "Nobody watches the price while a stop is not at the exchange.",
        ("I5",),
        (Patch(Stops, "cover", _nothing),),
        (Fault.STOP_REFUSED,),
    ),
    Defect(
        "stop_moves_back",
        "A trailing stop is set anew from the present price at each settlement.",
        ("I10",),
        (Patch(Engine, "_funding_paid", _follows_back),),
        (),
        "trender",
    ),
    Defect(
        "exit_leaves_orders",
        "An exit closes the position and leaves the orders that would open it again.",
        ("I6", "liveness"),
        (Patch(Desk, "withdraw", _orders_left), Patch(aligning, "never_left", _never_canceled)),
    ),
    Defect(
        "candle_twice",
        "A candle that is told twice is taken twice.",
        ("candles",),
        (Patch(LiveView, "learn_candle", _taken_twice),),
        (Fault.CANDLE_DOUBLED,),
    ),
)
