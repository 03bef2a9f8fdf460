"""Plans that were judged: many plans of few shapes, which are packed once; of each plan then only its own numbers."""

import marshal
from array import array
from collections.abc import Iterator, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any

from traderagent_core.model.plan import At, AverageTimes, FillTimes, Fixed, Held, Leg, Plan
from traderagent_core.simulator.packed import Packed, dumped, loaded

BETWEEN = " "
QUANTITY, PRICE = attrgetter("quantity"), attrgetter("price")
PLACE = attrgetter("name", "slot", "side", "purpose")
THEN = attrgetter("then", "is_stop", "post_only", "closes")
NUMBERS = {Fixed: QUANTITY, At: PRICE} | dict.fromkeys((Held, FillTimes, AverageTimes), attrgetter("ratio"))
"""What the rules of a leg have as their number."""
Shape = tuple[Any, ...]
"""What plans have in common that differ in numbers, name, stop and evidence only."""


class PlanLog(Packed[Plan]):
    """Plans, of which older ones are packed in half the time that pickle takes."""

    def _dump(self, block: Sequence[Plan]) -> bytes:
        if set(map(type, block)) != {Plan}:
            raise TypeError("what is no Plan, or more than one, stays as it is")
        numbers: list[Decimal] = []
        shapes: dict[Shape, int] = {}
        order = array("H", [shapes.setdefault(_shape(plan, numbers), len(shapes)) for plan in block])
        if not set(map(type, numbers)) <= {Decimal}:
            raise TypeError("rules with numbers of other kinds stay as they are")
        rest = dumped((list(shapes), [(plan.name, plan.stop, plan.evidence) for plan in block]))
        return marshal.dumps((order.tobytes(), BETWEEN.join(map(str, numbers)), rest))

    def _load(self, packed: bytes) -> Iterator[Plan]:
        order, text, rest = marshal.loads(packed)
        shapes, owns = loaded(rest)
        numbers = map(Decimal, text.split(BETWEEN))
        for number, (name, stop, evidence) in zip(array("H", order), owns, strict=True):
            start, *alike = shapes[number]
            yield Plan(name, tuple(_legs(alike, numbers)), start, stop, evidence)


def _shape(plan: Plan, numbers: list[Decimal]) -> Shape:
    """The shape of a plan; its numbers are added to the others."""
    legs = plan.legs
    if legs and set(map(type, legs)) != {Leg}:
        raise TypeError("what is no Leg, or more than one, stays as it is")
    rules = [*map(QUANTITY, legs), *map(PRICE, legs)]
    kinds = tuple(map(type, rules))
    numbers += [NUMBERS[kind](rule) for kind, rule in zip(kinds, rules, strict=True) if kind in NUMBERS]
    references = tuple([rule.of for rule in rules if type(rule) is FillTimes])
    return plan.start, tuple(map(PLACE, legs)), tuple(map(THEN, legs)), kinds, references


def _legs(alike: Sequence[Any], numbers: Iterator[Decimal]) -> Iterator[Leg]:
    """The legs of a plan, with the next of the numbers."""
    places, thens, kinds, references = alike
    names = iter(references)
    rules = [_rule(kind, numbers, names) for kind in kinds]
    quantities, prices = rules[: len(places)], rules[len(places) :]
    for place, quantity, price, then in zip(places, quantities, prices, thens, strict=True):
        name, slot, side, purpose = place
        yield Leg(name, slot, side, purpose, quantity, price, *then)


def _rule(kind: type, numbers: Iterator[Decimal], names: Iterator[str]) -> Any:
    if kind is FillTimes:
        return FillTimes(next(numbers), next(names))
    if kind in NUMBERS:
        return kind(next(numbers))
    return None if kind is type(None) else kind()
