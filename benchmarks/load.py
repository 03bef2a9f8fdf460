"""A whole account at work: 50 symbols, each routed among grid, DCA and trend behind SMC, and 2,000 prices a second.

    python benchmarks/load.py                # two minutes of it
    python benchmarks/load.py --minutes 10

The bots trade at a Bybit sandbox in this process, whose markets move by the clock on the wall; it sends so many
trades a second over the public socket. Their process is the command line with a clock on each fact. `price` is the
time from sending a price to everything that follows from it being decided, written down and handed on; `order` the
same from hearing of an order or a fill. Memory is compared between the first and the last quarter. At the end the
process is killed and started again. Before, one bot is left idle. Exit code 1 when a figure is beyond what is wanted.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

from attrs import define, field
from fleet import Fleet, Trading, Wish, fleet, markets, wall_ms
from traderagent_bybit.sandbox.hub import Connection
from traderagent_core.report.terminal import aligned

PROBE = "import runpy; runpy.run_path('probe.py', run_name='__main__')"
SECTIONS: Mapping[str, Any] = {
    "grid": {"bounds": "atr", "atr_multiplier": 4, "grid_levels": 10, "amount_per_grid": 100},
    "dca": {"trigger_percentage": "0.003", "amount_per_step": 100, "max_steps": 4},
    "trend": {},
}
BOT = {"strategy": "auto", "risk_management": {"stop_loss_percentage": "0.1"}, **SECTIONS}
REST = {
    "filters": {"smc": {}},
    "risk_modes": {"halt": {}, "reduced": {}, "drawdown": {}},
    "coordinator": {"regime": {"regime_timeframe": "15m"}, "correlation": {"timeframe": "15m"}},
}
IDLE = {
    "strategy": "grid",
    "grid": {"upper_price": 112, "lower_price": 88, "grid_levels": 11, "amount_per_grid": 100},
}
ROWS = 20_000
VOLATILITY = 2.5
TURN_SECONDS = 0.005
SAMPLE_SECONDS = 1.0
IDLE_SECONDS = 30.0
WARM_SECONDS = 20.0
PATIENCE_SECONDS = 600.0
DECISION_WANTED_MS, IDLE_WANTED_MB, LOG_WANTED_MB, GROWTH_WANTED = 50.0, 150.0, 20.0, 0.05
STOPS_WANTED_SECONDS, TRADING_WANTED_SECONDS = 5.0, 30.0

Row = tuple[str, str, str, bool]
"""What was measured, what was found, what is wanted, and whether it is so."""


@define(eq=False)
class Feed:
    """Sends so many trades a second, at present prices, instead of what the sandbox would tell of its markets."""

    fleet: Fleet
    a_second: float
    sent: int = 0
    _socket: Connection | None = None

    async def work(self) -> None:
        """Send until cancelled."""
        tapes = [tape for _, tape in self.fleet.desk.session.world.tapes.items()]
        names = list(self.fleet.desk.session.world.tapes)
        begun, sent = time.monotonic(), 0
        while True:
            await asyncio.sleep(TURN_SECONDS)
            socket = self._public()
            if socket is None:
                begun, sent = time.monotonic(), 0
                continue
            now_ms = self.fleet.desk.session.world.now_ms
            for _ in range(int((time.monotonic() - begun) * self.a_second) - sent):
                place = self.sent % len(names)
                socket.put(_trade(names[place], tapes[place][1].price_at(now_ms), self.sent))
                sent += 1
                self.sent += 1

    def _public(self) -> Connection | None:
        """The public socket, once it has subscribed; from then on only this feeds it."""
        for connection in self.fleet.desk.hub.connections:
            if not connection.account and connection.topics:
                connection.topics.clear()
                self._socket = connection
        if self._socket is not None and self._socket.socket.closed:
            self._socket = None
        return self._socket


def _trade(symbol: str, price: float, number: int) -> dict[str, Any]:
    now_ms = wall_ms()
    row = {"T": now_ms, "s": symbol, "S": "Buy", "v": "1", "p": f"{price:.4f}", "i": str(number)}
    return {"topic": f"publicTrade.{symbol}", "type": "snapshot", "ts": now_ms, "data": [row]}


@define(eq=False)
class Samples:
    """What the process needs, second by second."""

    trading: Trading
    memory_mb: list[float] = field(factory=list)

    async def take(self, seconds: float) -> None:
        """Look at the process for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.trading.require_alive()
            self.memory_mb.append(self.trading.memory_mb())
            await asyncio.sleep(SAMPLE_SECONDS)

    @property
    def growth(self) -> float:
        """How much more memory the last quarter needs than the first, as a ratio."""
        quarter = max(len(self.memory_mb) // 4, 1)
        return mean(self.memory_mb[-quarter:]) / mean(self.memory_mb[:quarter]) - 1


async def until(holds: Callable[[], Any], trading: Trading) -> None:
    """Return once something holds."""
    while not holds():
        trading.require_alive()
        if time.monotonic() - trading.begun > PATIENCE_SECONDS:
            raise TimeoutError(f"not within {PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(0.1)


async def idle(folder: Path) -> Row:
    """Memory of one bot that has nothing to do."""
    folder.mkdir()
    async with fleet(folder, markets(1, ROWS, annual_volatility=0.1)) as found:
        found.write(Wish([IDLE]))
        trading = await found.start()
        await until(lambda: trading.seconds_until("running"), trading)
        await asyncio.sleep(IDLE_SECONDS)
        memory = trading.memory_mb()
        await trading.stop()
    return "memory of an idle bot, MB", f"{memory:.0f}", f"{IDLE_WANTED_MB:.0f}", memory <= IDLE_WANTED_MB


async def loaded(folder: Path, bots: int, minutes: float, a_second: float) -> list[Row]:
    """The whole account at work, and its start after it was killed."""
    folder.mkdir()
    place = folder / "probe.json"
    os.environ["TRADERAGENT_PROBE"] = str(place)
    async with fleet(folder, markets(bots, ROWS, annual_volatility=VOLATILITY), has_limits=False) as found:
        found.write(Wish([BOT], REST, rate_factor=100))
        feed = Feed(found, a_second)
        feeding = asyncio.create_task(feed.work())
        first = await found.start(PROBE)
        await until(lambda: first.seconds_until("running"), first)
        await asyncio.sleep(WARM_SECONDS)
        rows = [("first start, history read", _seconds(first, "running"), "", True)]
        rows += await _at_work(found, feed, first, place, minutes)
        await first.kill()
        again = await found.start()
        await until(lambda: again.seconds_until("running"), again)
        rows += _started_again(again)
        await again.stop()
        feeding.cancel()
    return rows


async def _at_work(found: Fleet, feed: Feed, trading: Trading, place: Path, minutes: float) -> list[Row]:
    samples, before = Samples(trading), _Before.of(found, feed, trading, place)
    await samples.take(60 * minutes)
    return list(before.compared(samples))


@define(eq=False)
class _Before:
    """Where counters stood when the measurement began."""

    found: Fleet
    feed: Feed
    trading: Trading
    place: Path
    since: float
    cpu: float
    sent: int
    executions: int
    files: Mapping[str, int]
    latencies: Mapping[str, Mapping[int, int]]

    @classmethod
    def of(cls, found: Fleet, feed: Feed, trading: Trading, place: Path) -> "_Before":
        """Now."""
        cpu, executions = trading.cpu_seconds(), len(found.account.executions)
        now = time.monotonic()
        return cls(
            found, feed, trading, place, now, cpu, feed.sent, executions, _sizes(found), _latencies(place)
        )

    def compared(self, samples: Samples) -> Iterator[Row]:
        """What has come since."""
        seconds = time.monotonic() - self.since
        cpu = (self.trading.cpu_seconds() - self.cpu) / seconds
        fills = len(self.found.account.executions) - self.executions
        yield "prices a second, sent", f"{(self.feed.sent - self.sent) / seconds:,.0f}", "", True
        yield "fills, live orders", f"{fills:,}, {len(self.found.live()):,}", "", True
        yield "processor, share of one core", f"{cpu:.0%}", "", True
        for kind, now in _latencies(self.place).items():
            new = {tenths: count - self.latencies[kind].get(tenths, 0) for tenths, count in now.items()}
            yield _decision(kind, new)
        memory, growth = samples.memory_mb[-1], samples.growth
        told = f"{memory:.0f}, {growth:+.1%}"
        yield "memory MB, growth", told, f"{GROWTH_WANTED:.0%}", growth <= GROWTH_WANTED
        for name, size in _sizes(self.found).items():
            an_hour = (size - self.files[name]) / seconds * 3_600 / 1e6
            wanted = LOG_WANTED_MB if name == "log" else None
            yield (
                f"{name}, MB an hour",
                f"{an_hour:.1f}",
                "" if wanted is None else f"{wanted:.0f}",
                wanted is None or an_hour <= wanted,
            )


def _decision(kind: str, tenths: Mapping[int, int]) -> Row:
    """Median, 99th percentile and longest of what took so many tenths of a millisecond so often."""
    count = sum(tenths.values())
    if not count:
        return f"{kind}: decided within ms", "none came", "", True
    half, most, longest = (_quantile(tenths, share) for share in (0.5, 0.99, 1.0))
    is_wanted = kind != "candle"
    return (
        f"{kind}: decided within ms, median, p99, most of {count:,}",
        f"{half:.1f}, {most:.1f}, {longest:.1f}",
        f"p99 {DECISION_WANTED_MS:.0f}" if is_wanted else "",
        most <= DECISION_WANTED_MS or not is_wanted,
    )


def _quantile(tenths: Mapping[int, int], share: float) -> float:
    left = share * sum(tenths.values())
    for value in sorted(tenths):
        left -= tenths[value]
        if left <= 0:
            break
    return value / 10


def _latencies(place: Path) -> dict[str, dict[int, int]]:
    found = json.loads(place.read_text(encoding="ascii"))
    return {kind: {int(tenths): count for tenths, count in pairs} for kind, pairs in found.items()}


def _sizes(found: Fleet) -> dict[str, int]:
    """Bytes of what a run writes."""
    log = sum(path.stat().st_size for path in found.state.glob("run.log*"))
    return {"log": log, "journal": sum(path.stat().st_size for path in found.state.glob("*.journal*"))}


def _started_again(trading: Trading) -> Iterator[Row]:
    for event, what, most in (
        ("recovered", "started again after kill -9: journal read", None),
        ("reconciled", "stops and orders verified", STOPS_WANTED_SECONDS),
        ("running", "trading", TRADING_WANTED_SECONDS),
    ):
        seconds = trading.seconds_until(event) or 0.0
        wanted = "" if most is None else f"{most:.0f}"
        yield f"{what}, s", f"{seconds:.1f}", wanted, most is None or seconds <= most


def _seconds(trading: Trading, event: str) -> str:
    return f"{trading.seconds_until(event):.1f} s"


async def measure(folder: Path, given: argparse.Namespace) -> Sequence[Row]:
    """All of it."""
    return [
        await idle(folder / "idle"),
        *await loaded(folder / "load", given.bots, given.minutes, given.rate),
    ]


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=2.0, help="under load [2]")
    parser.add_argument("--bots", type=int, default=50, help="one symbol each [50]")
    parser.add_argument("--rate", type=float, default=2_000, help="prices a second [2000]")
    with TemporaryDirectory() as place:
        rows = asyncio.run(measure(Path(place), parser.parse_args()))
    print(aligned([("", "found", "wanted"), *(row[:3] for row in rows)]))
    print(f"load average {os.getloadavg()[0]:.1f}")
    return 0 if all(is_good for *_, is_good in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
