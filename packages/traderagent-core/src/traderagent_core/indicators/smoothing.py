"""Exponential smoothing in blocks, so that one value and a whole column go the same way to the last bit.

The recursion  y = keep * y_before + gain * x  is written out over a block of values counted from the seed:

    y[j] = decay[j] * (carry + S[j])     S[j] = x[0] * weight[0] + ... + x[j] * weight[j]
    weight[i] = gain / keep**i           decay[j] = keep**j           carry = keep * y before the block

S is a strictly sequential sum: `numpy.add.accumulate` makes it in one call, a running indicator term by term.
Only the carries are chained in Python, once a block. A block ends before weights pass 2**64, so nothing
overflows; all terms have one sign, so nothing cancels and the relative error is that of the plain recursion.
"""

from fractions import Fraction
from functools import lru_cache
from math import nan
from typing import ClassVar

import numpy as np
from attrs import define, field, frozen

from traderagent_core.model.candle import FloatColumn

_LONGEST_BLOCK = 512
_LARGEST_GROWTH = 2**64


@frozen(eq=False)
class BlockTables:
    """Factors for each place of a block, as tuples for single values and as arrays for columns."""

    length: int
    keep: float
    fold: float
    weights: tuple[float, ...]
    decays: tuple[float, ...]
    weight_row: FloatColumn
    decay_row: FloatColumn


@lru_cache(maxsize=256)
def block_tables(keep: Fraction, gain: Fraction) -> BlockTables:
    """Tables of a recursion, rounded once from exact fractions: the same on every machine, unlike `pow`."""
    up, down = keep.numerator, keep.denominator
    length = _block_length(keep)
    # int / int is correctly rounded however long the integers are.
    decays = tuple(up**j / down**j for j in range(length))
    weights = tuple(gain.numerator * down**i / (gain.denominator * up**i) for i in range(length))
    return BlockTables(
        length=length,
        keep=float(keep),
        fold=up**length / down**length,
        weights=weights,
        decays=decays,
        weight_row=_constant(weights),
        decay_row=_constant(decays),
    )


def _block_length(keep: Fraction) -> int:
    length, growth = 1, Fraction(1)
    while length < _LONGEST_BLOCK and keep > 0 and growth / keep <= _LARGEST_GROWTH:
        length, growth = length + 1, growth / keep
    return length


def _constant(values: tuple[float, ...]) -> FloatColumn:
    row = np.array(values)
    row.setflags(write=False)
    return row


@define(eq=False)
class Smoother:
    """The recursion at work on one series of numbers >= 0, seeded by the sum of its first values.

    The seed is the sum of the first `seed_length` values over `seed_divisor`. It is the first value given,
    unless `is_seed_hidden`; before it there is nan.
    """

    STATE_SIZE: ClassVar[int] = 5

    tables: BlockTables
    seed_length: int
    seed_divisor: int
    is_seed_hidden: bool = False
    to_seed: int = field(init=False)
    _total: float = field(default=0.0, init=False)
    _place: int = field(default=0, init=False)
    _carry: float = field(default=0.0, init=False)
    _partial: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self.to_seed = self.seed_length

    @property
    def silent(self) -> int:
        """How many of the next values will give nan."""
        return self.to_seed if self.is_seed_hidden else max(self.to_seed - 1, 0)

    def push(self, value: float) -> float:
        """Take one value; the smoothed one, or nan before the seed."""
        if self.to_seed:
            return self._push_seed(value)
        place = self._place
        tables = self.tables
        partial = self._partial + value * tables.weights[place]
        inner = self._carry + partial
        if place + 1 == tables.length:
            self._place, self._carry, self._partial = 0, tables.fold * inner, 0.0
        else:
            self._place, self._partial = place + 1, partial
        return tables.decays[place] * inner

    def _push_seed(self, value: float) -> float:
        self._total += value
        self.to_seed -= 1
        if self.to_seed:
            return nan
        seed = self._total / self.seed_divisor
        self._carry = self.tables.keep * seed
        return nan if self.is_seed_hidden else seed

    def advance(self, values: FloatColumn) -> FloatColumn:
        """Take a column; the smoothed one, with nan before the seed."""
        if not self.to_seed:
            return self._advance_blocks(values)
        head = [self._push_seed(value) for value in values[: self.to_seed].tolist()]
        return np.concatenate([np.array(head), self._advance_blocks(values[len(head) :])])

    def _advance_blocks(self, values: FloatColumn) -> FloatColumn:
        if not len(values):
            return values
        first, last = self._place, self._place + len(values)
        sums = self._partial_sums(values)
        carries = self._chain(sums[:, -1].tolist(), last)
        if self._place:
            self._partial = float(sums.reshape(-1)[last - 1])
        sums += np.array(carries)[:, None]
        sums *= self.tables.decay_row
        return sums.reshape(-1)[first:last]

    def _partial_sums(self, values: FloatColumn) -> FloatColumn:
        """S for each place of the blocks that the values touch, one block a row."""
        length, first = self.tables.length, self._place
        last = first + len(values)
        flat = np.empty(-(-last // length) * length)
        flat[:first] = 0.0
        flat[first:last] = values
        flat[last:] = 0.0
        terms = flat.reshape(-1, length)
        terms *= self.tables.weight_row
        if first:
            flat[first - 1] = self._partial
        sums: FloatColumn = np.add.accumulate(terms, axis=1)
        return sums

    def _chain(self, totals: list[float], last: int) -> list[float]:
        """The carry of each block; moves the state behind the last value."""
        fold, carry, carries = self.tables.fold, self._carry, []
        for total in totals:
            carries.append(carry)
            carry = fold * (carry + total)
        self._place = last % self.tables.length
        self._carry = carries[-1] if self._place else carry
        self._partial = 0.0
        return carries

    def save(self) -> tuple[float, ...]:
        """The state as plain floats."""
        return (float(self.to_seed), self._total, float(self._place), self._carry, self._partial)

    def load(self, values: tuple[float, ...]) -> None:
        """Take over what `save` gave."""
        to_seed, self._total, place, self._carry, self._partial = values
        self.to_seed, self._place = int(to_seed), int(place)


def exponential_mean(period: int) -> Smoother:
    """y += 2 / (period + 1) * (x - y), seeded by the mean of the first `period` values (TA-Lib EMA)."""
    tables = block_tables(Fraction(period - 1, period + 1), Fraction(2, period + 1))
    return Smoother(tables, seed_length=period, seed_divisor=period)


def wilder_mean(period: int) -> Smoother:
    """y += (x - y) / period, seeded by the mean of the first `period` values (TA-Lib RSI, ATR, ADX)."""
    tables = block_tables(Fraction(period - 1, period), Fraction(1, period))
    return Smoother(tables, seed_length=period, seed_divisor=period)


def wilder_sum(period: int) -> Smoother:
    """y += x - y / period, seeded by the sum of the first `period - 1` values, itself hidden (TA-Lib DI)."""
    tables = block_tables(Fraction(period - 1, period), Fraction(1))
    return Smoother(tables, seed_length=period - 1, seed_divisor=1, is_seed_hidden=True)
