"""A ladder laid at a price: base order and safety orders on the instrument's steps, and what each step adds up to."""

from collections.abc import Iterator
from decimal import Decimal

from attrs import frozen
from traderagent_core import Instrument, Side
from traderagent_core.ports import PositionView

from traderagent_dca.config import DcaConfig
from traderagent_dca.shape import EXACT, ONE, ZERO


@frozen
class Rung:
    """One order of a ladder before there is a price: its price over the base price, and its amount in quote."""

    ratio: Decimal
    amount: Decimal


@frozen
class Ladder:
    """Orders of one deal, the base order first: prices in quote, quantities in base units, down to the lot."""

    side: Side
    prices: tuple[Decimal, ...]
    quantities: tuple[Decimal, ...]

    @property
    def notional(self) -> Decimal:
        """What all orders commit together, in quote, before fees."""
        return sum(map(EXACT.multiply, self.prices, self.quantities), ZERO)


@frozen
class Step:
    """What is held once a ladder has been filled up to an order; money in quote.

    `invested` is what the fills have cost without fees, `break_even` the price at which closing by a maker order
    brings back all of it with the fees of both ways.
    """

    number: int
    price: Decimal
    quantity: Decimal
    held: Decimal
    invested: Decimal
    fees: Decimal
    average: Decimal
    break_even: Decimal


def rungs(config: DcaConfig) -> tuple[Rung, ...]:
    """The ladder of a configuration."""
    ratios = (ONE, *config.price_ratios)
    return tuple(Rung(ratio, amount) for ratio, amount in zip(ratios, config.amounts, strict=True))


def entry_side(config: DcaConfig) -> Side:
    """The side of orders that add to a deal."""
    return Side.BUY if config.is_long else Side.SELL


def lay(
    shape: tuple[Rung, ...], side: Side, instrument: Instrument, price: Decimal, factor: Decimal = ONE
) -> Ladder:
    """The ladder whose base order trades at `price`; quantities times `factor`, as filters and risk may ask."""
    prices = [price]
    prices += [instrument.limit_price(side, price * rung.ratio) for rung in shape[1:]]
    sizes = [
        instrument.round_quantity(EXACT.divide(rung.amount, at))
        for rung, at in zip(shape, prices, strict=True)
    ]
    if factor != ONE:
        sizes = [instrument.round_quantity(size * factor) for size in sizes]
    return Ladder(side, tuple(prices), tuple(sizes))


def rest_of(
    shape: tuple[Rung, ...], side: Side, instrument: Instrument, price: Decimal, held: PositionView
) -> Ladder:
    """The ladder of a deal whose base is held already: what that has cost takes the place of as many rungs.

    The next safety order keeps its distance from the rung before it, seen from the present price or from the average
    of what is held, whichever is further on. Orders that are too small for the venue are left out.
    """
    average, used = held.average_price, _rungs_for(shape, abs(held.quantity) * held.average_price)
    origin = min(price, average) if side is Side.BUY else max(price, average)
    prices, sizes = [average], [abs(held.quantity)]
    for rung in shape[used:]:
        at = instrument.limit_price(side, EXACT.divide(origin * rung.ratio, shape[used - 1].ratio))
        size = instrument.round_quantity(EXACT.divide(rung.amount, at)) if at > ZERO else ZERO
        if instrument.size_problem(size, at) is None:
            prices.append(at)
            sizes.append(size)
    return Ladder(side, tuple(prices), tuple(sizes))


def _rungs_for(shape: tuple[Rung, ...], cost: Decimal) -> int:
    """How many rungs cost nearest to so much, in quote; at least the first."""
    used, rest = 1, cost - shape[0].amount
    while used < len(shape) and rest > shape[used].amount / 2:
        rest -= shape[used].amount
        used += 1
    return used


def steps(ladder: Ladder, instrument: Instrument) -> Iterator[Step]:
    """Step by step what a deal holds when the base order takes, the safety orders make, and all fill whole."""
    is_long = ladder.side is Side.BUY
    held = invested = fees = ZERO
    for number, (price, quantity) in enumerate(zip(ladder.prices, ladder.quantities, strict=True)):
        notional = EXACT.multiply(price, quantity)
        fee = instrument.maker_fee_ratio if number else instrument.taker_fee_ratio
        held, invested, fees = held + quantity, invested + notional, fees + notional * fee
        average = EXACT.divide(invested, held) if held else price
        yield Step(
            number, price, quantity, held, invested, fees, average,
            _break_even(invested, fees, held, instrument, is_long=is_long),
        )  # fmt: skip


def _break_even(
    invested: Decimal, fees: Decimal, held: Decimal, instrument: Instrument, *, is_long: bool
) -> Decimal:
    """(invested + fees) / (held × (1 - maker fee)); short: (invested - fees) / (held × (1 + maker fee))."""
    if not held:
        return ZERO
    if is_long:
        return EXACT.divide(invested + fees, held * (ONE - instrument.maker_fee_ratio))
    return EXACT.divide(invested - fees, held * (ONE + instrument.maker_fee_ratio))
