"""The result of a run: one object for JSON, a table for the terminal, files on disk."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from traderagent_core.errors import DataError
from traderagent_core.report.bounds import Bounds
from traderagent_core.report.cautions import cautions, unattributed
from traderagent_core.report.comparison import Comparison
from traderagent_core.report.coordination import committed_csv, summary, timeline_json
from traderagent_core.report.drawings import drawings_json
from traderagent_core.report.metrics import Metrics, metrics
from traderagent_core.report.shown_tables import JsonRow, exhibit_dicts
from traderagent_core.report.tables import (
    decisions_csv,
    equity_csv,
    equity_rows_told,
    fills_csv,
    orders_csv,
    positions_csv,
    trades_csv,
)
from traderagent_core.report.text import Lines, dumped, dumps, jsonable
from traderagent_core.simulator.collecting import no_cyclic_collection
from traderagent_core.simulator.outcome import BotMoney, Outcome

REPORT = "report.html"
Maker = Callable[[], Iterable[bytes]]
"""Makes a file, in parts."""


@frozen(eq=False)
class Result:
    """A finished run. Everything derived from it holds no wall clock: the same run gives the same bytes."""

    metrics: Metrics
    assumptions: Mapping[str, Any]
    manifest: Mapping[str, Any]
    outcome: Outcome
    bounds: Bounds | None = None
    comparison: Comparison | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before believing the figures."""
        return cautions(self.outcome, self.metrics)

    def to_dict(self) -> dict[str, Any]:
        """One object for JSON: `metrics`, `assumptions`, `manifest`, `money`, `exhibits`, `warnings`.

        With `coordination` where strategies were chosen by regime, `bounds` and `comparison` when asked for.
        """
        return self._content(list)

    def _content(self, keep: Callable[[Iterator[JsonRow]], Any]) -> dict[str, Any]:
        """`to_dict`, with the rows of tables as `keep` makes them of an iterator."""
        study = self.outcome.study
        content = {
            "metrics": self.metrics.to_dict(),
            "assumptions": jsonable(self.assumptions),
            "manifest": jsonable(self.manifest),
            "money": [money_dict(money) for money in self.outcome.money],
            "unattributed": jsonable(unattributed(self.outcome)),
            "warnings": [*self.warnings, *study.warnings],
            "exhibits": exhibit_dicts(study.exhibits, keep=keep),
        }
        if study.coordination is not None:
            content["coordination"] = summary(study.coordination)
        if self.bounds is not None:
            content["bounds"] = self.bounds.to_dict()
        if self.comparison is not None:
            content["comparison"] = self.comparison.to_dict()
        return content

    def to_json(self) -> str:
        """`to_dict` as JSON with sorted keys, indented, a row of a table on a line; the content of result.json."""
        return dumps(self.to_dict())

    def table(self) -> str:
        """A short text table for a terminal."""
        from traderagent_core.report.terminal import table

        return table(self)

    def write(self, directory: Path | str, *, html: bool = True) -> list[Path]:
        """Write result.json, the CSV files and report.html; each file is replaced as a whole.

        Without `html` a report.html of an earlier run is taken away. Raises DataError when the directory
        cannot be written to.
        """
        directory = Path(directory)
        with no_cyclic_collection():
            makers = self._files()
        if html:
            from traderagent_core.report.html import render

            makers[REPORT] = lambda: [render(self).encode()]
        try:
            with no_cyclic_collection():
                return _replace_files(directory, makers)
        except OSError as error:
            raise DataError(
                f"cannot write the results to {directory}: {error.strerror or error};"
                " name a folder that exists or can be made, with room and the right to write"
            ) from error

    def _files(self) -> dict[str, Maker]:
        """What makes each file; at most one of them is in memory at a time."""
        outcome = self.outcome
        found = outcome.study.coordination
        timeline: dict[str, Maker] = {}
        if found is not None:
            timeline = {
                "timeline.json": lambda: timeline_json(found),
                "committed.csv": lambda: [committed_csv(found)],
            }
        return {
            **timeline,
            "result.json": lambda: dumped(self._content(Lines)),
            "fills.csv": lambda: fills_csv(outcome.fills),
            "trades.csv": lambda: trades_csv(outcome.trades),
            "positions.csv": lambda: positions_csv(outcome.study.round_trips),
            "drawings.json": lambda: [drawings_json(outcome.study.exhibits)],
            "orders.csv": lambda: orders_csv(outcome.orders),
            "equity.csv": lambda: [equity_csv(outcome.equity, outcome.starting_balance)],
            "decisions.csv": lambda: decisions_csv(outcome.decisions),
        }


def result_of(
    outcome: Outcome, *, bounds: Bounds | None = None, comparison: Comparison | None = None
) -> Result:
    """The result of an outcome, with its metrics computed."""
    assumptions = {**outcome.assumptions, "equity_csv": equity_rows_told(outcome.equity)}
    return Result(metrics(outcome), assumptions, outcome.manifest, outcome, bounds, comparison)


def money_dict(money: BotMoney) -> dict[str, Any]:
    """The money of one bot for JSON, with `net_profit`, the sum of its parts."""
    names = ("bot", "symbol", "strategy", "cycles", "cycle_profit", "trend_pnl", "fees", "funding")
    further = ("net_profit", "quantity", "last_price")
    return {name: jsonable(getattr(money, name)) for name in names + further}


def _replace_files(directory: Path, makers: Mapping[str, Maker]) -> list[Path]:
    """Write all files beside their places first, then move them in, so that a failure leaves the old set."""
    directory.mkdir(parents=True, exist_ok=True)
    beside = {name: directory / f".{name}.{os.getpid()}.tmp" for name in makers}
    try:
        for name, make in makers.items():
            with beside[name].open("wb") as file:
                file.writelines(make())
        for name in makers:
            beside[name].replace(directory / name)
    finally:
        for path in beside.values():
            path.unlink(missing_ok=True)
    if REPORT not in makers:
        (directory / REPORT).unlink(missing_ok=True)
    return [directory / name for name in makers]
