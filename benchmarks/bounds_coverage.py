"""Measures what `--bounds` covers: how often the result on fine candles lies inside the bounds found on hours.

    TRADERAGENT_DATA=… python benchmarks/bounds_coverage.py [--json]

Each series is cut into windows that do not overlap. In each window a grid runs on the fine candles, by the default
path, and on the hours built from them, by every path: the first is taken for the truth, the others give the bounds.
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from statistics import mean, median
from typing import Any

from attrs import asdict, frozen
from market_data import data_folder, read_candles, series_files
from traderagent_core import Candles, ConfigError, load_config, simulate
from traderagent_core.data.resampling import resample
from traderagent_core.model.timeframe import DAY_MS
from traderagent_core.report.bounds import Range
from traderagent_core.report.metrics import Metrics
from traderagent_core.report.terminal import aligned

SYMBOL = "BTC/USDT"
SERIES = (("binance", "spot", "5m"), ("bybit", "linear", "15m"))
WINDOW_DAYS = (7, 14)
GRIDS = ((5, 1.0), (10, 1.0), (20, 1.0), (40, 1.0), (10, 0.5), (20, 0.5))
"""Levels, and the width of the grid as a share of the window's price range, about its middle."""

FIGURES = ("roi", "cycles", "max_drawdown")
ROUNDING = 1e-12
FEES = {"maker_fee": "0.0002", "taker_fee": "0.00055"}
"""Low, so that dense grids may start; the same on both markets, so that they compare."""

HEAD = (
    "series",
    "window",
    "levels",
    "width",
    "windows",
    "step/hour",
    "ambiguous",
    *FIGURES,
    "roi ×2",
    "off",
    "spread",
    "",
)


@frozen
class Window:
    """One window of one series: the fine result beside the bounds on hours."""

    is_inside: dict[str, bool]
    is_inside_doubled: bool
    off: float | None
    spread: float | None
    ambiguous: float
    step_in_hours: float


@frozen
class Row:
    """All windows of one series, window length and grid.

    `inside` is the share of windows whose fine result lies inside the bounds, by figure; `inside_doubled` the same
    for ROI and bounds twice as wide; `off` the median of |hourly - fine| / |fine| of ROI by the default path;
    `spread` the median of the width of the bounds / |fine| of ROI; `step_in_hours` the median distance of two levels
    in mean hourly ranges; `refused` the windows in which the grid may not start.
    """

    series: str
    days: int
    levels: int
    width: float
    windows: int
    refused: int
    inside: dict[str, float]
    inside_doubled: float
    off: float
    spread: float
    ambiguous: float
    step_in_hours: float


