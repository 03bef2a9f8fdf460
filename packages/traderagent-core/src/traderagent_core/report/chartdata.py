"""What the charts of the HTML report draw, thinned to what a screen can show."""

from array import array
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

import numpy as np
from attrs import frozen

from traderagent_core.contract.exhibit import Layer
from traderagent_core.contract.history import RoundTrip
from traderagent_core.model.candle import Candles
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.report.bars import Bars, bars, latest_bars
from traderagent_core.report.curve import drawdown_column, outline, outline_times
from traderagent_core.report.digits import digits, precision, short
from traderagent_core.report.layers import belongs, drawn_layer
from traderagent_core.report.positions import excursions, spans
from traderagent_core.report.segments import Price, Prices, as_rows, level_prices, segments, trip_prices
from traderagent_core.simulator.outcome import FillRow, Outcome

# Limits that keep the page of a few symbols near 1 MB and that of dozens below 6 MB, shared among its charts.
BARS_PER_SYMBOL, BARS = 3000, 9000
FINE_BARS = 2000
LEAST_BARS = 900
"""Bars that each symbol has, however many there are."""
MARKERS_PER_CHART, MARKERS = 1500, 4500
SEGMENTS_PER_CHART, SEGMENTS = 2000, 5000
SPANS_PER_CHART, SPANS = 1000, 2000
PARTS_PER_LAYER, PARTS = 600, 5000
CURVE_PARTS = 500
LEAST_SHARE = 2000
"""Bars of a symbol from which some of them show its latest stretch in full."""

# Kinds of markers, as the page's script knows them.
BUY, SELL, STOP = 0, 1, 2
LEAD_BARS = 100
"""Candles before the run that a chart shows."""

Lean = TypeVar("Lean")
Dot = tuple[int, int, float]
"""Time in ms, kind and price of a fill."""
Marker = tuple[int, int, int, float]  # bar, kind, number of fills, mean price


@frozen(eq=False)
class Scene:
    """All that is drawn of one symbol, before it is cut to a chart."""

    symbol: str
    candles: Candles
    fills: Sequence[Dot]
    levels: Prices
    trips: Sequence[RoundTrip]
    layers: Sequence[Layer]
    timeframes: Sequence[str]
    has_cycles: bool

    @property
    def end_ms(self) -> int:
        """The last close."""
        return int(self.candles.open_time[-1]) + self.candles.duration_ms


@frozen(eq=False)
class _Parts:
    """What is drawn, by symbol."""

    fills: Mapping[str, list[Dot]]
    levels: "Mapping[str, array[float]]"
    trips: Mapping[str, list[RoundTrip]]
    layers: Mapping[str, list[Layer]]
    cyclic: Container[str]


@frozen
class Limits:
    """How much may be drawn on one chart."""

    markers: int
    segments: int
    spans: int
    parts: int


def charts(outcome: Outcome) -> dict[str, Any]:
    """Everything the page draws, ready for JSON."""
    parts = _parts(outcome)
    shown = {name: _of_the_run(outcome, candles) for name, candles in outcome.candles.items()}
    scenes = [_scene(outcome, name, candles, parts) for name, candles in shown.items() if len(candles)]
    laid = [(scene, _bars_of(scene, len(scenes))) for scene in scenes]
    limits = _limits(laid)
    return {
        "symbols": [
            {
                "symbol": scene.symbol,
                "precision": precision(float(scene.candles.close[-1])),
                "has_cycles": scene.has_cycles,
                "charts": [_chart(scene, drawn, limits) for drawn in all_bars],
            }
            for scene, all_bars in laid
        ],
        "equity": equity_points(outcome),
    }


def dot(fill: FillRow) -> Dot:
    """What is drawn of a fill."""
    side = BUY if fill.side == "BUY" else SELL
    return fill.time_ms, STOP if fill.purpose == "STOP_LOSS" else side, float(fill.price)


def markers(fills: Iterable[Dot], drawn: Bars, limit: int) -> list[Marker]:
    """Fills of one kind in one bar as one marker, in as many neighbouring bars as it takes to keep the limit."""
    placed = sorted((drawn.index_of(time_ms), kind, price) for time_ms, kind, price in fills)
    width = 1
    while len(found := _merged(placed, width)) > limit:
        width *= 2
    return found


