"""What is wrong or noteworthy in a series: a report, and the refusal of what must not be guessed."""

from collections.abc import Callable

import numpy as np
from attrs import asdict, frozen
from numpy.typing import NDArray

from traderagent_core.data.columns import Column, Columns, times_of
from traderagent_core.data.quality_checks import (
    Check,
    Severity,
    candle_checks,
    funding_checks,
    is_newest_first,
    order_checks,
    spacing_checks,
    turned_round,
)
from traderagent_core.data.times import iso
from traderagent_core.errors import DataError
from traderagent_core.model.timeframe import timeframe_ms, timeframe_name

SHOWN_PLACES = 5


@frozen
class Place:
    """Where something was found: `file:line`, the open time of the row, and what stands there."""

    where: str
    time_ms: int
    found: str


@frozen
class Finding:
    """One kind of problem: how often, what was expected, what to do, and the first few places."""

    kind: str
    severity: Severity
    count: int
    expected: str
    remedy: str
    places: tuple[Place, ...]

    def __str__(self) -> str:
        first = self.places[0]
        more = f" ({self.count} such places)" if self.count > 1 else ""
        expected = f"; expected {self.expected}" if self.expected else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{first.where}: {first.found} at {iso(first.time_ms)}{more}{expected}{remedy}"


@frozen
class QualityReport:
    """All findings of one series or file. Times are ms UTC, the first and last of the rows."""

    name: str
    timeframe: str
    rows: int
    first_ms: int
    last_ms: int
    findings: tuple[Finding, ...]

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """Findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity is severity)

    @property
    def is_sound(self) -> bool:
        """Whether an import would accept the series."""
        return not self.of(Severity.REFUSED)

    def count(self, kind: str) -> int:
        """How many places of a kind were found, 0 when none."""
        return sum(finding.count for finding in self.findings if finding.kind == kind)

    def require_sound(self) -> "QualityReport":
        """The report itself; raises DataError with the first place of each refused kind."""
        refused = self.of(Severity.REFUSED)
        if refused:
            raise DataError("\n".join(str(finding) for finding in refused))
        return self

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def inspect_series(
    columns: Columns,
    *,
    timeframe: str,
    name: str,
    place: Callable[[int], str],
) -> QualityReport:
    """Looks through candles (or funding, when `timeframe` is empty) in file order; changes nothing.

    `place` tells where a row of the columns stands.
    """
    times = times_of(columns)
    if not len(times):
        raise DataError(f"{name}: no rows; expected candles; import the data again")
    is_reversed = is_newest_first(times)
    if is_reversed:
        columns, last, place_in_file = turned_round(columns), len(times) - 1, place
        times = times_of(columns)

        def place(row: int) -> str:
            return place_in_file(last - row)

    checks = candle_checks(columns) if timeframe else funding_checks(columns)
    checks += order_checks(columns, is_reversed=is_reversed)
    if timeframe:
        checks += spacing_checks(columns, timeframe)
    findings = tuple(_finding(check, times, place) for check in checks if len(check.rows))
    return QualityReport(name, timeframe, len(times), int(times.min()), int(times.max()), findings)


def _finding(check: Check, times: NDArray[np.int64], place: Callable[[int], str]) -> Finding:
    places = tuple(
        Place(place(int(row)), int(times[row]), check.describe(int(row))) for row in check.rows[:SHOWN_PLACES]
    )
    return Finding(check.kind, check.severity, len(check.rows), check.expected, check.remedy, places)


def mended(columns: Columns) -> dict[str, Column]:
    """The columns oldest first and without identical duplicates: the only repairs, and both are told."""
    if is_newest_first(times_of(columns)):
        columns = turned_round(columns)
    times = times_of(columns)
    keep = np.concatenate(([True], np.diff(times) > 0))
    if keep.all():
        return {name: np.ascontiguousarray(column) for name, column in columns.items()}
    return {name: column[keep] for name, column in columns.items()}


def infer_timeframe(time_ms: NDArray[np.int64], name: str) -> str:
    """The most common step between different times. Raises DataError when that is no timeframe."""
    steps = _steps(time_ms)
    if not len(steps):
        raise DataError(
            f"{name}: one row does not tell the timeframe; expected two, or --timeframe, such as --timeframe 1h"
        )
    lengths, counts = np.unique(steps, return_counts=True)
    common = int(lengths[np.argmax(counts)])
    try:
        return timeframe_name(common)
    except DataError as error:
        raise DataError(
            f"{name}: the most common step is no timeframe: {error}; say it with --timeframe"
        ) from None


def require_step(time_ms: NDArray[np.int64], timeframe: str, name: str) -> None:
    """Raises DataError when the times plainly follow another timeframe than the one named."""
    steps = _steps(time_ms)
    length = timeframe_ms(timeframe)
    if len(steps) < 2:
        return
    values, counts = np.unique(steps, return_counts=True)
    common, divisor = int(values[np.argmax(counts)]), int(np.gcd.reduce(steps))
    is_finer = common < length
    is_coarser = divisor > length and len(steps) >= 10
    if is_finer or is_coarser:
        found = common if is_finer else divisor
        raise DataError(
            f"{name}: the timeframe is said to be {timeframe}, but the rows are {_length_text(found)} apart; "
            f"expected {timeframe}; rename the file, or say the right one with --timeframe"
        )


def _steps(time_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """Distances between different times, whatever their order."""
    steps = np.diff(time_ms)
    if not ((steps >= 0).all() or (steps <= 0).all()):
        steps = np.diff(np.sort(time_ms))
    distances: NDArray[np.int64] = np.abs(steps[steps != 0])
    return distances


def _length_text(length_ms: int) -> str:
    try:
        return timeframe_name(length_ms)
    except DataError:
        return f"{length_ms / 1000:g} s"
