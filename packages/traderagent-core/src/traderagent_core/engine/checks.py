"""The contract of plans and legs: what a strategy may ask for, checked before anybody judges whether it is wise."""

from decimal import Decimal

from traderagent_core.engine.context import check_slot
from traderagent_core.engine.planner import INTERNAL
from traderagent_core.errors import OrderError
from traderagent_core.model.plan import At, AverageTimes, FillTimes, Fixed, Held, Leg, Plan, Stop, Trail

ZERO = Decimal(0)
ONE = Decimal(1)
MAX_LEGS = 1500


def check_plan(plan: Plan) -> None:
    """Refuse a plan that breaks the contract, by raising OrderError that says which leg and why."""
    if not isinstance(plan, Plan):
        raise OrderError(f"enter() takes a Plan, not {type(plan).__name__}")
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
    unknown = {name for leg in plan.legs for name in leg.then if name not in names}
    unknown |= {name for name in (*plan.start, *plan.references) if name not in names}
    if unknown:
        raise OrderError(
            f"plan {plan.name!r} refers to legs that it does not have: {', '.join(sorted(unknown))}"
        )
    for leg in plan.legs:
        _check_leg(plan, leg)
    _check_loops(plan)
    if plan.stop is not None:
        _check_stop(plan, plan.stop)


def _check_loops(plan: Plan) -> None:
    """Refuse market orders that place each other: they would trade for ever at one price."""
    rest = {leg.name: leg.then for leg in plan.legs if leg.price is None}
    while rest:
        ending = [name for name, then in rest.items() if not any(other in rest for other in then)]
        if not ending:
            raise OrderError(
                f"plan {plan.name!r} would trade for ever at the market, by the legs {', '.join(rest)};"
                " give one of them a price"
            )
        for name in ending:
            del rest[name]


def _check_stop(plan: Plan, stop: Stop) -> None:
    where = f"the stop of plan {plan.name!r}"
    for rule in (stop.long, stop.short):
        _check_number(where, "a price of", _number_of(rule))
    if stop.trail is not None:
        _check_trail(where, stop.trail)


def _check_trail(where: str, trail: Trail) -> None:
    for name in ("activation_ratio", "distance_ratio", "least_step_ratio"):
        value = getattr(trail, name)
        is_number = isinstance(value, Decimal) and value.is_finite()
        least_is_allowed = name == "activation_ratio"
        if not is_number or not ZERO <= value < ONE or (value == ZERO and not least_is_allowed):
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
    where = f"leg {leg.name!r} of plan {plan.name!r}"
    check_slot(leg.slot)
    for value, what in ((leg.quantity, "quantity"), (leg.price, "price")):
        _check_number(where, what, _number_of(value))
    if leg.is_stop and leg.price is None:
        raise OrderError(f"{where} is a stop without a trigger price")
    if isinstance(leg.price, FillTimes) and leg.name in plan.start:
        raise OrderError(f"{where} is priced from a fill, so it cannot be placed at the start")


def _check_number(where: str, what: str, number: object) -> None:
    if number is None:
        return
    if not isinstance(number, Decimal) or not number.is_finite() or number <= ZERO:
        raise OrderError(f"{where} has {what} {number}; expected a positive number, as a Decimal")


def _number_of(rule: object) -> object:
    """The number in a rule of price or quantity."""
    if isinstance(rule, Fixed):
        return rule.quantity
    if isinstance(rule, At):
        return rule.price
    return rule.ratio if isinstance(rule, FillTimes | AverageTimes | Held) else None