def equity_points(outcome: Outcome) -> dict[str, Any]:
    """Equity and drawdown (per cent), thinned so that the least and the greatest of each slice stay."""
    curve = outcome.equity
    drawdown = drawdown_column(curve.equity, float(outcome.starting_balance))
    return {
        "time": (outline_times(curve.time_ms, CURVE_PARTS) // 1000).tolist(),
        "equity": short(outline(curve.equity, CURVE_PARTS)),
        "drawdown": short(np.round(outline(drawdown, CURVE_PARTS) * 100, 4)),
    }


def _of_the_run(outcome: Outcome, candles: Candles) -> Candles:
    """The candles of a run, without those that only warmed indicators up but for the last of them."""
    closes = outcome.equity.time_ms
    if not len(candles) or not len(closes):
        return candles
    return candles.between(int(closes[0]) - (LEAD_BARS + 1) * candles.duration_ms, None)


def _scene(outcome: Outcome, name: str, candles: Candles, parts: _Parts) -> Scene:
    own = parts.layers[name]
    wanted = {layer.timeframe for layer in own if layer.timeframe is not None}
    timeframes = {*wanted, outcome.study.timeframes.get(name, candles.timeframe), candles.timeframe}
    return Scene(
        name,
        candles,
        parts.fills[name],
        as_rows(parts.levels[name]),
        parts.trips[name],
        own,
        sorted(timeframes, key=timeframe_ms, reverse=True),
        name in parts.cyclic,
    )


def _parts(outcome: Outcome) -> _Parts:
    return _Parts(
        _by_name((fill.symbol, dot(fill)) for fill in outcome.fills),
        _numbers_by_name(level_prices(outcome.levels)),
        _by_name((trip.symbol, trip) for trip in outcome.study.round_trips),
        _by_name((layer.symbol, layer) for shown in outcome.study.exhibits for layer in shown.exhibit.layers),
        {trade.symbol for trade in outcome.trades if trade.kind == "cycle"},
    )


def _by_name(pairs: Iterable[tuple[str, Lean]]) -> Mapping[str, list[Lean]]:
    """What is drawn of rows, by symbol: the rows of a long run are too large to be kept."""
    found: dict[str, list[Lean]] = defaultdict(list)
    for name, lean in pairs:
        found[name].append(lean)
    return found


def _numbers_by_name(pairs: Iterable[tuple[str, Price]]) -> "Mapping[str, array[float]]":
    """The numbers of rows one after another, by symbol."""
    found: dict[str, array[float]] = defaultdict(lambda: array("d"))
    for name, row in pairs:
        found[name].extend(row)
    return found


def _bars_of(scene: Scene, symbols: int) -> list[Bars]:
    """The whole period first, then the latest bars of the finer timeframes that are traded or drawn on."""
    share = max(BARS // symbols, LEAST_BARS)
    if share < LEAST_SHARE:
        return [bars(scene.candles, share)]
    whole = bars(scene.candles, min(BARS_PER_SYMBOL, share // 2))
    lengths = [timeframe_ms(timeframe) for timeframe in scene.timeframes]
    fine = [length for length in lengths if scene.candles.duration_ms <= length < whole.step_ms][:3]
    limit = min(FINE_BARS, (share - len(whole)) // max(1, len(fine)))
    return [whole, *(latest_bars(scene.candles, length, limit) for length in fine)]


def _limits(laid: Sequence[tuple[Scene, Sequence[Bars]]]) -> Limits:
    count = max(1, sum(len(all_bars) for _, all_bars in laid))
    pairs = ((layer, drawn) for scene, all_bars in laid for layer in scene.layers for drawn in all_bars)
    layers = max(1, sum(belongs(layer, drawn) for layer, drawn in pairs))
    return Limits(
        min(MARKERS_PER_CHART, MARKERS // count),
        min(SEGMENTS_PER_CHART, SEGMENTS // count),
        min(SPANS_PER_CHART, SPANS // count),
        min(PARTS_PER_LAYER, PARTS // layers),
    )


def _chart(scene: Scene, drawn: Bars, limits: Limits) -> dict[str, Any]:
    fills = [fill for fill in scene.fills if fill[0] > drawn.start_ms]
    trips = [trip for trip in scene.trips if drawn.holds(trip.opened_ms, trip.closed_ms or scene.end_ms)]
    further = as_rows(chain.from_iterable(trip_prices(trips, scene.end_ms)))
    lines = segments(np.concatenate((scene.levels, further)), drawn, limits.segments)
    shown = spans(trips, drawn, scene.end_ms, limits.spans)
    return {
        "timeframe": drawn.timeframe,
        "time": (drawn.open_time // 1000).tolist(),
        "open": short(drawn.open),
        "high": short(drawn.high),
        "low": short(drawn.low),
        "close": short(drawn.close),
        "markers": markers(fills, drawn, limits.markers),
        "segments": lines,
        "spans": shown,
        "excursions": excursions(trips, drawn),
        "layers": [
            drawn_layer(layer, drawn, limits.parts) for layer in scene.layers if belongs(layer, drawn)
        ],
        "note": _note(scene, drawn, len(fills), len(trips) - len(shown), len(lines) >= limits.segments),
    }


def _note(scene: Scene, drawn: Bars, fills: int, spans_left: int, is_cut: bool) -> str:
    told = [f"{len(drawn):,} bars of {drawn.timeframe}, {fills:,} fills, {len(scene.trips):,} positions"]
    if drawn.start_ms > int(scene.candles.open_time[0]):
        told.append("only the latest stretch; earlier times are on the chart of the whole period")
    elif drawn.step_ms != scene.candles.duration_ms:
        told.append(f"made of {len(scene.candles):,} candles of {scene.candles.timeframe}")
    if spans_left > 0:
        told.append(f"{spans_left:,} shorter positions are not drawn here")
    if is_cut:
        told.append("of the lines the shortest are left out")
    return "; ".join(told) + ". Times are UTC."


def _merged(placed: Sequence[tuple[int, int, float]], width: int) -> list[Marker]:
    """Markers of `width` bars each, at the first bar of theirs that has a fill; `placed` is sorted by bar."""
    found: dict[tuple[int, int], list[Any]] = {}
    for bar, kind, price in placed:
        group = found.setdefault((bar // width, kind), [bar, kind, 0, 0.0])
        group[2] += 1
        group[3] += price
    return sorted((bar, kind, count, digits(total / count)) for bar, kind, count, total in found.values())
