"""How quick the Bybit sandbox is: 50 markets at a candle a second each, 500 resting orders, one process.

    python benchmarks/sandbox.py

The sandbox is started from the command line at sixty times the speed of the market, so that each minute is over
after a second; all candles and prices are listened to. Then orders are placed one at a time through the adapter:
measured from the call until the private socket has told of the order, both ends included. Exit code 1 when that takes
too long, or the sandbox needs more than one core.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp
from attrs import define, field
from fleet import COMMAND, TICKS, names
from traderagent_bybit.adapter.bybit import BybitAdapter
from traderagent_bybit.adapter.config import BybitConfig
from traderagent_core import Instrument, OrderRequest, OrderType, Price, Side, Surroundings
from traderagent_core.adapters.clocks import SystemClock
from traderagent_core.contract.venue_facts import LinkUp
from traderagent_core.model.event import OrderAccepted
from traderagent_core.model.instrument import Market
from traderagent_core.report.terminal import aligned

KEY = "sandbox"
SPEED = 60
MEDIAN_WANTED_MS = 5.0
NOTIONAL = Decimal(20)
PAUSE_SECONDS = 0.02
SETTLE_SECONDS = 5.0

Row = tuple[str, str, str, bool]
"""What was measured, what was found, what is wanted, and whether it is so."""


@define(eq=False)
class Client:
    """An adapter at the sandbox, and what it has heard."""

    adapter: BybitAdapter
    last: dict[str, Decimal] = field(factory=dict)
    accepted: dict[str, float] = field(factory=dict)
    candles: int = 0

    async def hear_orders(self, up: asyncio.Event) -> None:
        """Note when each order was told of."""
        async for fact in self.adapter.events():
            if isinstance(fact, OrderAccepted):
                self.accepted[fact.client_order_id] = time.perf_counter()
            elif isinstance(fact, LinkUp):
                up.set()

    async def hear_prices(self, symbols: Sequence[str]) -> None:
        """Note the last price of each symbol."""
        async for fact in self.adapter.prices(symbols):
            if isinstance(fact, Price):
                self.last[fact.symbol] = fact.last

    async def hear_candles(self, url: str, symbols: Sequence[str]) -> None:
        """Count the candles that have closed."""
        topics = [f"kline.1.{symbol.replace('/', '')}" for symbol in symbols]
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            for first in range(0, len(topics), 10):
                await socket.send_json({"op": "subscribe", "args": topics[first : first + 10]})
            async for message in socket:
                told = message.json()
                self.candles += sum(row["confirm"] for row in told.get("data", ()) if "topic" in told)

    async def place(self, name: str, instrument: Instrument) -> float:
        """Place an order far from the price; seconds until the socket has told of it."""
        price = instrument.limit_price(Side.BUY, self.last[instrument.symbol] / 2)
        quantity = instrument.round_quantity(NOTIONAL / price)
        begun = time.perf_counter()
        outcome = await self.adapter.submit(
            OrderRequest(name, instrument.symbol, Side.BUY, OrderType.LIMIT, quantity, price)
        )
        if outcome.code != "0":
            raise SystemExit(f"an order was not taken: {outcome}")
        while name not in self.accepted:
            await asyncio.sleep(0)
        return self.accepted[name] - begun


@asynccontextmanager
async def sandbox(symbols: Sequence[str]) -> AsyncIterator[tuple[str, int]]:
    """Address and process id of a sandbox in a process of its own."""
    chosen = [word for symbol in symbols for word in ("--symbol", symbol)]
    options = ("--speed", str(SPEED), "--port", "0", "--no-limits", "--account", f"{KEY}:{KEY}:1000000")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", COMMAND, "bybit-sandbox", *chosen, *options, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        while b"REST " not in (line := await process.stdout.readline()):
            if not line:
                raise SystemExit("the sandbox did not start")
        yield line.decode().split("REST ")[1].split(",")[0], process.pid
    finally:
        process.terminate()
        await process.wait()


async def measure(bots: int, resting: int, orders: int) -> list[Row]:
    """The sandbox, its client, and the figures."""
    symbols = names(bots)
    async with sandbox(symbols) as (url, process_id):
        sockets = f"{url.replace('http', 'ws', 1)}/v5"
        config = BybitConfig(
            rest_url=url,
            private_url=f"{sockets}/private",
            public_url=f"{sockets}/public/linear",
            rate_factor=1_000,
        )
        markets = dict.fromkeys(symbols, Market.LINEAR)
        adapter = BybitAdapter(
            config, Surroundings(SystemClock(), markets, "demo", {"key": KEY, "secret": KEY})
        )
        await adapter.connect()
        client, up = Client(adapter), asyncio.Event()
        hearing = [
            asyncio.create_task(each)
            for each in (
                client.hear_orders(up),
                client.hear_prices(symbols),
                client.hear_candles(f"{sockets}/public/linear", symbols),
            )
        ]
        try:
            await up.wait()
            while len(client.last) < len(symbols):
                await asyncio.sleep(0.05)
            return await _figures(client, process_id, resting, orders)
        finally:
            for task in hearing:
                task.cancel()
            await asyncio.gather(*hearing, return_exceptions=True)
            await adapter.close()


async def _figures(client: Client, process_id: int, resting: int, orders: int) -> list[Row]:
    instruments = list(await client.adapter.instruments())
    for number in range(resting):
        await client.place(f"rests-{number}", instruments[number % len(instruments)])
    await asyncio.sleep(SETTLE_SECONDS)
    begun, cpu, candles = time.monotonic(), _cpu_seconds(process_id), client.candles
    waits = []
    for number in range(orders):
        waits.append(await client.place(f"timed-{number}", instruments[number % len(instruments)]))
        await asyncio.sleep(PAUSE_SECONDS)
    seconds = time.monotonic() - begun
    share, closed = (_cpu_seconds(process_id) - cpu) / seconds, (client.candles - candles) / seconds
    half, most, longest = (_quantile(waits, share) for share in (0.5, 0.99, 1.0))
    there = len(await client.adapter.open_orders())
    return [
        ("markets, resting orders at the end", f"{len(instruments)}, {there}", "", there >= resting),
        ("candles a second, heard", f"{closed:.0f}", f"{len(instruments)}", closed > 0.9 * len(instruments)),
        ("processor of the sandbox, share of one core", f"{share:.0%}", "100%", share <= 1),
        (
            f"create to order message, ms: median, p99, most of {orders:,}",
            f"{half:.1f}, {most:.1f}, {longest:.1f}",
            f"median {MEDIAN_WANTED_MS:.0f}",
            half <= MEDIAN_WANTED_MS,
        ),
    ]


def _quantile(seconds: Sequence[float], share: float) -> float:
    """In ms."""
    return sorted(seconds)[min(int(share * len(seconds)), len(seconds) - 1)] * 1000


def _cpu_seconds(process_id: int) -> float:
    with open(f"/proc/{process_id}/stat", encoding="ascii") as file:  # noqa: PTH123
        fields: list[Any] = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--symbols", type=int, default=50, help="markets [50]")
    parser.add_argument("--resting", type=int, default=500, help="orders that rest meanwhile [500]")
    parser.add_argument("--orders", type=int, default=500, help="orders that are timed [500]")
    given = parser.parse_args()
    rows = asyncio.run(measure(given.symbols, given.resting, given.orders))
    print(aligned([("", "found", "wanted"), *(row[:3] for row in rows)]))
    print(f"load average {os.getloadavg()[0]:.1f}")
    return 0 if all(is_good for *_, is_good in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
