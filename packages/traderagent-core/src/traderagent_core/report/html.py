"""report.html: one page that needs no network, with charts drawn by the lightweight-charts library."""

import json
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

from traderagent_core.report import display, sections
from traderagent_core.report.bands import bands
from traderagent_core.report.chartdata import charts
from traderagent_core.report.money import bots_told
from traderagent_core.report.shown_tables import coordination_page_tables, page_tables
from traderagent_core.report.text import jsonable
from traderagent_core.simulator.outcome import Outcome

if TYPE_CHECKING:
    from traderagent_core.report.result import Result

LIBRARY = "lightweight-charts.standalone.production.js"
SCRIPTS = (
    "theme.js",
    "drawing.js",
    "strip.js",
    "coordination.js",
    "price.js",
    "equity.js",
    "comparison.js",
    "tables.js",
    "report.js",
)
"""Parts of the page's script, in the order in which they need each other."""
_NAMES = 6
# Inside <script> only these could end the element or the text.
_ESCAPES = {
    ord("<"): "\\u003c",
    ord(">"): "\\u003e",
    ord("&"): "\\u0026",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


def render(result: "Result") -> str:
    """The page as text. Every text from the run is escaped; a policy in the page forbids any request."""
    library, script = asset(LIBRARY), page_script()
    return Template(asset("report.html")).substitute(
        policy=escape(_policy(library, script)),
        style=asset("report.css"),
        library=library,
        script=script,
        data=embedded(_data(result)),
        **_texts(result),
    )


def asset(name: str) -> str:
    """The text of a file that is part of the package."""
    return _asset(name)


def page_script() -> str:
    """The page's own script: its parts in one function, so that nothing of them is global."""
    return '"use strict";\n(() => {\n' + "\n".join(map(asset, SCRIPTS)) + "})();\n"


def embedded(value: Any) -> str:
    """JSON that can stand inside a script element."""
    value = jsonable(
        value
    )  # What it was made from is let go of first: the page is made when memory is fullest.
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    del value
    return text.translate(_ESCAPES)


@cache
def _asset(name: str) -> str:
    return (files("traderagent_core.report") / "assets" / name).read_text(encoding="utf-8")


def _policy(*scripts: str) -> str:
    """Content-Security-Policy: only these very scripts, inline styles, images inside the page, no requests."""
    hashes = " ".join(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )


def _texts(result: "Result") -> dict[str, str]:
    outcome, metrics = result.outcome, result.metrics
    bots = _listed(bots_told(outcome)) or "no bot"
    period = f"{display.when(metrics.start_ms)} … {display.when(metrics.end_ms)} UTC"
    return {
        "title": escape(f"Back-test: {_listed(list(outcome.candles))}"),
        "subtitle": escape(f"{bots} · {period}"),
        "warnings": sections.warning_list([*result.warnings, *outcome.study.warnings]),
        "tiles": sections.tiles(metrics),
        "symbols": sections.options(name for name, candles in outcome.candles.items() if len(candles)),
        "equity_note": escape(_equity_note(result)),
        "money": sections.money_tables(outcome),
        "comparison": sections.comparison_section(result.comparison),
        "bounds": sections.bounds_section(result.bounds),
        "decisions": sections.decisions_table(outcome.decisions),
        "metrics": sections.all_metrics(metrics),
        "assumptions": sections.assumptions_table(result.assumptions),
        "manifest": sections.manifest_text(result.manifest),
    }


def _listed(names: Sequence[str]) -> str:
    """Names in a row; of many only the first, and how many more there are."""
    rest = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def _equity_note(result: "Result") -> str:
    metrics = result.metrics
    return (
        f"{len(result.outcome.equity.time_ms):,} base closes, thinned with highs and lows kept. Deepest drawdown"
        f" {display.percent(metrics.max_drawdown)}, from {display.when(metrics.max_drawdown_peak_ms)}"
        f" to {display.when(metrics.max_drawdown_trough_ms)}."
    )


def _data(result: "Result") -> dict[str, Any]:
    outcome = result.outcome
    bots = {money.bot: money.symbol for money in outcome.money}
    return {
        **charts(outcome),
        "tables": page_tables(outcome),
        "bots": bots,
        "coordination": _coordination(outcome),
        "comparison": None if result.comparison is None else result.comparison.curves(),
    }


def _coordination(outcome: Outcome) -> dict[str, Any] | None:
    drawn, found = bands(outcome), outcome.study.coordination
    return None if drawn is None or found is None else {**drawn, "tables": coordination_page_tables(found)}