def main() -> None:
    """Measure every series, window length and grid, and print a table or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", dest="is_json", action="store_true", help="print JSON")
    given = parser.parse_args()
    rows = list(_rows())
    if given.is_json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    print(aligned([HEAD, *map(_cells, rows)], text_columns=2))
    for figure in FIGURES:
        share = _total(rows, [row.inside[figure] for row in rows])
        print(f"all windows, {figure}: {share:.0%} inside")
    print(f"all windows, roi, bounds twice as wide: {_total(rows, [row.inside_doubled for row in rows]):.0%}")


def _rows() -> Iterator[Row]:
    folder = data_folder()
    for exchange, market, timeframe in SERIES:
        (path, *_) = series_files(folder, exchange, market, SYMBOL, timeframe)
        candles = read_candles(path, SYMBOL)
        for days in WINDOW_DAYS:
            windows = [(fine, resample(fine, "1h")) for fine in _windows(candles, days)]
            for levels, width in GRIDS:
                found = [_measured(fine, hours, market, levels, width) for fine, hours in windows]
                told = f"{exchange} {market} {timeframe}"
                yield _summary(told, days, levels, width, found)


def _windows(candles: Candles, days: int) -> Iterator[Candles]:
    """Whole windows from the first midnight on; one that lacks candles is left out."""
    length = days * DAY_MS
    start = -(-int(candles.open_time[0]) // DAY_MS) * DAY_MS
    while start + length <= int(candles.open_time[-1]) + candles.duration_ms:
        part = candles.between(start, start + length)
        if len(part) == length // candles.duration_ms:
            yield part
        start += length


def _measured(fine: Candles, hours: Candles, market: str, levels: int, width: float) -> Window | None:
    """One window; None when the grid may not start there."""
    config = load_config(_mapping(fine, market, levels, width))
    try:
        truth = simulate(config, fine).metrics
        result = simulate(config, hours, with_bounds=True)
    except ConfigError:
        return None
    assert result.bounds is not None
    ranges = result.bounds.ranges
    lower, upper = _bounds(fine, width)
    return Window(
        is_inside={name: _is_inside(ranges[name], getattr(truth, name)) for name in FIGURES},
        is_inside_doubled=_is_inside(ranges["roi"], truth.roi, 2.0),
        off=_relative(truth, (result.metrics.roi or 0.0) - (truth.roi or 0.0)),
        spread=_relative(truth, float(ranges["roi"].highest) - float(ranges["roi"].lowest)),
        ambiguous=result.metrics.ambiguous_fills_ratio or 0.0,
        step_in_hours=(upper - lower) / (levels - 1) / float((hours.high - hours.low).mean()),
    )


def _bounds(candles: Candles, width: float) -> tuple[float, float]:
    low, high = float(candles.low.min()), float(candles.high.max())
    middle, half = (low + high) / 2, (high - low) / 2 * width
    return round(middle - half, 1), round(middle + half, 1)


def _mapping(fine: Candles, market: str, levels: int, width: float) -> dict[str, Any]:
    lower, upper = _bounds(fine, width)
    section = {
        "lower_price": str(lower),
        "upper_price": str(upper),
        "grid_levels": levels,
        "amount_per_grid": str(Decimal(8000) / levels),
    }
    bot = {"name": "coverage", "symbol": SYMBOL, "strategy": "grid", "timeframe": "1h", "market": market}
    return {"bots": [{**bot, "grid": section}], "simulation": {"balance": "10000", **FEES}}


def _is_inside(found: Range, value: Any, widened: float = 1.0) -> bool:
    lowest, highest = float(found.lowest), float(found.highest)
    extra = (highest - lowest) * (widened - 1) / 2 + ROUNDING
    return lowest - extra <= float(value) <= highest + extra


def _relative(truth: Metrics, difference: float) -> float | None:
    """A difference of ROI as a share of the true one."""
    return abs(difference / truth.roi) if truth.roi else None


def _summary(series: str, days: int, levels: int, width: float, found: Sequence[Window | None]) -> Row:
    windows = [window for window in found if window is not None]
    return Row(
        series=series,
        days=days,
        levels=levels,
        width=width,
        windows=len(windows),
        refused=len(found) - len(windows),
        inside={name: _mean(window.is_inside[name] for window in windows) for name in FIGURES},
        inside_doubled=_mean(window.is_inside_doubled for window in windows),
        off=_median(window.off for window in windows),
        spread=_median(window.spread for window in windows),
        ambiguous=_mean(window.ambiguous for window in windows),
        step_in_hours=_median(window.step_in_hours for window in windows),
    )


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return mean(values) if values else 0.0


def _median(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return median(known) if known else 0.0


def _total(rows: Sequence[Row], shares: Sequence[float]) -> float:
    """The share over all windows of all rows."""
    count = sum(row.windows for row in rows)
    return sum(share * row.windows for share, row in zip(shares, rows, strict=True)) / count if count else 0.0


def _cells(row: Row) -> Sequence[str]:
    return (
        row.series,
        f"{row.days} days",
        f"{row.levels}",
        f"{row.width:g}",
        f"{row.windows}",
        f"{row.step_in_hours:.2f}",
        f"{row.ambiguous:.0%}",
        *(f"{row.inside[name]:.0%}" for name in FIGURES),
        f"{row.inside_doubled:.0%}",
        f"{row.off:.1%}",
        f"{row.spread:.0%}",
        f"{row.refused} refused" if row.refused else "",
    )


if __name__ == "__main__":
    main()
