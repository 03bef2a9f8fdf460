"""Metrics of a run: what it earned, what it risked, how it traded."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import isfinite, sqrt
from typing import Any

import attrs
import numpy as np
from attrs import frozen

from traderagent_core.model.candle import FloatColumn
from traderagent_core.model.timeframe import DAY_MS
from traderagent_core.report.curve import daily_returns, max_drawdown
from traderagent_core.report.text import iso, jsonable
from traderagent_core.simulator.outcome import EquityCurve, FillTotals, Outcome, TradeRow

DAYS_PER_YEAR = 365
ZERO = Decimal(0)

# Spread of daily returns that rounding alone explains; below it a ratio to the spread means nothing.
_NO_SPREAD = 1e-14
_MONEY_DIGITS = Decimal("1e-8")


@frozen(kw_only=True)
class Metrics:
    """The figures of one run. None stands for what is not defined, such as a win rate without trades.

    Money is in quote currency. Everything else is a plain ratio: `roi` 0.12 is twelve per cent of the starting
    balance, `max_drawdown` 0.3 a fall by thirty per cent. Ratios over time rest on returns at UTC day ends,
    annualised with 365 days, with a risk-free rate of 0.
    """

    start_ms: int
    end_ms: int
    days: float
    starting_balance: Decimal
    final_equity: Decimal
    net_profit: Decimal
    roi: float | None
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: float
    max_drawdown_peak_ms: int | None
    max_drawdown_trough_ms: int | None
    exposure_time_ratio: float | None
    mean_exposure_ratio: float | None
    profit_factor: float | None
    win_rate: float | None
    trades: int
    cycles: int
    cycle_profit: Decimal
    profit_per_cycle: Decimal | None
    annualised_grid_profit: float | None
    fills: int
    ambiguous_fills: int
    ambiguous_fills_ratio: float | None
    orders: int
    fees: Decimal
    funding: Decimal
    turnover: Decimal
    events: int

    def to_dict(self) -> dict[str, Any]:
        """For JSON: money as text, times as ISO text under names without `_ms`."""
        values = attrs.asdict(self)
        return {
            name.removesuffix("_ms"): iso(value)
            if name.endswith("_ms") and value is not None
            else jsonable(value)
            for name, value in values.items()
        }


def metrics(outcome: Outcome) -> Metrics:
    """All metrics of a run.

    `exposure_time_ratio` is the share of base closes with a position, `mean_exposure_ratio` the mean of
    |position value| / equity. `cycle_profit` is gross, as in the money of the bots; `profit_per_cycle` and
    `annualised_grid_profit` (realised / investment / days × 365) are net of the fees of the cycles.
    """
    start_ms, end_ms = period(outcome)
    days = (end_ms - start_ms) / DAY_MS
    roi = _ratio(outcome.final_equity - outcome.starting_balance, outcome.starting_balance)
    return Metrics(
        start_ms=start_ms,
        end_ms=end_ms,
        days=days,
        starting_balance=outcome.starting_balance,
        final_equity=outcome.final_equity,
        net_profit=outcome.final_equity - outcome.starting_balance,
        roi=roi,
        events=outcome.events,
        orders=len(outcome.orders),
        funding=sum((money.funding for money in outcome.money), ZERO),
        **_over_time(outcome, start_ms, _cagr(roi, days)),
        **_exposure(outcome.equity.exposure),
        **_trades(outcome, days),
        **_fills(outcome.fill_totals),
    )


def period(outcome: Outcome) -> tuple[int, int]:
    """Open time of the first candle and close time of the last one that equity was judged at; zeros without."""
    times = outcome.equity.time_ms
    if len(times) == 0:
        return 0, 0
    base_ms = min((candles.duration_ms for candles in outcome.candles.values()), default=0)
    return int(times[0]) - base_ms, int(times[-1])


def sharpe_ratio(returns: FloatColumn) -> float | None:
    """Mean over standard deviation (n - 1) of daily returns, × √365.

    Sharpe, "The Sharpe Ratio" (Journal of Portfolio Management, 1994), risk-free rate 0.
    """
    spread = _spread(returns)
    return None if spread is None else float(returns.mean()) / spread * sqrt(DAYS_PER_YEAR)


def sortino_ratio(returns: FloatColumn) -> float | None:
    """Mean daily return over its downside deviation (root mean square of the losses over all days), × √365.

    Sortino & Price, "Performance measurement in a downside risk framework" (Journal of Investing, 1994),
    target 0; None for fewer than two days or without a losing day.
    """
    if len(returns) < 2:
        return None
    losses = np.minimum(returns, 0.0)
    downside = sqrt(float(losses @ losses) / len(returns))
    return float(returns.mean()) / downside * sqrt(DAYS_PER_YEAR) if downside > _NO_SPREAD else None


def volatility(returns: FloatColumn) -> float | None:
    """Standard deviation (n - 1) of daily returns × √365; None for fewer than two days."""
    return float(returns.std(ddof=1)) * sqrt(DAYS_PER_YEAR) if len(returns) > 1 else None


def profit_factor(profits: Iterable[Decimal]) -> float | None:
    """Net gains over net losses of trades; None when nothing was lost."""
    profits = list(profits)
    lost = -sum((profit for profit in profits if profit < 0), ZERO)
    return _ratio(sum((profit for profit in profits if profit > 0), ZERO), lost)


def _over_time(outcome: Outcome, start_ms: int, cagr: float | None) -> dict[str, Any]:
    curve, balance = outcome.equity, float(outcome.starting_balance)
    returns = daily_returns(curve.time_ms, curve.equity, start_ms, balance)
    drawdown = max_drawdown(curve.equity, balance)
    ratio = drawdown.ratio if drawdown else 0.0
    return {
        "cagr": cagr,
        "volatility": volatility(returns),
        "sharpe": sharpe_ratio(returns),
        "sortino": sortino_ratio(returns),
        # Young, "Calmar Ratio: A Smoother Tool" (Futures, 1991), over the whole run instead of three years.
        "calmar": cagr / ratio if cagr is not None and ratio else None,
        "max_drawdown": ratio,
        "max_drawdown_peak_ms": _peak_ms(curve, drawdown.peak, start_ms) if drawdown else None,
        "max_drawdown_trough_ms": int(curve.time_ms[drawdown.trough]) if drawdown else None,
    }


def _peak_ms(curve: EquityCurve, peak: int, start_ms: int) -> int:
    return start_ms if peak < 0 else int(curve.time_ms[peak])


def _cagr(roi: float | None, days: float) -> float | None:
    """(1 + ROI) ^ (365 / days) - 1; None under one day, and for a loss of more than everything."""
    if roi is None or days < 1 or roi < -1:
        return None
    try:
        return float((1.0 + roi) ** (DAYS_PER_YEAR / days)) - 1.0
    except OverflowError:
        return None


def _spread(returns: FloatColumn) -> float | None:
    if len(returns) < 2:
        return None
    spread = float(returns.std(ddof=1))
    return spread if spread > _NO_SPREAD else None


def _exposure(exposure: FloatColumn) -> dict[str, Any]:
    if len(exposure) == 0:
        return {"exposure_time_ratio": None, "mean_exposure_ratio": None}
    mean = float(exposure.mean())
    if not isfinite(mean):  # a close at which the equity was zero
        finite = exposure[np.isfinite(exposure)]
        mean = float(finite.mean()) if len(finite) else 0.0
    return {
        "exposure_time_ratio": int(np.count_nonzero(exposure)) / len(exposure),
        "mean_exposure_ratio": mean,
    }


def _trades(outcome: Outcome, days: float) -> dict[str, Any]:
    profits = [trade.net_profit for trade in outcome.trades]
    realised = sum((_net(outcome.trades, profits)), ZERO)
    cycles = sum(money.cycles for money in outcome.money)
    per_day = _ratio(realised, outcome.starting_balance)
    return {
        "trades": len(profits),
        "win_rate": sum(1 for profit in profits if profit > 0) / len(profits) if profits else None,
        "profit_factor": profit_factor(profits),
        "cycles": cycles,
        "cycle_profit": sum((money.cycle_profit for money in outcome.money), ZERO),
        "profit_per_cycle": (realised / cycles).quantize(_MONEY_DIGITS) if cycles else None,
        "annualised_grid_profit": per_day / days * DAYS_PER_YEAR if per_day is not None and days else None,
    }


def _net(trades: Sequence[TradeRow], profits: Sequence[Decimal]) -> Iterable[Decimal]:
    """Net profits of completed cycles."""
    return (profit for trade, profit in zip(trades, profits, strict=True) if trade.kind == "cycle")


def _fills(totals: FillTotals) -> dict[str, Any]:
    return {
        "fills": totals.fills,
        "ambiguous_fills": totals.ambiguous,
        "ambiguous_fills_ratio": totals.ambiguous / totals.fills if totals.fills else None,
        "fees": totals.fees,
        "turnover": totals.turnover,
    }


def _ratio(part: Decimal, whole: Decimal) -> float | None:
    return float(part / whole) if whole > 0 else None
