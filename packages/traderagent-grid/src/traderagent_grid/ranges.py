"""Ranges of a grid: the first one, where it lies after re-centring, and when the price has left it."""

import math
from decimal import Decimal

from attrs import frozen
from traderagent_core import Instrument

from traderagent_grid.config import Bounds, GridConfig, Spacing
from traderagent_grid.levels import EXACT, ONE

FALLBACK_RATIO = Decimal("0.01")
"""What is taken for the ATR, as a ratio of the price, where the ATR is zero or there is nothing else to go by."""

FIXED = "fixed"
ATR = "atr"
FIXED_FALLBACK = "fixed_fallback"
ATR_ZERO = "atr_zero"


@frozen
class Range:
    """Bounds in quote currency. `source` says how they were found; the lower one may be zero or less (no grid)."""

    lower: Decimal
    upper: Decimal
    source: str = FIXED

    def triggers(self, threshold: Decimal) -> tuple[Decimal, Decimal]:
        """Prices at which the range has been left: below and above by the threshold."""
        return (
            EXACT.multiply(self.lower, ONE - threshold),
            EXACT.multiply(self.upper, ONE + threshold),
        )

    def is_left(self, price: Decimal, threshold: Decimal) -> bool:
        """Whether a price is at or beyond a trigger."""
        below, above = self.triggers(threshold)
        return price <= below or price >= above


def first_range(config: GridConfig, price: Decimal, atr: float | None, instrument: Instrument) -> Range:
    """The range at the start."""
    if config.bounds is Bounds.ATR:
        return _from_atr(config, price, atr, None, instrument)
    assert config.lower_price is not None
    assert config.upper_price is not None
    return _scaled(Range(config.lower_price, config.upper_price), config.range_ratio, instrument)


def next_range(
    config: GridConfig, old: Range, price: Decimal, atr: float | None, instrument: Instrument
) -> Range:
    """The range re-centred on the price."""
    if config.trailing_recenter_mode is Bounds.ATR:
        return _from_atr(config, price, atr, old, instrument)
    return recentred(old, price, config.spacing, instrument)


def recentred(
    old: Range, price: Decimal, spacing: Spacing, instrument: Instrument, source: str = FIXED
) -> Range:
    """The same width about a price; of a geometric grid the same ratio of the bounds."""
    if spacing is Spacing.GEOMETRIC:
        root = EXACT.sqrt(EXACT.divide(old.upper, old.lower))
        return _on_tick(EXACT.divide(price, root), EXACT.multiply(price, root), source, instrument)
    half = EXACT.divide(EXACT.subtract(old.upper, old.lower), Decimal(2))
    return _on_tick(EXACT.subtract(price, half), EXACT.add(price, half), source, instrument)


def _from_atr(
    config: GridConfig, price: Decimal, atr: float | None, old: Range | None, instrument: Instrument
) -> Range:
    """price ± multiplier × ATR; without an ATR the old width, and 1 % of the price where there is none."""
    source = ATR
    if atr is None or not math.isfinite(atr) or atr < 0:
        if old is not None:
            return recentred(old, price, config.spacing, instrument, FIXED_FALLBACK)
        atr, source = 0.0, FIXED_FALLBACK
    elif atr == 0:
        source = ATR_ZERO
    unit = Decimal(repr(atr)) if atr else EXACT.multiply(price, FALLBACK_RATIO)
    half = EXACT.multiply(EXACT.multiply(unit, config.atr_multiplier), config.range_ratio)
    return _on_tick(EXACT.subtract(price, half), EXACT.add(price, half), source, instrument)


def _scaled(old: Range, ratio: Decimal, instrument: Instrument) -> Range:
    if ratio == ONE:
        return old
    middle = EXACT.divide(EXACT.add(old.lower, old.upper), Decimal(2))
    half = EXACT.multiply(EXACT.subtract(old.upper, middle), ratio)
    return _on_tick(EXACT.subtract(middle, half), EXACT.add(middle, half), old.source, instrument)


def _on_tick(lower: Decimal, upper: Decimal, source: str, instrument: Instrument) -> Range:
    """Both bounds down to the tick, which keeps a width that is a multiple of it."""
    tick = instrument.tick_size
    return Range(EXACT.multiply(lower // tick, tick), EXACT.multiply(upper // tick, tick), source)
