"""The single checks of data quality, each an array pass that yields the rows where something is found."""

from collections.abc import Callable
from enum import StrEnum

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from traderagent_core.data.columns import Column, Columns, times_of
from traderagent_core.data.resampling import grid_offset_ms
from traderagent_core.model.timeframe import timeframe_ms

Rows = NDArray[np.int64]
PRICES = ("open", "high", "low", "close")
DOWNLOAD_AGAIN = "mend the row or download the file again"
ZERO_VOLUME_RUN = 10
"""So many candles in a row without volume are worth telling."""
JUMP_RATIO = 0.1
"""Moves below this (as a logarithm) are never called a jump."""
JUMP_MEDIANS = 25.0
"""A jump is so many times the median move of the series."""


class Severity(StrEnum):
    """What a finding means for an import."""

    REFUSED = "refused"
    REPAIRED = "repaired"
    TOLD = "told"


@frozen(eq=False)
class Check:
    """What one check found: the rows, most telling first, and how to describe one."""

    kind: str
    severity: Severity
    rows: Rows
    describe: Callable[[int], str]
    expected: str = ""
    remedy: str = ""


def candle_checks(columns: Columns) -> list[Check]:
    """Values that no candle can have, and values that are merely strange."""
    return [
        _not_finite(columns, (*PRICES, "volume")),
        _not_positive(columns),
        _negative_volume(columns),
        _broken_candles(columns),
        _silent_runs(columns),
        _jumps(columns),
    ]


def funding_checks(columns: Columns) -> list[Check]:
    """Rates must be numbers, and are told when they are above 10 % a settlement."""
    rate = columns["rate"]
    with np.errstate(invalid="ignore"):
        large = np.flatnonzero(np.isfinite(rate) & (np.abs(rate) > 0.1))
    return [
        _not_finite(columns, ("rate",)),
        Check("jump", Severity.TOLD, large, lambda row: f"funding rate {rate[row]:g}"),
    ]


def is_newest_first(times: Rows) -> bool:
    """Whether rows stand in reverse order throughout, which is plain enough to be turned round."""
    return len(times) > 1 and bool(times[0] > times[-1]) and bool((np.diff(times) <= 0).all())


def turned_round(columns: Columns) -> dict[str, Column]:
    """The columns in reverse order, without copying."""
    return {name: column[::-1] for name, column in columns.items()}


def order_checks(columns: Columns, *, is_reversed: bool) -> list[Check]:
    """Rows out of order, rows of one time; `is_reversed` tells that the columns have been turned round."""
    return [
        Check(
            "disorder",
            Severity.REFUSED,
            np.flatnonzero(np.diff(times_of(columns)) < 0) + 1,
            lambda _: "the time goes back",
            "rows in order of time",
            "sort the file by time, or download it again",
        ),
        Check(
            "conflicting_duplicate",
            Severity.REFUSED,
            _twins(columns, identical=False),
            lambda _: "a second row of the same time has other values",
            "one row for each time",
            "keep the right row and remove the other",
        ),
        Check(
            "reversed_order",
            Severity.REPAIRED,
            np.zeros(int(is_reversed), dtype=np.int64),
            lambda _: "rows stand newest first; turned round",
        ),
        Check(
            "identical_duplicate",
            Severity.REPAIRED,
            _twins(columns, identical=True),
            lambda _: "the row stands there twice; one is kept",
        ),
    ]


def spacing_checks(columns: Columns, timeframe: str) -> list[Check]:
    """Times off the grid of the timeframe, and gaps; a gap is placed at the row after it."""
    times = times_of(columns)
    length = timeframe_ms(timeframe)
    steps = np.diff(times)
    behind = np.flatnonzero(steps > length) + 1
    return [
        Check(
            "off_grid",
            Severity.REFUSED,
            np.flatnonzero((times - grid_offset_ms(timeframe)) % length),
            lambda _: "the time is off the grid",
            f"open times on whole {timeframe} steps (UTC)",
            "mend the times or say another --timeframe",
        ),
        Check(
            "gap",
            Severity.TOLD,
            behind,
            lambda row: f"{_candles(int(steps[row - 1]) // length - 1)} missing before this one",
        ),
    ]


def _candles(count: int) -> str:
    return "1 candle" if count == 1 else f"{count:,} candles"


