"""The arithmetic of a ladder: price ratios and amounts of its orders. Pure, exact to 40 digits."""

from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from itertools import accumulate

EXACT = Context(prec=40, rounding=ROUND_HALF_EVEN)
UPWARDS = Context(prec=20, rounding=ROUND_CEILING)
ZERO = Decimal(0)
ONE = Decimal(1)


def powers(scale: Decimal, count: int) -> tuple[Decimal, ...]:
    """1, scale, scale² …: `count` of them."""
    return tuple(EXACT.power(scale, Decimal(number)) for number in range(count))


def first_deviation(overlap: Decimal, step_scale: Decimal, count: int) -> Decimal:
    """The first of `count` deviations that add up to `overlap`."""
    return EXACT.divide(overlap, sum(powers(step_scale, count), ZERO))


def price_ratios(
    deviation: Decimal, step_scale: Decimal, count: int, *, is_long: bool, adds_up: bool
) -> tuple[Decimal, ...]:
    """Prices of `count` safety orders over that of the base order; long ladders go down, short ones up.

    Deviation k is `deviation` × step_scale^(k - 1). With `adds_up` they are summed and measured from the base
    order (2 %: 0.98 0.96 0.94); otherwise each is measured from the order before (0.98 0.9604 …).
    """
    sign = -ONE if is_long else ONE
    moves = [EXACT.multiply(sign, EXACT.multiply(deviation, power)) for power in powers(step_scale, count)]
    if adds_up:
        return tuple(EXACT.add(ONE, total) for total in accumulate(moves, EXACT.add))
    return tuple(accumulate((EXACT.add(ONE, move) for move in moves), EXACT.multiply))


def scaled_amounts(base: Decimal, safety: Decimal, volume_scale: Decimal, count: int) -> tuple[Decimal, ...]:
    """The base order's amount, then `count` of safety orders, each `volume_scale` times the one before."""
    return (base, *(EXACT.multiply(safety, power) for power in powers(volume_scale, count)))


def shared_amounts(total: Decimal, volume_scale: Decimal, count: int) -> tuple[Decimal, ...]:
    """`total` shared out among the base order and `count` safety orders, each `volume_scale` times the one before."""
    shares = powers(volume_scale, count + 1)
    return tuple(EXACT.divide(EXACT.multiply(total, share), sum(shares, ZERO)) for share in shares)


def shares_of_the_rest(shares: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    """Shares of a whole as shares of what the ones before have left, rounded up in the twentieth digit."""
    rest = ONE
    ratios = []
    for share in shares:
        ratios.append(min(UPWARDS.divide(share, rest), ONE))
        rest -= share
    return tuple(ratios)
