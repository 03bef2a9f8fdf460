"""What the charts of the HTML report draw, thinned to what a screen can show: bars, markers, levels, curves."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from math import floor, log10
from typing import Any

import numpy as np
from attrs import frozen

from traderagent_core.model.candle import Candles, FloatColumn, TimeColumn
from traderagent_core.model.timeframe import timeframe_name
from traderagent_core.report.curve import (
    drawdown_column,
    first_of_each_step,
    outline,
    outline_times,
    step_for,
)
from traderagent_core.simulator.outcome import FillRow, LevelRow, Outcome

# Limits that keep the page below 1.5 MB; those for all symbols are shared among them.
BARS_PER_SYMBOL, BARS = 3000, 9000
MARKERS_PER_SYMBOL, MARKERS = 1500, 6000
LEVELS_PER_SYMBOL, LEVELS = 2000, 6000
CURVE_PARTS = 500

# Kinds of markers and levels, as the page's script knows them.
BUY, SELL, STOP = 0, 1, 2

Marker = tuple[int, int, int, float]  # bar, kind, number of fills, mean price
Segment = tuple[int, float, int, int]  # side, price, first bar, last bar


@frozen(eq=False)
class Bars:
    """Candles of one symbol, aggregated to `timeframe`."""

    timeframe: str
    step_ms: int
    open_time: TimeColumn
    open: FloatColumn
    high: FloatColumn
    low: FloatColumn
    close: FloatColumn

    def index_of(self, time_ms: int) -> int:
        """The bar in which something at `time_ms` happened; a close on a boundary belongs to the bar it ends."""
        return max(0, int(np.searchsorted(self.open_time, time_ms)) - 1)


def charts(outcome: Outcome) -> dict[str, Any]:
    """Everything the page draws, ready for JSON."""
    symbols = max(1, len(outcome.candles))
    return {
        "symbols": [
            _symbol(outcome, name, candles, symbols)
            for name, candles in outcome.candles.items()
            if len(candles)
        ],
        "equity": equity_points(outcome),
    }


def bars(candles: Candles, limit: int) -> Bars:
    """At most about `limit` bars: the candles themselves, or aggregated to the finest usual step that fits."""
    times = candles.open_time
    if len(candles) <= limit:
        columns = candles.open, candles.high, candles.low, candles.close
        return Bars(candles.timeframe, candles.duration_ms, times, *columns)
    span = int(times[-1] - times[0]) + candles.duration_ms
    step_ms = step_for(span, limit, candles.duration_ms)
    first = first_of_each_step(times, step_ms)
    last = np.append(first[1:], len(times)) - 1
    return Bars(
        timeframe_name(step_ms),
        step_ms,
        times[first] // step_ms * step_ms,
        candles.open[first],
        np.maximum.reduceat(candles.high, first),
        np.minimum.reduceat(candles.low, first),
        candles.close[last],
    )


def markers(fills: Iterable[FillRow], drawn: Bars, limit: int) -> list[Marker]:
    """Fills of one kind in one bar as one marker, in as many neighbouring bars as it takes to keep the limit."""
    placed = sorted((drawn.index_of(fill.time_ms), _kind(fill), float(fill.price)) for fill in fills)
    width = 1
    while len(found := _merged(placed, width)) > limit:
        width *= 2
    return found


def levels(rows: Iterable[LevelRow], drawn: Bars, limit: int) -> list[Segment]:
    """Levels as segments between bars, joined where they touch or nearly so; at most the latest `limit`.

    A gap of half a per cent of the chart is closed when that is needed to keep the limit, never more.
    """
    placed = sorted(
        (BUY if row.side == "BUY" else SELL, float(row.price), *_span(row, drawn)) for row in rows
    )
    segments = _joined(placed, 1)
    if len(segments) > limit:
        segments = _joined(segments, max(1, len(drawn.open_time) // 200))
    latest = sorted(segments, key=lambda segment: (segment[3], segment[2], segment[:2]))[-limit:]
    return sorted(latest)


def equity_points(outcome: Outcome) -> dict[str, Any]:
    """Equity and drawdown (per cent), thinned so that the least and the greatest of each slice stay."""
    curve = outcome.equity
    drawdown = drawdown_column(curve.equity, float(outcome.starting_balance))
    return {
        "time": (outline_times(curve.time_ms, CURVE_PARTS) // 1000).tolist(),
        "equity": _short(outline(curve.equity, CURVE_PARTS)),
        "drawdown": _short(np.round(outline(drawdown, CURVE_PARTS) * 100, 4)),
    }


def _symbol(outcome: Outcome, name: str, candles: Candles, symbols: int) -> dict[str, Any]:
    drawn = bars(candles, min(BARS_PER_SYMBOL, BARS // symbols))
    fills = [fill for fill in outcome.fills if fill.symbol == name]
    rows = [row for row in outcome.levels if row.symbol == name]
    shown = markers(fills, drawn, min(MARKERS_PER_SYMBOL, MARKERS // symbols))
    most_lines = min(LEVELS_PER_SYMBOL, LEVELS // symbols)
    lines = levels(rows, drawn, most_lines)
    return {
        "symbol": name,
        "timeframe": drawn.timeframe,
        "precision": _precision(float(drawn.close[-1])),
        "time": (drawn.open_time // 1000).tolist(),
        "open": _short(drawn.open),
        "high": _short(drawn.high),
        "low": _short(drawn.low),
        "close": _short(drawn.close),
        "markers": shown,
        "levels": lines,
        "note": _note(candles, drawn, (len(fills), len(shown)), (len(rows), len(lines)), most_lines),
    }


def _note(
    candles: Candles, drawn: Bars, fills: tuple[int, int], rows: tuple[int, int], most_lines: int
) -> str:
    bars_told = f"{len(candles):,} candles of {candles.timeframe}"
    if drawn.timeframe != candles.timeframe:
        bars_told += f" drawn as {len(drawn.open_time):,} bars of {drawn.timeframe}"
    left_out = ", earlier ones left out" if rows[1] == most_lines < rows[0] else ""
    return (
        f"{bars_told}; {fills[0]:,} fills in {fills[1]:,} markers (a number counts fills drawn as one;"
        f" zoom in to part them); {rows[0]:,} resting orders in {rows[1]:,} lines{left_out}. Times are UTC."
    )


def _kind(fill: FillRow) -> int:
    if fill.purpose == "STOP_LOSS":
        return STOP
    return BUY if fill.side == "BUY" else SELL


def _merged(placed: Sequence[tuple[int, int, float]], width: int) -> list[Marker]:
    """Markers of `width` bars each, at the first bar of theirs that has a fill; `placed` is sorted by bar."""
    found: dict[tuple[int, int], list[Any]] = {}
    for bar, kind, price in placed:
        group = found.setdefault((bar // width, kind), [bar, kind, 0, 0.0])
        group[2] += 1
        group[3] += price
    return sorted((bar, kind, count, _digits(total / count)) for bar, kind, count, total in found.values())


def _span(row: LevelRow, drawn: Bars) -> tuple[int, int]:
    first = drawn.index_of(row.from_ms)
    return first, max(first, drawn.index_of(row.to_ms))


def _joined(segments: Sequence[Segment], gap: int) -> list[Segment]:
    """Sorted segments of one side and price made one where no more than `gap` bars lie between their ends."""
    joined: list[Segment] = []
    for (side, price), same in groupby(segments, key=lambda segment: segment[:2]):
        for _, _, first, last in same:
            before = joined[-1] if joined and joined[-1][:2] == (side, price) else None
            if before is not None and first - before[3] <= gap:
                joined[-1] = (side, price, before[2], max(before[3], last))
            else:
                joined.append((side, price, first, last))
    return joined


def _precision(price: float) -> int:
    """Digits after the point that show five or more significant ones."""
    return 2 if price <= 0 else min(12, max(2, 4 - floor(log10(price))))


def _digits(value: float) -> float:
    """Eight significant digits: more than a screen has pixels."""
    return float(f"{value:.8g}")


def _short(column: FloatColumn) -> list[float]:
    return [_digits(value) for value in column.tolist()]
