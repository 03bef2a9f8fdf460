"""Merging a new download into a stored series: bars added, bars restated, and which of two values stands."""

from collections.abc import Iterator, Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from traderagent_core.data.columns import Column, Columns, times_of

Rows = NDArray[np.int64]


@frozen
class RestatedBar:
    """A bar of which two downloads tell different values. `old` and `new` are all columns but the time, in order."""

    time_ms: int
    old: tuple[float, ...]
    new: tuple[float, ...]
    is_replaced: bool


@frozen(eq=False)
class Merged:
    """A merged series. `source` tells for each row the index of the source it comes from."""

    columns: dict[str, Column]
    source: NDArray[np.int32]
    added: int
    restated: tuple[RestatedBar, ...]

    @property
    def replaced(self) -> int:
        """How many stored bars gave way to new values."""
        return sum(bar.is_replaced for bar in self.restated)

    @property
    def has_changed(self) -> bool:
        """Whether the columns differ from those stored before."""
        return self.added > 0 or self.replaced > 0


def first_merge(incoming: Columns) -> Merged:
    """The first download of a series, all rows from source 0."""
    rows = len(times_of(incoming))
    return Merged(dict(incoming), np.zeros(rows, dtype=np.int32), rows, ())


def merge(
    stored: Columns,
    stored_source: NDArray[np.int32],
    incoming: Columns,
    obtained_ms: Sequence[int],
    *,
    keep_old: bool,
) -> Merged:
    """Merges two series whose times increase strictly.

    `obtained_ms` tells when each source was obtained, that of `incoming` last. Where values differ the bar obtained
    later stands, at equal times the incoming one; with `keep_old` always the stored one.
    """
    at, is_known = _positions(times_of(stored), times_of(incoming))
    rows = _differing(stored, incoming, at, is_known)
    ages = np.asarray(obtained_ms, dtype=np.int64)
    is_newer = ages[-1] >= ages[stored_source[at[rows]]]
    wins = np.zeros(len(rows), dtype=np.bool_) if keep_old else is_newer
    restated = tuple(_restated(stored, incoming, at[rows], rows, wins))
    taken, own = rows[wins], len(ages) - 1
    columns = {name: stored[name].copy() for name in stored}
    source = np.array(stored_source)
    for name in columns:
        columns[name][at[taken]] = incoming[name][taken]
    source[at[taken]] = own
    fresh = np.flatnonzero(~is_known)
    if len(fresh):
        columns, source = _with_rows(columns, source, {name: incoming[name][fresh] for name in columns}, own)
    return Merged(columns, source, len(fresh), restated)


def _positions(stored: Rows, incoming: Rows) -> tuple[Rows, NDArray[np.bool_]]:
    """For each incoming time its place among the stored ones, and whether it is there."""
    at = np.minimum(np.searchsorted(stored, incoming), len(stored) - 1)
    return at, stored[at] == incoming


def _differing(stored: Columns, incoming: Columns, at: Rows, is_known: NDArray[np.bool_]) -> Rows:
    differs = np.zeros(len(at), dtype=np.bool_)
    for name in stored:
        differs |= stored[name][at] != incoming[name]
    return np.flatnonzero(differs & is_known)


def _restated(
    stored: Columns, incoming: Columns, at: Rows, rows: Rows, wins: NDArray[np.bool_]
) -> Iterator[RestatedBar]:
    names = list(stored)[1:]
    times = times_of(incoming)[rows].tolist()
    old = zip(*(stored[name][at].tolist() for name in names), strict=True)
    new = zip(*(incoming[name][rows].tolist() for name in names), strict=True)
    return map(RestatedBar, times, old, new, wins.tolist())


def _with_rows(
    columns: Columns, source: NDArray[np.int32], fresh: Columns, own: int
) -> tuple[dict[str, Column], NDArray[np.int32]]:
    joined = {name: np.concatenate((columns[name], fresh[name])) for name in columns}
    sources = np.concatenate((source, np.full(len(times_of(fresh)), own, dtype=np.int32)))
    order = np.argsort(times_of(joined), kind="stable")
    return {name: column[order] for name, column in joined.items()}, sources[order]
