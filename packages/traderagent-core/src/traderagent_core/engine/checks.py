"""The contract of plans and legs: what a strategy may ask for, checked before anybody judges whether it is wise."""

from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import Any

from traderagent_core.account.account import describe
from traderagent_core.engine.context import LONGEST_NOTE, check_slot
from traderagent_core.engine.planner import INTERNAL
from traderagent_core.errors import OrderError, clipped
from traderagent_core.model.plan import (
    At,
    AverageTimes,
    Filled,
    FillTimes,
    Fixed,
    Held,
    Leg,
    Plan,
    Stop,
    Trail,
)

ZERO = Decimal(0)
ONE = Decimal(1)
MAX_LEGS = 1500
LONGEST_NAME = 100
SMALLEST, LARGEST = Decimal("1e-30"), Decimal("1e31")

NUMBERS: dict[type, Callable[[Any], object]] = {
    At: attrgetter("price"),
    FillTimes: attrgetter("ratio"),
    AverageTimes: attrgetter("ratio"),
    Fixed: attrgetter("quantity"),
    Held: attrgetter("ratio"),
}
"""The number in each rule of price or quantity that has one."""


def check_plan(plan: Plan) -> None:
    """Refuse a plan that breaks the contract, by raising OrderError that says which leg and why."""
    if not isinstance(plan, Plan):
        raise OrderError(f"enter() takes a Plan, not {type(plan).__name__}")
    _check_name("plan", plan.name)
    if plan.name.startswith(INTERNAL):
        raise OrderError(
            f"plan {plan.name!r} begins with {INTERNAL!r}, as the engine's own do; name it otherwise"
        )
    if not plan.legs or len(plan.legs) > MAX_LEGS:
        raise OrderError(f"plan {plan.name!r} has {len(plan.legs)} legs; from 1 to {MAX_LEGS} are allowed")
    names = {leg.name for leg in plan.legs}
    if len(names) != len(plan.legs):
        raise OrderError(f"plan {plan.name!r} names a leg twice")
    if not plan.start:
        raise OrderError(f"plan {plan.name!r} starts no leg")
    unknown = {*plan.start, *plan.references}.union(*[leg.then for leg in plan.legs]) - names
    if unknown:
        raise OrderError(
            f"plan {plan.name!r} refers to legs that it does not have: {', '.join(sorted(unknown))}"
        )
    text = describe(plan.evidence)
    if clipped(text, LONGEST_NOTE) != text:
        raise OrderError(
            f"plan {plan.name!r} has evidence that no record can hold; it may have {LONGEST_NOTE} characters"
        )
    for leg in plan.legs:
        _check_name("leg", leg.name)
        _check_leg(plan, leg)
    _check_loops(plan)
    if plan.stop is not None:
        _check_stop(plan, plan.stop)


def _check_name(what: str, name: object) -> None:
    if not isinstance(name, str) or not name.isascii() or not 0 < len(name) <= LONGEST_NAME:
        shown = name[:LONGEST_NAME] if isinstance(name, str) else name
        raise OrderError(f"{what} name {shown!r} must be 1 to {LONGEST_NAME} plain characters")


def _check_loops(plan: Plan) -> None:
    """Refuse market orders that place each other: they would trade for ever at one price."""
    rest = {leg.name: leg.then for leg in plan.legs if leg.price is None}
    while rest:
        ending = [name for name, then in rest.items() if rest.keys().isdisjoint(then)]
        if not ending:
            raise OrderError(
                f"plan {plan.name!r} would trade for ever at the market, by the legs {', '.join(rest)};"
                " give one of them a price"
            )
        for name in ending:
            del rest[name]


def _check_stop(plan: Plan, stop: Stop) -> None:
    for rule in (stop.long, stop.short):
        if not _is_sound(rule):
            raise _unsound(f"the stop of plan {plan.name!r}", "a price of", rule)
    if stop.trail is not None:
        _check_trail(f"the stop of plan {plan.name!r}", stop.trail)


def _check_trail(where: str, trail: Trail) -> None:
    for name, value in (
        ("activation_ratio", trail.activation_ratio),
        ("distance_ratio", trail.distance_ratio),
        ("least_step_ratio", trail.least_step_ratio),
    ):
        is_ratio = isinstance(value, Decimal) and value.is_finite() and ZERO <= value < ONE
        if not is_ratio or (value == ZERO and name != "activation_ratio"):
            raise OrderError(
                f"{where} has a trail with {name} {value!r}; expected a Decimal above 0 and below 1"
            )
    if trail.least_interval_ms < 0:
        raise OrderError(
            f"{where} has a trail with least_interval_ms {trail.least_interval_ms}; expected 0 or more"
        )


def check_placed(leg: Leg) -> None:
    """Refuse a single leg that breaks the contract, as `check_plan` does."""
    if not isinstance(leg, Leg):
        raise OrderError(f"place() takes a Leg, not {type(leg).__name__}")
    if leg.then:
        raise OrderError(
            f"place({leg.name!r}) names legs to follow it; ask for several legs with enter(plan)"
        )
    _check_leg(Plan(leg.slot, (leg,), (leg.name,)), leg)


def _check_leg(plan: Plan, leg: Leg) -> None:
    check_slot(leg.slot)
    price = leg.price
    if not _is_sound(leg.quantity):
        raise _unsound(_told(plan, leg), "quantity", leg.quantity)
    if price is None:
        if leg.is_stop:
            raise OrderError(f"{_told(plan, leg)} is a stop without a trigger price")
        return
    if not _is_sound(price):
        raise _unsound(_told(plan, leg), "price", price)
    if isinstance(price, FillTimes) and leg.name in plan.start:
        raise OrderError(f"{_told(plan, leg)} is priced from a fill, so it cannot be placed at the start")


def _told(plan: Plan, leg: Leg) -> str:
    return f"leg {leg.name!r} of plan {plan.name!r}"


def _is_sound(rule: object) -> bool:
    """Whether the number in a rule of price or quantity, if it has one, is a positive Decimal of ordinary size."""
    number_of = NUMBERS.get(type(rule))
    if number_of is None:
        return rule is None or type(rule) is Filled
    number = number_of(rule)
    return isinstance(number, Decimal) and not number.is_nan() and SMALLEST <= number < LARGEST


def _unsound(where: str, what: str, rule: object) -> OrderError:
    if type(rule) not in NUMBERS:
        return OrderError(f"{where} has {what} {rule!r}; expected a rule: write At({rule}), for example")
    number = NUMBERS[type(rule)](rule)
    return OrderError(
        f"{where} has {what} {number}; expected a positive number of ordinary size, as a Decimal"
    )
