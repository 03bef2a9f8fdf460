"""Back-tests grid, DCA and trend on long hourly series of XRP, BTC, ETH and SOL, without and with the SMC filter.

    TRADERAGENT_DATA=… python benchmarks/filter_effect.py
    TRADERAGENT_DATA=… python benchmarks/filter_effect.py --only trend --reasons

Prints what the filter made of the results and of the time, and what it said. The grid is that of `configs/`;
all settings are the same for all series, and were not fitted to any.
"""

import argparse
from collections.abc import Iterator, Sequence
from tempfile import TemporaryDirectory
from typing import Any

from attrs import frozen
from market_data import data_folder, series_files
from timing import measure
from traderagent_core import Candles, Catalogue, Result, load_config, simulate
from traderagent_core.config.load import Config
from traderagent_core.contract.exhibit import Table
from traderagent_core.data.importing import import_files
from traderagent_core.data.loading import load_for_backtest
from traderagent_core.report.terminal import aligned

NAMES = ("xrp", "btc", "eth", "sol")
IMPORTED_AT_MS = 1_735_689_600_000  # 2025-01-01, after the last candle; any time does
BOTS: dict[str, dict[str, Any]] = {
    "grid": {
        "bounds": "atr",
        "atr_period": 168,
        "atr_multiplier": 20,
        "spacing": "geometric",
        "grid_levels": 20,
        "amount_per_grid": 400,
        "trailing_enabled": True,
        "trailing_recenter_mode": "atr",
        "trailing_cooldown_candles": 24,
    },
    "dca": {
        "trigger_percentage": "0.04",
        "price_deviation": "0.03",
        "amount_per_step": "1000",
        "max_steps": 5,
        "take_profit_percentage": "0.03",
        "stop_loss_percentage": "0.15",
    },
    "trend": {"entries": ["pullback", "breakout"]},
}
EFFECT = ("strategy", "series", "SMC", "ROI", "max drawdown", "Sharpe", "trades", "win rate", "user time")
SAID = ("strategy", "series", "asked", "ACCEPT", "NEUTRAL", "REJECT", "mean of ACCEPT", "mean of NEUTRAL")
WHY = ("strategy", "series", "ruling", "reason", "zone", "asked", "share", "closed", "win rate", "mean")


@frozen
class Pair:
    """One strategy on one series, without the filter and with it; user seconds of each run."""

    strategy: str
    symbol: str
    without: Result
    filtered: Result
    seconds: tuple[float, float]

    def table(self, name: str) -> Table:
        """A table that the filter shows of its verdicts."""
        (shown,) = (each for each in self.filtered.outcome.study.exhibits if each.kind == "filter")
        return next(table for table in shown.exhibit.tables if table.name == name)


def main() -> None:
    """Run all pairs and print the tables."""
    given = _arguments()
    with TemporaryDirectory() as place:
        pairs = list(_pairs(Catalogue(place), given.only, given.repetitions))
    print(aligned([EFFECT, *(row for pair in pairs for row in _effect_rows(pair))]))
    print()
    print(aligned([SAID, *(_said_row(pair) for pair in pairs)]))
    if given.reasons:
        print()
        print(aligned([WHY, *(row for pair in pairs for row in _reason_rows(pair))]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=BOTS, default=tuple(BOTS), help="some strategies")
    parser.add_argument(
        "--repetitions", type=int, default=3, help="timed runs of each, of which the best counts"
    )
    parser.add_argument("--reasons", action="store_true", help="print verdicts by reason and zone too")
    return parser.parse_args()


def _pairs(catalogue: Catalogue, strategies: Sequence[str], repetitions: int) -> Iterator[Pair]:
    for name in NAMES:
        symbol = f"{name.upper()}/USDT"
        candles = _candles(catalogue, symbol)
        for strategy in strategies:
            yield _pair(strategy, candles, repetitions)


def _candles(catalogue: Catalogue, symbol: str) -> Candles:
    files = series_files(data_folder(), "binance", "spot", symbol, "1h")
    import_files(catalogue, files, imported_at_ms=IMPORTED_AT_MS)
    return load_for_backtest(catalogue.root, [symbol], "1h").candles[symbol]


def _pair(strategy: str, candles: Candles, repetitions: int) -> Pair:
    plain = _config(strategy, candles.symbol, {})
    filtered = _config(strategy, candles.symbol, {"smc": {}})
    runs = {"without": lambda: simulate(plain, candles), "with": lambda: simulate(filtered, candles)}
    times = measure(runs, repetitions)
    best = (times["without"].read().user_best, times["with"].read().user_best)
    return Pair(strategy, candles.symbol, runs["without"](), runs["with"](), best)


def _config(strategy: str, symbol: str, filters: dict[str, Any]) -> Config:
    bot = {
        "name": "bench",
        "symbol": symbol,
        "strategy": strategy,
        "timeframe": "1h",
        strategy: BOTS[strategy],
    }
    return load_config({"bots": [bot], "filters": filters, "simulation": {"balance": 10000}})


def _effect_rows(pair: Pair) -> Iterator[Sequence[str]]:
    runs = (("without", pair.without), ("with", pair.filtered))
    for (label, result), seconds in zip(runs, pair.seconds, strict=True):
        metrics = result.metrics
        yield (
            pair.strategy,
            pair.symbol,
            label,
            _percent(metrics.roi),
            _percent(metrics.max_drawdown),
            "" if metrics.sharpe is None else f"{metrics.sharpe:.2f}",
            f"{metrics.trades:,}",
            _percent(metrics.win_rate),
            f"{seconds:.2f} s",
        )


def _said_row(pair: Pair) -> Sequence[str]:
    rows = {row[0]: row for row in _rows(pair.table("rulings"), "ruling", "verdicts", "share", "mean")}
    asked = sum(row[1] for row in rows.values())
    shares = (
        _percent(rows[ruling][2] if ruling in rows else 0.0) for ruling in ("ACCEPT", "NEUTRAL", "REJECT")
    )
    means = (_money(rows[ruling][3] if ruling in rows else None) for ruling in ("ACCEPT", "NEUTRAL"))
    return pair.strategy, pair.symbol, f"{asked:,}", *shares, *means


def _reason_rows(pair: Pair) -> Iterator[Sequence[str]]:
    names = ("ruling", "reason", "zone_kind", "verdicts", "share", "closed", "win_rate", "mean")
    for ruling, reason, zone, asked, share, closed, wins, mean in _rows(pair.table("reasons"), *names):
        cells = (
            ruling,
            reason,
            zone,
            f"{asked:,}",
            _percent(share),
            f"{closed:,}",
            _percent(wins),
            _money(mean),
        )
        yield pair.strategy, pair.symbol, *cells


def _rows(table: Table, *names: str) -> Iterator[tuple[Any, ...]]:
    """The cells of some columns."""
    places = [[column.name for column in table.columns].index(name) for name in names]
    return (tuple(row[place] for place in places) for row in table.rows)


def _percent(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio * 100:,.1f} %"


def _money(amount: Any) -> str:
    return "" if amount is None else f"{amount:,.2f}"


if __name__ == "__main__":
    main()
