"""The parts of the HTML report that need no script: figures, money, decisions, assumptions, manifest."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from traderagent_core.report import display
from traderagent_core.report.bounds import Bounds
from traderagent_core.report.comparison import Comparison
from traderagent_core.report.metrics import Metrics
from traderagent_core.report.money import MONEY_HEAD, STRATEGY_HEAD, bot_rows, money_rows, strategy_rows
from traderagent_core.report.terminal import bounds_rows, bounds_sentence
from traderagent_core.report.text import dumps, dumps_compact, iso, jsonable
from traderagent_core.simulator.outcome import DecisionRow, Outcome

DECISIONS = 200
_EVIDENCE_LENGTH = 240
_MANIFEST_LENGTH = 60_000
# Labels of `display.rows` that stand on top; of those that may be bad or good news the sign is coloured.
_TILES = (
    "Net profit",
    "ROI",
    "CAGR",
    "Max drawdown",
    "Sharpe",
    "Sortino",
    "Win rate",
    "Profit factor",
    "Cycles",
    "Profit per cycle, net",
    "Fees",
    "Time in the market",
)


def tiles(metrics: Metrics) -> str:
    """The headline figures."""
    shown = dict(display.rows(metrics))
    return "".join(
        f'<div class="tile"><dt>{escape(label)}</dt><dd{_sign_class(shown[label])}>{escape(shown[label])}</dd></div>'
        for label in _TILES
    )


def all_metrics(metrics: Metrics) -> str:
    """Every metric."""
    return _pairs(display.rows(metrics))


def warning_list(warnings: Sequence[str]) -> str:
    """Warnings in a box of their own; nothing when there are none."""
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    return f'<section class="warnings" aria-label="Warnings"><h2>Warnings</h2><ul>{items}</ul></section>'


def money_tables(outcome: Outcome) -> str:
    """Money per bot: its parts add up to the change of its equity; by strategy, too, where bots switch."""
    caption = "Cycle profit + trend PnL − fees + funding = change of equity, in quote currency."
    tables = [_table(caption, MONEY_HEAD, bot_rows(outcome), text_columns=3, last_is_total=True)]
    by_strategy = strategy_rows(outcome)
    if by_strategy:
        caption = "By strategy, over all pairs on which it has traded."
        tables.append(_table(caption, STRATEGY_HEAD, by_strategy, text_columns=1))
        caption = "Each strategy of each bot."
        each = _table(caption, MONEY_HEAD, money_rows(outcome), text_columns=3, last_is_total=True)
        tables.append(f"<details><summary>Each strategy of each bot</summary>{each}</details>")
    return "".join(f'<div class="tall">{table}</div>' for table in tables)


def bounds_section(bounds: Bounds | None) -> str:
    """The range over the stated paths; nothing when only one path was run."""
    if bounds is None:
        return ""
    head, *rows = bounds_rows(bounds)
    table = _table(bounds_sentence(bounds), head, rows, text_columns=1)
    return f"<section><h2>Range over paths</h2>{table}</section>"


def comparison_section(comparison: Comparison | None) -> str:
    """The run beside others; nothing when it was not compared."""
    if comparison is None:
        return ""
    head, *rows = comparison.rows()
    table = _table("Figures of each way to use the account.", head, rows, text_columns=1)
    notes = "".join(
        f'<p class="muted">{escape(text)}</p>' for text in (*comparison.left_out(), *comparison.assumptions)
    )
    chart = '<div id="comparison-chart" class="chart" role="img" aria-label="Equity of all runs"></div>'
    legend = '<p class="legend" id="comparison-legend"></p>'
    return f"<section><h2>Compared</h2>{chart}{legend}{table}{notes}</section>"


def decisions_table(decisions: Sequence[DecisionRow]) -> str:
    """The latest decisions with their reasons, newest first."""
    latest = decisions[-DECISIONS:][::-1]
    rows = [
        (iso(row.time_ms), row.bot, row.what, row.name, row.reason, _cut(row.evidence, _EVIDENCE_LENGTH))
        for row in latest
    ]
    rest = len(decisions) - len(latest)
    caption = f"The latest {len(latest):,} of {len(decisions):,}, newest first"
    caption += "; all are in decisions.csv." if rest else "."
    return _table(caption, ("Time (UTC)", "Bot", "What", "Name", "Reason", "Evidence"), rows, text_columns=6)


def assumptions_table(assumptions: Mapping[str, Any]) -> str:
    """What was taken for granted, key by key; warnings stand above."""
    told = sorted((str(key), _text(value)) for key, value in assumptions.items() if key != "warnings")
    return _pairs([(key.replace("_", " "), value) for key, value in told])


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """The manifest as JSON; a very long one is cut, with a word about where it is whole."""
    text = dumps(manifest)
    cut = _cut(text, _MANIFEST_LENGTH)
    note = "" if cut == text else "\n(cut here; result.json holds all of it)"
    return f"<pre>{escape(cut + note)}</pre>"


def options(names: Iterable[str]) -> str:
    """Choices of a selector, by position."""
    return "".join(f'<option value="{i}">{escape(name)}</option>' for i, name in enumerate(names))


def _table(
    caption: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    text_columns: int,
    last_is_total: bool = False,
) -> str:
    heads = "".join(
        f'<th scope="col"{"" if i < text_columns else NUMERIC}>{escape(name)}</th>'
        for i, name in enumerate(head)
    )
    body = "".join(
        _row(row, text_columns, is_total=last_is_total and i == len(rows) - 1) for i, row in enumerate(rows)
    )
    told = escape(caption)
    return (
        f'<p class="muted">{told}</p><div class="scroll" tabindex="0" role="region" aria-label="{told}">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


NUMERIC = ' class="number"'


def _row(cells: Sequence[str], text_columns: int, *, is_total: bool) -> str:
    shown = "".join(
        f"<td>{escape(cell)}</td>"
        if i < text_columns
        else f'<td class="number{_sign(cell)}">{escape(cell)}</td>'
        for i, cell in enumerate(cells)
    )
    return f"<tr{' class=total' if is_total else ''}>{shown}</tr>"


def _pairs(rows: Iterable[tuple[str, str]]) -> str:
    body = "".join(
        f'<tr><th scope="row">{escape(label)}</th><td>{escape(value)}</td></tr>' for label, value in rows
    )
    return f'<table class="pairs"><tbody>{body}</tbody></table>'


def _sign(text: str) -> str:
    """A class for texts that begin with a sign."""
    return {"+": " gain", "−": " loss"}.get(text[:1], "")


def _sign_class(text: str) -> str:
    sign = _sign(text).strip()
    return f' class="{sign}"' if sign else ""


def _text(value: Any) -> str:
    value = jsonable(value)
    return value if isinstance(value, str) else dumps_compact(value)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
