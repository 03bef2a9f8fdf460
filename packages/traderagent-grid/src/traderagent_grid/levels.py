"""Levels of a grid: pure functions, exact in Decimal, on the instrument's steps."""

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache

from traderagent_core import Instrument, Side

from traderagent_grid.config import Spacing

EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
"""Wide enough that no product of two prices or quantities is ever rounded, whoever calls."""

_KEPT = Context(prec=34, rounding=ROUND_HALF_EVEN)
NEWTON_STEPS = 3
ONE = Decimal(1)


def price_levels(
    lower: Decimal, upper: Decimal, count: int, spacing: Spacing, instrument: Instrument
) -> tuple[Decimal, ...]:
    """`count` prices from `lower` to `upper`, down to the tick; the lowest is rounded up, into the range.

    Arithmetic: lower + (upper - lower) × i / (count - 1). Geometric: lower × (upper / lower) ^ (i / (count - 1)).
    Levels of a range that is too narrow for the tick repeat; `viability` refuses them.
    """
    between = arithmetic_levels if spacing is Spacing.ARITHMETIC else geometric_levels
    inner = between(lower, upper, count - 1)
    return (
        instrument.limit_price(Side.SELL, lower),
        *(instrument.limit_price(Side.BUY, price) for price in inner),
        instrument.limit_price(Side.BUY, upper),
    )


def arithmetic_levels(lower: Decimal, upper: Decimal, intervals: int) -> Iterator[Decimal]:
    """The levels between two bounds at equal steps."""
    width, whole = EXACT.subtract(upper, lower), Decimal(intervals)
    for index in range(1, intervals):
        rise = EXACT.divide(EXACT.multiply(width, Decimal(index)), whole)
        yield _KEPT.plus(EXACT.add(lower, rise))


def geometric_levels(lower: Decimal, upper: Decimal, intervals: int) -> Iterator[Decimal]:
    """The levels between two bounds at equal ratios; 34 of 60 digits are kept, so that even ones come out even."""
    ratio = geometric_ratio(lower, upper, intervals)
    level = lower
    for _ in range(1, intervals):
        level = EXACT.multiply(level, ratio)
        yield _KEPT.plus(level)


@lru_cache(maxsize=256)
def geometric_ratio(lower: Decimal, upper: Decimal, intervals: int) -> Decimal:
    """The ratio of two neighbouring levels: the root of that of the bounds, found by Newton's method.

    Each step doubles the digits that are right, from the 15 of a float on, and takes a twentieth of the time of a
    power with a broken exponent. Kept for a while, as a range is looked at several times; equal bounds give equal
    digits, however many zeros they are written with.
    """
    whole, degree = EXACT.normalize(EXACT.divide(upper, lower)), Decimal(intervals)
    root = Decimal(float(whole) ** (1 / intervals))
    for _ in range(NEWTON_STEPS):
        correction = EXACT.divide(whole, EXACT.power(root, intervals - 1))
        root = EXACT.divide(EXACT.fma(root, degree - ONE, correction), degree)
    return root


def waiting_line(levels: tuple[Decimal, ...], price: Decimal) -> int:
    """Index of the level nearest the price, the lower one of two: it has no order, buys lie below, sells above."""
    distances = [abs(level - price) for level in levels]
    return distances.index(min(distances))


def quantity_for(amount: Decimal, price: Decimal, instrument: Instrument) -> Decimal:
    """Base units that `amount` of quote buys at a price, down to the lot; zero when it is less than one lot."""
    return instrument.round_quantity(EXACT.divide(amount, price))


def least_quantity(price: Decimal, instrument: Instrument) -> Decimal:
    """The smallest order that the venue takes at a price."""
    lot = instrument.lot_size
    least = max(lot, instrument.min_quantity, EXACT.divide(instrument.min_notional, price))
    rounded = instrument.round_quantity(least)
    return rounded if rounded == least else rounded + lot


def gross_cycle_profit(quantity: Decimal, buy: Decimal, sell: Decimal) -> Decimal:
    """What one cycle brings before fees, in quote: the same base quantity bought and sold."""
    return EXACT.multiply(quantity, EXACT.subtract(sell, buy))


def cycle_profit(quantity: Decimal, buy: Decimal, sell: Decimal, fee_ratio: Decimal) -> Decimal:
    """What one cycle brings after the fees of both orders, in quote."""
    fees = EXACT.multiply(EXACT.add(buy, sell), fee_ratio)
    return EXACT.multiply(quantity, EXACT.subtract(EXACT.subtract(sell, buy), fees))


def break_even_ratio(fee_ratio: Decimal) -> Decimal:
    """sell / buy at which a cycle brings nothing after fees: (1 + fee) / (1 - fee)."""
    return EXACT.divide(ONE + fee_ratio, ONE - fee_ratio)


def counter_price(home: Decimal, side: Side, profit: Decimal, instrument: Instrument) -> Decimal:
    """Price of the counter order of a fill at `home` by an order of `side`: fill × (1 ± profit), on the tick."""
    ratio = ONE + profit if side is Side.BUY else ONE - profit
    return instrument.limit_price(side.opposite, EXACT.multiply(home, ratio))
