"""The short table of a result for a terminal, as plain text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from traderagent_core.account.reasons import bot_of_mode
from traderagent_core.coordinator.halt import Stage
from traderagent_core.report import display
from traderagent_core.report.bounds import Bounds
from traderagent_core.report.comparison import Comparison
from traderagent_core.report.coordination_tables import costs
from traderagent_core.report.money import MONEY_HEAD, STRATEGY_HEAD, bot_rows, strategy_rows
from traderagent_core.simulator.coordination import Coordination, TransitionRow

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


def table(result: "Result") -> str:
    """Headline metrics, money per bot that adds up, what else there is of a run, and warnings."""
    shown = dict(display.rows(result.metrics))
    parts = [aligned([(label, shown[label]) for label in _GLANCE])]
    if result.outcome.money:
        parts.append(aligned([MONEY_HEAD, *bot_rows(result.outcome)], text_columns=3))
    by_strategy = strategy_rows(result.outcome)
    if by_strategy:
        parts.append(aligned([STRATEGY_HEAD, *by_strategy]))
    coordination = result.outcome.study.coordination
    if coordination is not None:
        parts.append(_coordination(coordination))
    if result.bounds is not None:
        parts.append(_bounds(result.bounds))
    if result.comparison is not None:
        parts.append(_comparison(result.comparison))
    if result.warnings:
        parts.append("\n".join(f"! {warning}" for warning in result.warnings))
    return "\n\n".join(parts) + "\n"


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


def _coordination(found: Coordination) -> str:
    """Transitions with their cost where strategies change, halts, and how long each mode of the account was on."""
    halts = sum(each.name == Stage.FREEZE.value for each in found.halts)
    rows = [*_transitions(found.transitions), ("Emergency halts", display.count(halts))]
    modes = [name for name in sorted(found.modes) if not bot_of_mode(name)]
    rows += [(f"Time in {name}", display.percent(found.mode_ratio(name))) for name in modes]
    return aligned(rows, text_columns=2)


def _transitions(found: Sequence[TransitionRow]) -> list[tuple[str, str]]:
    if not found:
        return []
    outcomes = Counter(each.outcome for each in found).most_common()
    ended = ", ".join(f"{display.count(number)} {name}" for name, number in outcomes)
    *_, cost = costs(found)
    return [
        ("Transitions", f"{display.count(len(found))}: {ended}"),
        ("Cost of transitions", display.money(cost)),
    ]


def _comparison(comparison: Comparison) -> str:
    return "\n".join([aligned(comparison.rows()), *comparison.left_out()])


def _bounds(bounds: Bounds) -> str:
    return f"{aligned(bounds_rows(bounds))}\n{bounds_sentence(bounds)}"
