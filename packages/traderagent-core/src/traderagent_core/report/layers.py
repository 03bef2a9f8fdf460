"""Drawings of plugins on the bars of one chart: only what lies on it, thinned, with a count of what is left out."""

from typing import Any

from traderagent_core.contract.exhibit import Band, Layer, Line, Mark
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.report.bars import Bars
from traderagent_core.report.digits import digits, longest

TONES = ("neutral", "up", "down", "good", "bad", "accent")
SHAPES = ("circle", "square", "arrow_up", "arrow_down", "text")
STROKES = ("solid", "dashed", "dotted")


def belongs(layer: Layer, drawn: Bars) -> bool:
    """Whether a chart is fine enough for a layer."""
    return layer.timeframe is None or timeframe_ms(layer.timeframe) >= drawn.step_ms


def drawn_layer(layer: Layer, drawn: Bars, limit: int) -> dict[str, Any]:
    """A layer as the page's script knows it; `left_out` counts the parts on this chart that are not drawn."""
    bands = [band for band in layer.bands if drawn.holds(band.from_ms, band.to_ms)]
    lines = [line for line in layer.lines if drawn.holds(line.points[0][0], line.points[-1][0])]
    marks = [mark for mark in layer.marks if drawn.holds(mark.time_ms, mark.time_ms)]
    kept_bands = longest(bands, limit, lambda band: (band.from_ms, band.to_ms))
    kept_lines = longest(lines, limit - len(kept_bands), lambda line: (line.points[0][0], line.points[-1][0]))
    room = limit - len(kept_bands) - len(kept_lines)
    kept_marks = marks[len(marks) - min(room, len(marks)) :]
    total = len(bands) + len(lines) + len(marks)
    kept: list[Band | Line | Mark] = [*kept_bands, *kept_lines, *kept_marks]
    texts = list(dict.fromkeys(part.text for part in kept))
    told = {text: number for number, text in enumerate(texts)}
    return {
        "title": layer.title,
        "timeframe": layer.timeframe,
        "on": layer.is_shown and layer.timeframe in (None, drawn.timeframe),
        "bands": [[*_band(band, drawn), told[band.text]] for band in kept_bands],
        "lines": [[*_line(line, drawn), told[line.text]] for line in kept_lines],
        "marks": [[*_mark(mark, drawn), told[mark.text]] for mark in kept_marks],
        "texts": texts,
        "total": total,
        "left_out": total - len(kept),
    }


def _band(band: Band, drawn: Bars) -> list[Any]:
    first = drawn.index_of(band.from_ms)
    last = max(first, drawn.index_of(band.to_ms))
    return [first, last, digits(band.low), digits(band.high), TONES.index(band.tone)]


def _line(line: Line, drawn: Bars) -> list[Any]:
    points = [[drawn.index_of(time_ms), digits(price)] for time_ms, price in line.points]
    return [points, TONES.index(line.tone), STROKES.index(line.stroke), line.label]


def _mark(mark: Mark, drawn: Bars) -> list[Any]:
    place = [drawn.index_of(mark.time_ms), digits(mark.price)]
    return [*place, SHAPES.index(mark.shape), TONES.index(mark.tone), mark.label]