def _not_finite(columns: Columns, names: tuple[str, ...]) -> Check:
    broken = np.zeros(len(times_of(columns)), dtype=np.bool_)
    for name in names:
        broken |= ~np.isfinite(columns[name])

    def describe(row: int) -> str:
        found = next(name for name in names if not np.isfinite(columns[name][row]))
        value = columns[found][row]
        return f"{found} is missing or not a number" if np.isnan(value) else f"{found} is infinite"

    return Check(
        "not_a_number", Severity.REFUSED, np.flatnonzero(broken), describe, "a number", DOWNLOAD_AGAIN
    )


def _not_positive(columns: Columns) -> Check:
    broken = np.zeros(len(times_of(columns)), dtype=np.bool_)
    for name in PRICES:
        broken |= columns[name] <= 0

    def describe(row: int) -> str:
        name = next(name for name in PRICES if columns[name][row] <= 0)
        return f"{name} is {columns[name][row]:g}"

    return Check(
        "non_positive_price",
        Severity.REFUSED,
        np.flatnonzero(broken),
        describe,
        "prices above zero",
        DOWNLOAD_AGAIN,
    )


def _negative_volume(columns: Columns) -> Check:
    volume = columns["volume"]
    rows = np.flatnonzero(volume < 0)
    return Check(
        "negative_volume",
        Severity.REFUSED,
        rows,
        lambda row: f"volume is {volume[row]:g}",
        "zero or more",
        DOWNLOAD_AGAIN,
    )


def _broken_candles(columns: Columns) -> Check:
    opening, high, low, close = (columns[name] for name in PRICES)
    broken = (low > np.minimum(opening, close)) | (high < np.maximum(opening, close)) | (low > high)

    def describe(row: int) -> str:
        return f"open {opening[row]:g}, high {high[row]:g}, low {low[row]:g}, close {close[row]:g}"

    return Check(
        "broken_candle",
        Severity.REFUSED,
        np.flatnonzero(broken),
        describe,
        "low <= open, close <= high",
        DOWNLOAD_AGAIN,
    )


def _silent_runs(columns: Columns) -> Check:
    """Long runs without volume, the longest first. A series that never has volume (mark prices) is not told."""
    silent = columns["volume"] == 0
    edges = np.flatnonzero(np.diff(np.concatenate(([False], silent, [False])).astype(np.int8)))
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    long = lengths >= (ZERO_VOLUME_RUN if not silent.all() else len(silent) + 1)
    starts, lengths = starts[long], lengths[long]
    order = np.argsort(-lengths, kind="stable")
    length_at = dict(zip(starts.tolist(), lengths.tolist(), strict=True))
    return Check(
        "zero_volume_run",
        Severity.TOLD,
        starts[order],
        lambda row: f"{_candles(length_at[row])} without volume from here on",
    )


def _jumps(columns: Columns) -> Check:
    """Moves that are large for this series, largest first: real crashes are among them, so they are only told.

    What moved during a gap is no jump.
    """
    steps = np.diff(times_of(columns))
    is_next = steps == np.median(steps) if len(steps) else steps > 0
    with np.errstate(all="ignore"):
        logs = {name: np.log(columns[name]) for name in ("high", "low", "close")}
        moves = logs["high"] - logs["low"]
        moves[1:] = np.maximum(moves[1:], np.abs(np.diff(logs["close"])) * is_next)
    moves[~np.isfinite(moves)] = 0.0
    threshold = max(JUMP_RATIO, JUMP_MEDIANS * float(np.median(moves)))
    rows = np.flatnonzero(moves > threshold)
    order = np.argsort(-moves[rows], kind="stable")
    return Check(
        "jump",
        Severity.TOLD,
        rows[order],
        lambda row: _move(columns, row),
    )


def _move(columns: Columns, row: int) -> str:
    before = f" after a close of {columns['close'][row - 1]:g}" if row else ""
    return f"a jump: low {columns['low'][row]:g}, high {columns['high'][row]:g}{before}"


def _twins(columns: Columns, *, identical: bool) -> Rows:
    """Rows whose time stood there before, with the same or with other values."""
    times = times_of(columns)
    steps = np.diff(times)
    if (steps > 0).all():
        return np.empty(0, dtype=np.int64)
    order = np.argsort(times, kind="stable")
    second, first = order[1:], order[:-1]
    is_twin = times[second] == times[first]
    second, first = second[is_twin], first[is_twin]
    same = np.ones(len(second), dtype=np.bool_)
    for column in columns.values():
        same &= (column[second] == column[first]) | (
            (column[second] != column[second]) & (column[first] != column[first])
        )
    return np.sort(second[same if identical else ~same])
