"""Figures as people read them: grouped digits, signs, per cent. Used by the terminal and the HTML page."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from traderagent_core.report.metrics import Metrics
from traderagent_core.report.text import iso

NONE = "–"


def money(value: Decimal | None, *, signed: bool = False) -> str:
    """Two digits after the point, more for small amounts; `1,234.50`, `+0.0012`."""
    if value is None:
        return NONE
    digits = 2 if abs(value) >= 1 or not value else min(8, 3 - value.adjusted())
    text = f"{value:{'+' if signed and value else ''},.{digits}f}"
    return text.replace("-", "−")


def percent(value: float | None, *, signed: bool = False) -> str:
    """A ratio in per cent with two digits."""
    if value is None:
        return NONE
    return f"{value * 100:{'+' if signed and value else ''},.2f} %".replace("-", "−")


def number(value: float | None) -> str:
    """A plain figure with two digits."""
    return NONE if value is None else f"{value:,.2f}".replace("-", "−")


def count(value: int | None) -> str:
    """A whole number with grouped digits."""
    return NONE if value is None else f"{value:,}"


def when(time_ms: int | None) -> str:
    """A time to the minute, UTC."""
    return NONE if time_ms is None else iso(time_ms)[:16].replace("T", " ")


def rows(metrics: Metrics) -> list[tuple[str, str]]:
    """Every metric as a label and its text, in reading order."""
    return [(label, show(metrics)) for label, show in _ROWS]


_ROWS: tuple[tuple[str, Callable[[Metrics], Any]], ...] = (
    ("Period (UTC)", lambda m: f"{when(m.start_ms)} … {when(m.end_ms)}"),
    ("Days", lambda m: number(m.days)),
    ("Starting balance", lambda m: money(m.starting_balance)),
    ("Final equity", lambda m: money(m.final_equity)),
    ("Net profit", lambda m: money(m.net_profit, signed=True)),
    ("ROI", lambda m: percent(m.roi, signed=True)),
    ("CAGR", lambda m: percent(m.cagr, signed=True)),
    ("Volatility, annual", lambda m: percent(m.volatility)),
    ("Sharpe", lambda m: number(m.sharpe)),
    ("Sortino", lambda m: number(m.sortino)),
    ("Calmar", lambda m: number(m.calmar)),
    ("Max drawdown", lambda m: percent(m.max_drawdown)),
    ("Drawdown from … to", lambda m: f"{when(m.max_drawdown_peak_ms)} … {when(m.max_drawdown_trough_ms)}"),
    ("Time in the market", lambda m: percent(m.exposure_time_ratio)),
    ("Mean exposure", lambda m: percent(m.mean_exposure_ratio)),
    ("Profit factor", lambda m: number(m.profit_factor)),
    ("Win rate", lambda m: percent(m.win_rate)),
    ("Trades", lambda m: count(m.trades)),
    ("Cycles", lambda m: count(m.cycles)),
    ("Cycle profit, gross", lambda m: money(m.cycle_profit, signed=True)),
    ("Profit per cycle, net", lambda m: money(m.profit_per_cycle, signed=True)),
    ("Grid profit, annualised, net", lambda m: percent(m.annualised_grid_profit, signed=True)),
    ("Fills", lambda m: count(m.fills)),
    ("Ambiguous fills", lambda m: f"{count(m.ambiguous_fills)} ({percent(m.ambiguous_fills_ratio)})"),
    ("Orders", lambda m: count(m.orders)),
    ("Fees", lambda m: money(m.fees)),
    ("Funding", lambda m: money(m.funding, signed=True)),
    ("Turnover", lambda m: money(m.turnover)),
    ("Engine events", lambda m: count(m.events)),
)
