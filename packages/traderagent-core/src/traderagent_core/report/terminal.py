"""The short table of a result for a terminal, as plain text."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from traderagent_core.report import display
from traderagent_core.report.bounds import Bounds
from traderagent_core.report.cautions import unattributed
from traderagent_core.report.comparison import Comparison
from traderagent_core.simulator.outcome import BotMoney, Outcome

if TYPE_CHECKING:
    from traderagent_core.report.result import Result

# Labels of `display.rows` that belong into a glance.
_GLANCE = (
    "Period (UTC)",
    "Final equity",
    "Net profit",
    "ROI",
    "CAGR",
    "Sharpe",
    "Sortino",
    "Calmar",
    "Max drawdown",
    "Profit factor",
    "Win rate",
    "Time in the market",
    "Trades",
    "Cycles",
    "Profit per cycle, net",
    "Grid profit, annualised, net",
    "Fills",
    "Ambiguous fills",
    "Fees",
    "Funding",
)
MONEY_HEAD = ("Bot", "Symbol", "Strategy", "Cycles", "Cycle profit", "Trend PnL", "Fees", "Funding", "Change")


def table(result: "Result") -> str:
    """Headline metrics, money per bot that adds up, range and comparison if any, and warnings."""
    shown = dict(display.rows(result.metrics))
    parts = [aligned([(label, shown[label]) for label in _GLANCE])]
    if result.outcome.money:
        parts.append(aligned([MONEY_HEAD, *money_rows(result.outcome)], text_columns=3))
    if result.bounds is not None:
        parts.append(_bounds(result.bounds))
    if result.comparison is not None:
        parts.append(_comparison(result.comparison))
    if result.warnings:
        parts.append("\n".join(f"! {warning}" for warning in result.warnings))
    return "\n\n".join(parts) + "\n"


def money_rows(outcome: Outcome) -> list[tuple[str, ...]]:
    """Money per bot and its total as text; what belongs to no bot has a row of its own."""
    rows = [_money_row(money) for money in outcome.money]
    rest = unattributed(outcome)
    if rest:
        rows.append(("(no bot)", *[""] * 7, display.money(rest, signed=True)))
    change = outcome.final_equity - outcome.starting_balance
    rows.append(("Account", *[""] * 7, display.money(change, signed=True)))
    return rows


def aligned(rows: Sequence[Sequence[str]], *, text_columns: int = 1) -> str:
    """Rows as columns of equal width: the first `text_columns` flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index < text_columns else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def bounds_rows(bounds: Bounds) -> list[tuple[str, ...]]:
    """A head and one row per path, as text."""
    head: tuple[str, ...] = ("Path", "ROI", "Final equity", "Max drawdown", "Trades", "Cycles", "Fills")
    return [head, *(_path_row(path, figures) for path, figures in bounds.paths.items())]


def bounds_sentence(bounds: Bounds) -> str:
    """The range of ROI in one sentence, with the note on what it covers."""
    found = bounds.ranges.get("roi")
    if found is None:
        return bounds.note
    sentence = (
        f"ROI {display.percent(float(found.lowest), signed=True)} ({found.lowest_path})"
        f" to {display.percent(float(found.highest), signed=True)} ({found.highest_path})"
        f" over {len(bounds.paths)} paths."
    )
    return f"{sentence} {bounds.note}".rstrip()


def _path_row(path: str, figures: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        path,
        display.percent(figures["roi"], signed=True),
        display.money(figures["final_equity"]),
        display.percent(figures["max_drawdown"]),
        *(display.count(figures[name]) for name in ("trades", "cycles", "fills")),
    )


def _money_row(money: BotMoney) -> tuple[str, ...]:
    parts = (money.cycle_profit, money.trend_pnl, -money.fees, money.funding, money.net_profit)
    shown = [display.money(part, signed=True) for part in parts]
    return (money.bot, money.symbol, money.strategy, display.count(money.cycles), *shown)


def _comparison(comparison: Comparison) -> str:
    return "\n".join([aligned(comparison.rows()), *comparison.left_out()])


def _bounds(bounds: Bounds) -> str:
    return f"{aligned(bounds_rows(bounds))}\n{bounds_sentence(bounds)}"
