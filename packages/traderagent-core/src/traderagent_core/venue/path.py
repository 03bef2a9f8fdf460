"""The path that a price is taken to walk inside a candle."""

from enum import Enum
from math import ceil, floor

PATH_SLACK = 1e-9  # ticks; a double that stands for a price on the tick may be a hair off it

PathPoints = tuple[float, float, float, float]


class PathPolicy(Enum):
    """Which way the price goes inside a candle, since a candle does not say.

    DEFAULT: open, the extreme nearer to the open (the high on a tie), the other extreme, close.
    PESSIMISTIC and OPTIMISTIC: the extreme first that hurts or helps the net position held when the candle opens;
    without a position as DEFAULT. NEXT_CANDLE: as DEFAULT, and what is placed during a candle can trade from the
    next one on.
    """

    DEFAULT = "default"
    PESSIMISTIC = "pessimistic"
    OPTIMISTIC = "optimistic"
    NEXT_CANDLE = "next_candle"


def path_points(
    policy: PathPolicy, prices: tuple[float, float, float, float], position_sign: int
) -> tuple[PathPoints, float]:
    """The four turning points of (open, high, low, close) and the length of the way; the sign is -1, 0 or 1."""
    start, high, low, close = prices
    if position_sign == 0 or policy is PathPolicy.DEFAULT or policy is PathPolicy.NEXT_CANDLE:
        is_high_first = high - start <= start - low
    else:
        is_high_first = (position_sign > 0) is (policy is PathPolicy.OPTIMISTIC)
    if is_high_first:
        return (start, high, low, close), (high - start) + (high - low) + (close - low)
    return (start, low, high, close), (start - low) + (high - low) + (high - close)


def price_between(start: float, end: float, way: float, tick: float) -> float:
    """The price `way` after `start` towards `end`, both turning points: the last tick that was passed, or `start`.

    No tick counts as reached before the path has reached it.
    """
    if not way:
        return start
    if end > start:
        return max(float(f"{floor((start + way) / tick + PATH_SLACK) * tick:.10f}"), start)
    return min(float(f"{ceil((start - way) / tick - PATH_SLACK) * tick:.10f}"), start)
