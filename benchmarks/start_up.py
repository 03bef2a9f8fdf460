"""How long an account is unprotected, and idle, after its process was killed: 50 symbols, 500 open orders.

    python benchmarks/start_up.py

Fifty grids hold positions with stops at a Bybit sandbox in this process. Their process is killed with SIGKILL. While
nobody is there each market moves so that an order of each grid trades, and some stops are canceled at the exchange.
Then `traderagent run` is started again, within the usual rate limits, at an exchange whose answers take a while.
Measured from the start of the process, interpreter and imports included: until everything at the exchange was read
and compared, until every position has its stop again, until the bots trade, and until each fill has its counter
order. Exit code 1 when that takes longer than it may.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from fleet import ACCOUNT, MINUTE_MS, START_MS, Fleet, Trading, Wish, fleet, names
from traderagent_core import Candles
from traderagent_core.report.terminal import aligned

GRID = {
    "upper_price": 112,
    "lower_price": 88,
    "grid_levels": 11,
    "amount_per_grid": 100,
    "direction": "long",
}
BOT = {"strategy": "grid", "grid": GRID, "risk_management": {"stop_loss_percentage": "0.3"}}
ROWS = 2_000
LOST_STOPS = 5
PRICE, LOWER = 100.0, 97.0
"""Before and after the move while nobody is there: one level of each grid lies between."""

PATIENCE_SECONDS = 300.0
STOPS_WANTED_SECONDS, TRADING_WANTED_SECONDS = 5.0, 30.0

Row = tuple[str, float | None, float | None]
"""What was measured, seconds if it came at all, and how many it may be."""


def flat_markets(count: int) -> list[Candles]:
    """Minutes in which nothing moves."""
    flat = np.full(ROWS, PRICE)
    times = START_MS + MINUTE_MS * np.arange(ROWS, dtype=np.int64)
    return [Candles(name, "1m", times, flat, flat, flat, flat, np.ones(ROWS)) for name in names(count)]


async def until(holds: Callable[[], bool], trading: Trading) -> float:
    """Seconds from the start of a process until something holds."""
    while not holds():
        trading.require_alive()
        if time.monotonic() - trading.begun > PATIENCE_SECONDS:
            raise TimeoutError(f"not within {PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(0.01)
    return time.monotonic() - trading.begun


async def measure(folder: Path, bots: int, orders: int, delay_ms: int) -> list[Row]:
    """One account: its first start, its end, and its second start."""
    async with fleet(folder, flat_markets(bots), speed=0.0, has_limits=False) as found:
        found.write(Wish([BOT]))
        first = await found.start()
        placed = await until(
            lambda: len(found.live()) >= orders and len(found.held()) == bots and not found.naked(), first
        )
        await first.kill()
        before = len(found.live())
        found.move(LOWER)
        lose_stops(found)
        found.desk.limits.is_on = True
        found.desk.faults.replace([{"kind": "delay", "delay_ms": delay_ms}], 1)
        again = await found.start()
        naked = await until(lambda: not found.naked(), again)
        back = await until(lambda: len(found.live()) == before, again)
        await until(lambda: again.seconds_until("running") is not None, again)
        rows = [
            (f"first start, limits off: {before} orders placed", placed, None),
            ("journal read", again.seconds_until("recovered"), None),
            ("everything read and compared", again.seconds_until("reconciled"), STOPS_WANTED_SECONDS),
            (f"every position has its stop, {LOST_STOPS} of {bots} were lost", naked, STOPS_WANTED_SECONDS),
            ("bots trade", again.seconds_until("running"), TRADING_WANTED_SECONDS),
            (f"{bots} fills of the time in between have their counter orders", back, TRADING_WANTED_SECONDS),
        ]
        await again.stop()
    return rows


def lose_stops(found: Fleet) -> None:
    """Cancel some stops at the exchange while nobody is there to hear of it."""
    for order in [order for order in found.live() if order.trigger_price][:LOST_STOPS]:
        body = {"category": "linear", "symbol": order.contract.symbol, "orderId": order.order_id}
        found.desk.session.apply(ACCOUNT, "cancel", body)


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bots", type=int, default=50, help="one symbol each [50]")
    parser.add_argument("--orders", type=int, default=500, help="open when the process is killed [500]")
    parser.add_argument(
        "--delay", type=int, default=50, metavar="MS", help="of each answer of the exchange [50]"
    )
    given = parser.parse_args()
    with TemporaryDirectory() as place:
        rows = asyncio.run(measure(Path(place), given.bots, given.orders, given.delay))
    told = [(what, *map(_told, (seconds, most))) for what, seconds, most in rows]
    print(aligned([("", "seconds", "wanted"), *told]))
    print(f"load average {os.getloadavg()[0]:.1f}")
    return (
        1 if any(most is not None and (seconds is None or seconds > most) for _, seconds, most in rows) else 0
    )


def _told(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.2f}"


if __name__ == "__main__":
    sys.exit(main())
