"""Numbers for the page, with as many digits as a screen can show."""

from collections.abc import Callable, Sequence
from math import floor, log10
from typing import TypeVar

from traderagent_core.model.candle import FloatColumn

Part = TypeVar("Part")


def digits(value: float) -> float:
    """Eight significant digits: more than a screen has pixels."""
    return float(f"{value:.8g}")


def short(column: FloatColumn) -> list[float]:
    """A column of such numbers."""
    return [digits(value) for value in column.tolist()]


def precision(price: float) -> int:
    """Digits after the point that show five or more significant ones."""
    return 2 if price <= 0 else min(12, max(2, 4 - floor(log10(price))))


def fair_limit(lengths: Sequence[int], total: int) -> int:
    """The most that each of several may have, so that all together have no more than `total`: short ones have all."""
    rest = limit = total
    for place, length in enumerate(sorted(lengths)):
        limit = rest // (len(lengths) - place)
        if length > limit:
            break
        rest -= length
        limit = total
    return limit


def longest(parts: Sequence[Part], limit: int, span: Callable[[Part], tuple[int, int]]) -> list[Part]:
    """At most so many parts, in their order: the longest, of equally long ones the latest."""
    if len(parts) <= limit:
        return list(parts)

    def rank(index: int) -> tuple[int, int, int]:
        first, last = span(parts[index])
        return last - first, last, index

    kept = sorted(range(len(parts)), key=rank)[len(parts) - max(limit, 0) :]
    return [parts[index] for index in sorted(kept)]
