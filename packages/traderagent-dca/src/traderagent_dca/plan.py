"""Turns a ladder into the plan of a deal, by whose rules the engine runs it without calling the strategy.

The base order places the first safety orders and the take profit. Each safety order, when filled, places the one
that is `max_active_safety_orders` further on, and the take profit follows the average price. Parts that are closed
earlier form a chain: each one places the next. The last one closes the deal; a trailing take profit is the stop's.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import evolve, frozen
from traderagent_core import (
    At,
    AverageTimes,
    BreakEven,
    FillTimes,
    Fixed,
    Held,
    Instrument,
    Leg,
    Plan,
    Purpose,
    Stop,
    Trail,
)

from traderagent_dca.config import DcaConfig, Target
from traderagent_dca.ladder import Ladder, Step, entry_side, steps
from traderagent_dca.shape import EXACT, ONE, ZERO, shares_of_the_rest
from traderagent_dca.text import plain, short

BASE = "base"
OPENS, ADDS, TAKES = Purpose.ENTRY, Purpose.SAFETY, Purpose.TAKE_PROFIT
TAKE_PROFIT = "tp"
PLAN = "deal"
LEAST_STEPS_OF_A_TRAIL = 10
"""A trail moves in steps of at least this part of its distance."""


@frozen
class Shape:
    """What all deals of a configuration have in common, made once. The base order places `first`."""

    config: DcaConfig
    is_long: bool
    first: tuple[str, ...]
    safety: tuple[tuple[str, FillTimes, tuple[str, ...]], ...]
    targets: tuple[Leg, ...]
    stop: Stop | None

    @property
    def target_slots(self) -> tuple[str, ...]:
        """Slots of the take profit and of the parts before it."""
        return tuple(leg.slot for leg in self.targets)

    def plan(self, number: int, ladder: Ladder, evidence: Mapping[str, Any]) -> Plan:
        """The plan of deal `number` on this ladder."""
        side = ladder.side
        quantities = [Fixed(quantity) for quantity in ladder.quantities]
        base = Leg(BASE, BASE, side, OPENS, quantities[0], then=self.first)
        orders = [
            Leg(name, name, side, ADDS, quantity, price, then=then)
            for (name, price, then), quantity in zip(self.safety, quantities[1:], strict=True)
        ]
        stop = self.stop_from(ladder.prices[0])
        return Plan(f"{PLAN}:{number}", (base, *orders, *self.targets), (BASE,), stop, evidence)

    def plan_over(self, number: int, ladder: Ladder, evidence: Mapping[str, Any]) -> Plan:
        """The plan of a deal whose base, the first of this ladder, is held already."""
        average, active = ladder.prices[0], self.config.active_safety_orders
        names = [safety_name(step) for step in range(1, len(ladder.prices))]
        pairs = zip(ladder.prices[1:], ladder.quantities[1:], strict=True)
        orders = [
            Leg(
                name, name, ladder.side, Purpose.SAFETY, Fixed(quantity), At(price), then=tuple(following[:1])
            )
            for name, (price, quantity), following in zip(
                names, pairs, (names[step + active :] for step in range(len(names))), strict=True
            )
        ]
        targets = [_over(leg, average) for leg in self.targets]
        start = (*names[:active], *(leg.name for leg in targets[:1]))
        return Plan(f"{PLAN}:{number}", (*orders, *targets), start, self.stop_from(average), evidence)

    def stop_from(self, price: Decimal) -> Stop | None:
        """The stop of a deal that begins at a price."""
        loss = self.config.stop_loss_percentage
        if loss is None or self.config.stop_loss_from is Target.AVERAGE:
            return self.stop
        ratio = ONE - loss if self.is_long else ONE + loss
        return _stop_at(self.config, At(price * ratio), self.stop)


def shape_of(config: DcaConfig, instrument: Instrument) -> Shape:
    """The legs and rules that do not depend on where a deal begins."""
    safety, targets = _safety(config), _targets(config)
    first = [name for name, _, _ in safety[: config.active_safety_orders]]
    first += [leg.name for leg in targets[:1]]
    return Shape(config, config.is_long, tuple(first), safety, targets, _common_stop(config, instrument))


def safety_name(number: int) -> str:
    """The leg of a safety order, by its number from 1: so:01."""
    return f"so:{number:02}"


def _over(target: Leg, average: Decimal) -> Leg:
    """A target that was measured from the base order, measured from the average of what is held."""
    price = target.price
    return evolve(target, price=At(average * price.ratio)) if isinstance(price, FillTimes) else target


def _safety(config: DcaConfig) -> tuple[tuple[str, FillTimes, tuple[str, ...]], ...]:
    """Name, price and successor of each safety order."""
    count, active = config.safety_orders, config.active_safety_orders
    names = [safety_name(number) for number in range(1, count + 1)]
    return tuple(
        (name, FillTimes(ratio, BASE), tuple(names[index + active : index + active + 1]))
        for index, (name, ratio) in enumerate(zip(names, config.price_ratios, strict=True))
    )


def _targets(config: DcaConfig) -> tuple[Leg, ...]:
    """Parts that are closed early, each placing the next, and the take profit that closes the deal."""
    side = entry_side(config).opposite
    parts = config.take_profit_steps
    slots = [f"{TAKE_PROFIT}:{number}" for number in range(1, len(parts) + 1)]
    gains = [part.gain for part in parts]
    shares = list(shares_of_the_rest(tuple(part.share for part in parts)))
    if config.trailing_deviation is None:
        slots.append(TAKE_PROFIT)
        gains.append(config.take_profit_percentage)
        shares.append(ONE)
    legs = []
    for index, (slot, gain, share) in enumerate(zip(slots, gains, shares, strict=True)):
        ratio = ONE + gain if config.is_long else ONE - gain
        is_from_base = config.take_profit_from is Target.BASE
        price = FillTimes(ratio, BASE) if is_from_base else AverageTimes(ratio)
        then = tuple(slots[index + 1 : index + 2])
        closes = slot == TAKE_PROFIT
        legs.append(Leg(slot, slot, side, TAKES, Held(share), price, then=then, closes=closes))
    return tuple(legs)


def _common_stop(config: DcaConfig, instrument: Instrument) -> Stop | None:
    """The stop where it is measured from the average price; trail and break-even always are."""
    loss = config.stop_loss_percentage
    price = None
    if loss is not None and config.stop_loss_from is Target.AVERAGE:
        price = AverageTimes(ONE - loss if config.is_long else ONE + loss)
    trail = even = None
    if config.trailing_deviation is not None:
        least_step = config.trailing_deviation / LEAST_STEPS_OF_A_TRAIL
        trail = Trail(config.take_profit_percentage, config.trailing_deviation, least_step)
    if config.break_even_percentage is not None:
        even = BreakEven(config.break_even_percentage, round_trip(instrument, is_long=config.is_long))
    if price is None and trail is None and even is None:
        return None
    return _stop_at(config, price, Stop(trail=trail, break_even=even))


def _stop_at(config: DcaConfig, price: At | AverageTimes | None, other: Stop | None) -> Stop:
    """A stop at a price, with the trail and break-even of another one."""
    trail, even = (None, None) if other is None else (other.trail, other.break_even)
    return Stop(price, None, trail, even) if config.is_long else Stop(None, price, trail, even)


def round_trip(instrument: Instrument, *, is_long: bool) -> Decimal:
    """Gain over the average price that the taker fees of both ways take, as a ratio."""
    fee = instrument.taker_fee_ratio
    if is_long:
        return max(EXACT.divide(ONE + fee, ONE - fee) - ONE, ZERO)
    return max(ONE - EXACT.divide(ONE - fee, ONE + fee), ZERO)


# -- for previews -------------------------------------------------------------------------------------------


def ladder_evidence(config: DcaConfig, instrument: Instrument, ladder: Ladder) -> Mapping[str, Any]:
    """What a preview shows beside the orders: step by step funds, average, break-even, take profit and stop."""
    rows = tuple(_row(config, instrument, ladder, step) for step in steps(ladder, instrument))
    return {
        "base_price": plain(ladder.prices[0]),
        "starts_on": config.start_on.value,
        "funds_needed_with_fees": short(ladder.notional * (ONE + instrument.taker_fee_ratio)),
        "ladder": rows,
    }


def _row(config: DcaConfig, instrument: Instrument, ladder: Ladder, step: Step) -> Mapping[str, str]:
    stop = stop_price(config, instrument, ladder, step)
    away = EXACT.divide(step.price, ladder.prices[0]) - ONE if ladder.prices[0] else ZERO
    return {
        "step": BASE if not step.number else f"so:{step.number:02}",
        "price": plain(step.price),
        "deviation_pct": f"{away * 100:.2f}",
        "quantity": plain(step.quantity),
        "funds": short(step.invested),
        "average": short(step.average),
        "break_even": short(step.break_even),
        "take_profit": plain(target_price(config, instrument, ladder, step)),
        "stop": "none" if stop is None else plain(stop),
    }


def target_price(config: DcaConfig, instrument: Instrument, ladder: Ladder, step: Step) -> Decimal:
    """Where the last of a deal is closed (or its trail begins) after a step."""
    origin = step.average if config.take_profit_from is Target.AVERAGE else ladder.prices[0]
    gain = config.take_profit_percentage
    ratio = ONE + gain if config.is_long else ONE - gain
    return instrument.limit_price(ladder.side.opposite, origin * ratio)


def stop_price(config: DcaConfig, instrument: Instrument, ladder: Ladder, step: Step) -> Decimal | None:
    """Where the stop stands after a step; None without one."""
    loss = config.stop_loss_percentage
    if loss is None:
        return None
    origin = step.average if config.stop_loss_from is Target.AVERAGE else ladder.prices[0]
    ratio = ONE - loss if config.is_long else ONE + loss
    return instrument.stop_price(ladder.side.opposite, origin * ratio)
