"""Regimes: the words for what a market does."""

from enum import StrEnum


class Regime(StrEnum):
    """What a market does, by strength of its trend and size of its moves."""

    TIGHT_RANGE = "TIGHT_RANGE"
    WIDE_RANGE = "WIDE_RANGE"
    QUIET_TRANSITION = "QUIET_TRANSITION"
    VOLATILE_TRANSITION = "VOLATILE_TRANSITION"
    BULL_TREND = "BULL_TREND"
    BEAR_TREND = "BEAR_TREND"


RANGES = frozenset({Regime.TIGHT_RANGE, Regime.WIDE_RANGE})
TRANSITIONS = frozenset({Regime.QUIET_TRANSITION, Regime.VOLATILE_TRANSITION})
TRENDS = frozenset({Regime.BULL_TREND, Regime.BEAR_TREND})
