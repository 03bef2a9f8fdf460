"""What real latency changes: a live run in accelerated time, order by order beside the simulator's.

    python benchmarks/latency.py                 # 600 times as fast as the clock on the wall, about two minutes

Time does not wait for the driver here: candles are asked for after their close, answers and pushes travel while the
price moves. Each order of either run is listed under the cause of what differs; `late` is by how much the live one
traded later, in the market's time.
"""

import argparse
import asyncio
import statistics
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from parity import GRID, one
from traderagent_bybit.adapter.bybit import BybitAdapter
from traderagent_bybit.adapter.config import BybitConfig
from traderagent_bybit.lockstep import InTurn, in_lockstep
from traderagent_bybit.sandbox.app import serving
from traderagent_bybit.sandbox.session import Session as Sandbox
from traderagent_bybit.sandbox.session import Settings
from traderagent_bybit.sandbox.world import AccountSpec
from traderagent_core import Surroundings, load_config
from traderagent_core.adapters.clocks import ReplayClock
from traderagent_core.config.loaded import Config
from traderagent_core.live.attributing import by_cause, order_differences
from traderagent_core.live.comparing import first_parting, shown
from traderagent_core.live.running import keep_reconciled, keep_time
from traderagent_core.live.session import Session, trade, until
from traderagent_core.live_run import manifest_of
from traderagent_core.model.candle import Candles
from traderagent_core.model.timeframe import HOUR_MS
from traderagent_core.replay import replay
from traderagent_core.report.terminal import aligned
from traderagent_core.simulator.instruments import make_instrument
from traderagent_core.testing import market
from traderagent_core.testing.parity import NAMES, Parity, recorded

ROWS = 300
KEY = "latency"
HEAD = ("cause", "orders", "late, median", "late, most", "first order")


def main() -> None:
    """Run both ways and print the causes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--speed", type=float, default=600.0, help="times as fast as the clock")
    given = parser.parse_args()
    candles = market("ranging", timeframe="5m", rows=ROWS)
    config = load_config(one("grid", GRID, candles).config)
    start_ms = int(candles.open_time[0]) + 4 * HOUR_MS
    simulated = Parity(config, [candles], start_ms, InTurn, in_lockstep).simulate()
    with TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        asyncio.run(_play(config, candles, start_ms, given.speed, run))
        live, replayed = recorded(run), replay(run)
    print(aligned([HEAD, *map(_row, by_cause(order_differences(simulated, live)).items())]))
    parting = first_parting(simulated, live)
    print("first record that differs:", "none" if parting is None else shown(parting, NAMES))
    print(f"replay: {replayed.events} events, {replayed.difference or '0 differences'}")


def _row(found: Any) -> tuple[str, ...]:
    cause, orders = found
    late = [each.late_ms for each in orders if each.late_ms is not None]
    times = (f"{statistics.median(late):,.0f} ms", f"{max(late):,} ms") if late else ("", "")
    return cause, f"{len(orders):,}", *times, orders[0].client_order_id


async def _play(config: Config, candles: Candles, start_ms: int, speed: float, folder: Path) -> None:
    boot_ms = start_ms - candles.duration_ms
    clock = ReplayClock(boot_ms, speed)
    async with _served(config, candles, clock, boot_ms) as adapter:
        session = Session(
            config,
            adapter,
            folder,
            KEY,
            candles.timeframe,
            lambda *_, **__: None,
            manifest_of(config),
            goes_on=False,
            run_id="sim",
            history_ms=boot_ms - int(candles.open_time[0]),
            start_ms=start_ms,
        )
        end_ms = int(candles.open_time[-1]) + candles.duration_ms
        await trade(session, keep_time, keep_reconciled, until(end_ms))


@asynccontextmanager
async def _served(config: Config, candles: Candles, clock: ReplayClock, boot_ms: int) -> Any:
    """A sandbox that lives by the clock of the driver, and the adapter to it."""
    simulation = config.simulation
    settings = Settings(
        [AccountSpec(KEY, KEY, KEY, simulation.balance)],
        start_ms=boot_ms,
        keeps_dates=True,
        has_rate_limits=False,
        funding_rate=simulation.funding_rate,
        instruments={bot.symbol: make_instrument(bot, simulation, candles)[0] for bot in config.bots},
    )
    async with serving(Sandbox(settings, [candles], clock.now_ms)) as (_, url):
        sockets = url.replace("http", "ws", 1)
        section = BybitConfig(
            rest_url=url,
            private_url=f"{sockets}/v5/private",
            public_url=f"{sockets}/v5/public/linear",
            recv_window_ms=60_000,
            rate_factor=10_000,
        )
        markets = {bot.symbol: bot.market for bot in config.bots}
        yield BybitAdapter(section, Surroundings(clock, markets, "demo", {"key": KEY, "secret": KEY}))


if __name__ == "__main__":
    main()
