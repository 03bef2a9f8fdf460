"""The proof that live equals simulated: the same candles through the simulator and through the Bybit adapter.

    python benchmarks/parity.py
    TRADERAGENT_DATA=… python benchmarks/parity.py --real

The live driver trades by REST and sockets with the sandbox in lockstep on virtual time. Each record of the two runs
is compared: regimes, plans, orders, fills, fees, funding. Then the tape of the live run is replayed. The last column
names the first difference with its cause. Exit code 1 when there is any.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import frozen
from market_data import data_folder
from traderagent_bybit.lockstep import InTurn, in_lockstep
from traderagent_core import Candles, load_config
from traderagent_core.data.loading import load_for_backtest
from traderagent_core.model.timeframe import DAY_MS
from traderagent_core.report.terminal import aligned
from traderagent_core.testing import market
from traderagent_core.testing.markets import changing_market
from traderagent_core.testing.parity import Comparison, Parity

HEAD = ("set-up", "candles", "events", "orders", "fills", "records", "live run", "replay", "first difference")
WARM_MS = 4 * DAY_MS
SIMULATION = {"funding_rate": "0.0001", "maker_fee": "0.0002", "taker_fee": "0.00055"}
COMMON: dict[str, Any] = {
    "market": "linear",
    "leverage": 3,
    "timeframe": "1h",
    "risk_management": {"stop_loss_percentage": "0.05", "max_daily_loss": 400},
}
GRID = {"upper_price": 108, "lower_price": 92, "grid_levels": 24, "amount_per_grid": 100}
DCA = {"amount_per_step": 150, "trigger_percentage": "0.01", "take_profit_percentage": "0.01"}
SECTIONS = {
    "grid": {"bounds": "atr", "atr_multiplier": 4, "grid_levels": 8, "amount_per_grid": 100},
    "dca": {"trigger_percentage": "0.03", "amount_per_step": 100, "max_steps": 4},
    "trend": {},
}
MODES = {
    "halt": {"drawdown": "0.05"},
    "reduced": {"daily_loss": "0.02"},
    "stress": {},
    "drawdown": {"drawdown": "0.02"},
}


@frozen
class SetUp:
    """A configuration over candles."""

    name: str
    config: dict[str, Any]
    candles: Sequence[Candles]


def made() -> Iterator[SetUp]:
    """Set-ups on made-up markets."""
    yield one("grid", GRID, market("ranging", timeframe="5m", rows=9_000))
    for seed, direction in enumerate(("long", "short"), 5):
        section = {**GRID, "direction": direction}
        yield one(f"grid, {direction}", section, market("ranging", timeframe="5m", rows=3_000, seed=seed))
    yield one("dca", DCA, market("ranging", timeframe="5m", rows=9_000, seed=2))
    yield one("dca, crash", DCA, market("crash", timeframe="5m", rows=5_000, seed=3))
    yield one("dca, late", DCA, market("ranging", timeframe="5m", rows=3_000, seed=7), latency_ms=400)
    yield one("trend", {}, market("rising", timeframe="15m", rows=6_000))
    yield _with_smc(market("rising", timeframe="15m", rows=6_000, seed=4))
    yield _auto(
        [changing_market(symbol, 120, place) for place, symbol in enumerate(("BTC/USDT", "ETH/USDT"), 3)]
    )


def real() -> Iterator[SetUp]:
    """Set-ups on real series of Bybit, a quarter of 2024 in steps of 15 minutes."""
    symbols = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
    first_ms = 1_704_067_200_000
    loaded = load_for_backtest(
        data_folder(), symbols, "15m", first_ms, first_ms + 90 * DAY_MS, market="linear", with_earlier=False
    ).candles
    btc = loaded["BTC/USDT"]
    bounds = {"upper_price": 73_000, "lower_price": 38_000, "grid_levels": 40, "amount_per_grid": 400}
    yield one("grid, real", bounds, btc)
    yield one("dca, real", DCA, loaded["SOL/USDT"])
    yield _with_smc(btc)
    yield _auto([loaded[symbol] for symbol in symbols])


def one(name: str, section: dict[str, Any], candles: Candles, **simulation: Any) -> SetUp:
    strategy = name.partition(",")[0]
    bot = {**COMMON, "name": strategy, "symbol": candles.symbol, "strategy": strategy, strategy: section}
    return SetUp(name, {"bots": [bot], "simulation": {**SIMULATION, **simulation}}, [candles])


def _with_smc(candles: Candles) -> SetUp:
    plain = one("trend", {}, candles)
    return SetUp("trend with SMC", {**plain.config, "filters": {"smc": {}}}, [candles])


def _auto(candles: Sequence[Candles]) -> SetUp:
    bots = [
        {
            **COMMON,
            "name": each.symbol.partition("/")[0].lower(),
            "symbol": each.symbol,
            "strategy": "auto",
            **SECTIONS,
        }
        for each in candles
    ]
    config = {
        "bots": bots,
        "filters": {"smc": {}},
        "risk_modes": MODES,
        # An exchange has no penalty for a close past the time: it fills at its price.
        "coordinator": {"transition": {"forced_slippage": 0}},
        "simulation": {**SIMULATION, "balance": 5000 * len(bots), "acknowledge_halt_after_hours": 30},
    }
    return SetUp("auto with SMC", config, candles)


def main() -> None:
    """Compare all set-ups and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", action="store_true", help="real series, too, from $TRADERAGENT_DATA")
    parser.add_argument("--only", help="set-ups whose name begins so")
    given = parser.parse_args()
    rows, events, is_same = [], 0, True
    with TemporaryDirectory() as folder:
        for number, each in enumerate((*made(), *(real() if given.real else ()))):
            if given.only is None or each.name.startswith(given.only):
                row, found = _row(each, Path(folder) / str(number))
                rows.append(row)
                print("  ".join(row), file=sys.stderr)
                events += found.replay.events
                is_same = is_same and not found.difference and found.replay.difference is None
    print(aligned([HEAD, *rows]))
    print(f"{events} events, {'0 differences' if is_same else 'with differences'}")
    sys.exit(not is_same)


def _row(setup: SetUp, folder: Path) -> tuple[Sequence[str], Comparison]:
    config = load_config(setup.config)
    start_ms = int(setup.candles[0].open_time[0]) + WARM_MS
    begun = time.perf_counter()
    found = Parity(config, setup.candles, start_ms, InTurn, in_lockstep).compare(folder)
    seconds = time.perf_counter() - begun
    counts = (found.count("order_submitted"), found.count("filled"), len(found.live))
    replayed = "0 differences" if found.replay.difference is None else str(found.replay.difference)[:200]
    candles = sum(map(len, setup.candles))
    numbers = (candles, found.replay.events, *counts)
    return (
        setup.name,
        *(f"{number:,}" for number in numbers),
        f"{seconds:.0f} s",
        replayed,
        found.difference or "none",
    ), found


if __name__ == "__main__":
    main()
