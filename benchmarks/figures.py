"""One measured figure, and many of them as a table or as JSON."""

from collections.abc import Sequence
from typing import Any

from attrs import asdict, frozen
from timing import Reading

HEAD = ("figure", "unit", "wall", "best", "user", "best", "wanted", "", "")
TEXT_COLUMNS = (0, 1, 7, 8)


@frozen
class Figure:
    """A measured figure: medians and bests of wall time and of user CPU time, in `unit`.

    `wanted` is the most that the median of wall time may be. The others tell what the machine would do if it were
    alone: the best repetition, and the processor time outside the kernel.
    """

    name: str
    unit: str
    wall: float
    wall_best: float | None = None
    user: float | None = None
    user_best: float | None = None
    wanted: float | None = None
    note: str = ""

    @classmethod
    def of(
        cls, name: str, unit: str, reading: Reading, *, wanted: float | None = None, note: str = ""
    ) -> "Figure":
        """A figure of a reading that is in `unit` already."""
        wall, user = (reading.wall, reading.wall_best), (reading.user, reading.user_best)
        return cls(name, unit, *wall, *user, wanted, note)

    @property
    def verdict(self) -> str:
        """Whether the figure is as wanted, and if not by the median of wall time, by which."""
        if self.wanted is None:
            return ""
        if self.wall <= self.wanted:
            return "met"
        reached = {"best wall": self.wall_best, "user": self.user, "best user": self.user_best}
        enough = [name for name, value in reached.items() if value is not None and value <= self.wanted]
        return f"met by {enough[0]}" if enough else "NOT MET"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "verdict": self.verdict}


def table(heading: str, figures: Sequence[Figure]) -> str:
    """A heading and one line per figure, in columns."""
    rows = [HEAD, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [
        "  ".join(
            cell.ljust(width) if column in TEXT_COLUMNS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([heading, *(f"  {line}" for line in lines)])


def _row(figure: Figure) -> tuple[str, ...]:
    numbers = (figure.wall, figure.wall_best, figure.user, figure.user_best, figure.wanted)
    return (figure.name, figure.unit, *map(_number, numbers), figure.verdict, figure.note)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
