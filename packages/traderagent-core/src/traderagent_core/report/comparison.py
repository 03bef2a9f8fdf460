"""A run beside other ways to use the same account: figures, equity and what is equal between them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from attrs import frozen

from traderagent_core.model.candle import FloatColumn
from traderagent_core.report import display
from traderagent_core.report.chartdata import CURVE_PARTS
from traderagent_core.report.curve import outline, outline_times
from traderagent_core.report.digits import short
from traderagent_core.report.metrics import Metrics, metrics
from traderagent_core.report.text import jsonable
from traderagent_core.simulator.outcome import EquityCurve, Outcome

THIS = "this run"
_FIGURES: Mapping[str, Callable[[Metrics], Any]] = {
    "final_equity": lambda m: m.final_equity,
    "roi": lambda m: m.roi,
    "cagr": lambda m: m.cagr,
    "max_drawdown": lambda m: m.max_drawdown,
    "sharpe": lambda m: m.sharpe,
    "fees": lambda m: m.fees,
    "trades": lambda m: m.trades,
    "fills": lambda m: m.fills,
}
HEAD = ("Run", "Final equity", "ROI", "CAGR", "Max drawdown", "Sharpe", "Fees", "Trades", "Fills")
EQUAL = (
    "Equal for all: candles, period, starting balance, fees, slippage, funding, and the valuation of what is open at "
    "the end at the last close."
)
FIXED = (
    "Each fixed strategy has the pairs of the bots whose strategy is auto, all the time, as its section says: "
    "without the values and factors of routes. Shares of capital with reserve, filters, risk modes, limits, latency "
    "and path are those of the run."
)
HELD = (
    "Buy and hold puts equal parts of the balance into the pairs at the start, at the market with fee and slippage, "
    "and sells nothing; it has no leverage, filters, risk modes, limits or latency. A pair that is listed later is "
    "bought then."
)
IDLE = "Cash trades nothing and earns no interest."


@frozen
class Compared:
    """One way and what became of it; without metrics `why_not` says why it was not run."""

    name: str
    kind: str
    metrics: Metrics | None = None
    equity: EquityCurve | None = None
    why_not: str = ""


@frozen
class Comparison:
    """All ways, the run itself first."""

    runs: Sequence[Compared]

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What is equal and what is not."""
        has_fixed = any(each.kind == "strategy" for each in self.runs)
        return (EQUAL, *((FIXED,) if has_fixed else ()), HELD, IDLE)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"assumptions": list(self.assumptions), "runs": [_figures(each) for each in self.runs]}

    def rows(self) -> list[tuple[str, ...]]:
        """A head and one row for each way that was run, as text."""
        return [HEAD, *(_row(each.name, each.metrics) for each in self.runs if each.metrics is not None)]

    def left_out(self) -> list[str]:
        """Which ways were not run, and why."""
        return [f"{each.name} is left out: {each.why_not}" for each in self.runs if each.metrics is None]

    def curves(self) -> list[list[Any]]:
        """Equity of every way as [name, kind, times in seconds, values], thinned alike, extremes kept."""
        shown = [(each, each.equity) for each in self.runs if each.equity is not None]
        times = shown[0][1].time_ms
        drawn = (outline_times(times, CURVE_PARTS) // 1000).tolist()
        return [
            [each.name, each.kind, drawn, short(outline(_on(curve, shown[0][1]), CURVE_PARTS))]
            for each, curve in shown
        ]


def compared(name: str, kind: str, outcome: Outcome) -> Compared:
    """A way that was run."""
    return Compared(name, kind, metrics(outcome), outcome.equity)


def in_cash(outcome: Outcome) -> Outcome:
    """The account of a run in which nothing was traded."""
    curve, balance = outcome.equity, outcome.starting_balance
    flat = EquityCurve(
        curve.time_ms, np.full(len(curve.time_ms), float(balance)), np.zeros(len(curve.time_ms))
    )
    return Outcome(outcome.candles, balance, balance, flat, [], [], [], [], [], [])


def _on(curve: EquityCurve, base: EquityCurve) -> FloatColumn:
    """A curve at the times of another one: its last value then, its first one before."""
    if not len(curve.time_ms):
        return np.zeros(len(base.time_ms))
    index = np.searchsorted(curve.time_ms, base.time_ms, side="right") - 1
    return np.asarray(curve.equity[np.maximum(index, 0)])


def _figures(each: Compared) -> dict[str, Any]:
    content: dict[str, Any] = {"name": each.name, "kind": each.kind}
    if each.metrics is None:
        return {**content, "why_not": each.why_not}
    return content | {name: jsonable(read(each.metrics)) for name, read in _FIGURES.items()}


def _row(name: str, found: Metrics) -> tuple[str, ...]:
    return (
        name,
        display.money(found.final_equity),
        display.percent(found.roi, signed=True),
        display.percent(found.cagr, signed=True),
        display.percent(found.max_drawdown),
        display.number(found.sharpe),
        display.money(found.fees),
        display.count(found.trades),
        display.count(found.fills),
    )
