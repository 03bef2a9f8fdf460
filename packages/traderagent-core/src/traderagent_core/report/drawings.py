"""What plugins draw, as a file: every layer, of very many parts only the longest and the latest."""

from collections.abc import Sequence
from typing import Any

from attrs import fields

from traderagent_core.contract.exhibit import Band, Layer, Line, Mark
from traderagent_core.report.digits import fair_limit, longest
from traderagent_core.report.text import dumps_compact
from traderagent_core.simulator.outcome import Shown

PARTS = 30_000
"""Parts in drawings.json, all layers together: about 5 MB."""

_NAMES = {kind: tuple(field.name for field in fields(kind)) for kind in (Band, Line, Mark)}


def drawings_json(exhibits: Sequence[Shown], *, limit: int = PARTS) -> bytes:
    """drawings.json: every layer of every plugin; times in ms UTC, `left_out` counts the parts that are not there."""
    layers = [(shown, layer) for shown in exhibits for layer in shown.exhibit.layers]
    share = fair_limit([_size(layer) for _, layer in layers], limit)
    return (dumps_compact([_told(shown, layer, share) for shown, layer in layers]) + "\n").encode()


def _size(layer: Layer) -> int:
    return len(layer.bands) + len(layer.lines) + len(layer.marks)


def _told(shown: Shown, layer: Layer, limit: int) -> dict[str, Any]:
    bands = longest(layer.bands, limit, lambda band: (band.from_ms, band.to_ms))
    rest = limit - len(bands)
    lines = longest(layer.lines, rest, lambda line: (line.points[0][0], line.points[-1][0]))
    rest -= len(lines)
    marks = layer.marks[max(len(layer.marks) - rest, 0) :]
    return {
        "owner": shown.owner,
        "kind": shown.kind,
        "title": layer.title,
        "symbol": layer.symbol,
        "bands": [_part(band) for band in bands],
        "lines": [_part(line) for line in lines],
        "marks": [_part(mark) for mark in marks],
        "timeframe": layer.timeframe,
        "is_shown": layer.is_shown,
        "left_out": _size(layer) - len(bands) - len(lines) - len(marks),
    }


def _part(part: Band | Line | Mark) -> dict[str, Any]:
    return {name: getattr(part, name) for name in _NAMES[type(part)]}
