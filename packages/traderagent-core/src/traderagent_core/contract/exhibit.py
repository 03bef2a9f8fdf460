"""Exhibits: tables and drawings that a plugin hands to the report of a finished run."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

from attrs import field, frozen

Cell = str | int | float | Decimal | bool | None
Kind = Literal["text", "time", "count", "number", "money", "ratio"]
Tone = Literal["neutral", "up", "down", "good", "bad", "accent"]
Shape = Literal["circle", "square", "arrow_up", "arrow_down", "text"]
Stroke = Literal["solid", "dashed", "dotted"]


@frozen
class Column:
    """One column of a table. `name` is its key for programs, `title` its head for people.

    `kind` says how cells read: `time` is ms UTC, `money` is signed and coloured, `ratio` 0.12 is twelve per cent.
    """

    name: str
    title: str
    kind: Kind = "text"


@frozen
class Table:
    """Rows of cells under columns; None is an empty cell. `name` is unique among the tables of a plugin."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell, ...]] = field()
    note: str = ""

    @rows.validator
    def _check(self, _attribute: Any, rows: Sequence[tuple[Cell, ...]]) -> None:
        for row in rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table {self.name!r} has {len(self.columns)} columns, but a row of {len(row)} cells: {row!r}"
                )


@frozen
class Band:
    """A box between two times (ms UTC) and two prices; `text` is told where the pointer is on it."""

    from_ms: int
    to_ms: int
    low: float
    high: float
    tone: Tone = "neutral"
    text: str = ""


@frozen
class Line:
    """A line through points (time in ms UTC, price), oldest first; `label` stands at its end."""

    points: tuple[tuple[int, float], ...]
    tone: Tone = "neutral"
    stroke: Stroke = "solid"
    label: str = ""
    text: str = ""


@frozen
class Mark:
    """A sign at a time (ms UTC) and a price; `label` stands beside it, `text` is told under the pointer."""

    time_ms: int
    price: float
    shape: Shape = "circle"
    tone: Tone = "neutral"
    label: str = ""
    text: str = ""


@frozen
class Layer:
    """Drawings on the chart of one symbol that a reader shows and hides together.

    With `timeframe` the layer belongs to charts of at most that timeframe, on which its parts can be told apart.
    """

    title: str
    symbol: str
    bands: Sequence[Band] = ()
    lines: Sequence[Line] = ()
    marks: Sequence[Mark] = ()
    timeframe: str | None = None
    is_shown: bool = True


@frozen
class Exhibit:
    """What a plugin shows of a run."""

    tables: tuple[Table, ...] = ()
    layers: tuple[Layer, ...] = ()
