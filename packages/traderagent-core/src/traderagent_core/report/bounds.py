"""The range of results over several stated paths of the price inside a candle."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from attrs import frozen

from traderagent_core.report.metrics import Metrics, metrics
from traderagent_core.report.text import jsonable
from traderagent_core.simulator.outcome import Outcome

_SHOWN: Mapping[str, Callable[[Metrics], Any]] = {
    "roi": lambda m: m.roi,
    "final_equity": lambda m: m.final_equity,
    "net_profit": lambda m: m.net_profit,
    "max_drawdown": lambda m: m.max_drawdown,
    "sharpe": lambda m: m.sharpe,
    "fees": lambda m: m.fees,
    "trades": lambda m: m.trades,
    "cycles": lambda m: m.cycles,
    "fills": lambda m: m.fills,
}


@frozen
class Range:
    """Least and greatest value of one figure, and the paths that gave them."""

    lowest: Decimal | float | int
    lowest_path: str
    highest: Decimal | float | int
    highest_path: str


@frozen
class Bounds:
    """One run per path: the figures of each, and the range of each figure.

    `note` says what the range is known to cover; it is printed with it.
    """

    paths: Mapping[str, Mapping[str, Any]]
    ranges: Mapping[str, Range]
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        ranges = {
            name: {
                "lowest": jsonable(found.lowest),
                "lowest_path": found.lowest_path,
                "highest": jsonable(found.highest),
                "highest_path": found.highest_path,
            }
            for name, found in self.ranges.items()
        }
        return {"paths": jsonable(self.paths), "ranges": ranges, "note": self.note}


def bounds(runs: Mapping[str, Metrics | Outcome], *, note: str = "") -> Bounds:
    """Summary of runs that differ only in the stated path, by path name. Raises ValueError without any."""
    if not runs:
        raise ValueError("bounds need the run of at least one path")
    figures = {path: run if isinstance(run, Metrics) else metrics(run) for path, run in runs.items()}
    paths = {path: {name: read(m) for name, read in _SHOWN.items()} for path, m in figures.items()}
    ranges = {name: found for name in _SHOWN if (found := _range(name, paths)) is not None}
    return Bounds(paths, ranges, note)


def _range(name: str, paths: Mapping[str, Mapping[str, Any]]) -> Range | None:
    """Range of one figure; the first path named wins a tie. None where no path defines the figure."""
    known = [(figures[name], path) for path, figures in paths.items() if figures[name] is not None]
    if not known:
        return None
    lowest = min(known, key=lambda pair: pair[0])
    highest = max(known, key=lambda pair: pair[0])
    return Range(lowest[0], lowest[1], highest[0], highest[1])
