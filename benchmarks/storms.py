"""What a bad connection costs: lost replies, sockets that are cut, and more calls than a venue allows.

    python benchmarks/storms.py --placements 1000 --garbled 300 --trades 200 --calls 500

All of it at a Bybit sandbox through its adapter. Requests and replies of placements are lost at random while three
bots trade, until so many orders were placed: none may be there twice, none may be missing. The same while answers and
messages of all kinds are garbled at random. Sockets are cut at random:
every trade has to be booked once the account was read again. So many orders are wanted at once: the venue may not
refuse one for its rate, and cancellations may not wait behind them. Exit code 1 when anything is not as it should be.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from kills import moves
from lives import FastClock, Place, Referee, make_sandbox, start
from traderagent_bybit.sandbox.app import serving
from traderagent_core.account.state import Order
from traderagent_core.model.order import OrderRequest, OrderStatus, OrderType, Side
from traderagent_core.report.terminal import aligned

SYMBOL = "BTC/USDT"
CREATE = "/v5/order/create"
LOSSES = (
    {"kind": "lose_reply", "match": CREATE, "probability": 0.2},
    {"kind": "lose_request", "match": CREATE, "probability": 0.1},
)
GARBLED: Sequence[Mapping[str, Any]] = (
    {"kind": "garble", "match": "/v5/*", "probability": 0.1},
    *(
        {"kind": "garble", "match": topic, "probability": 0.1}
        for topic in ("order", "execution", "publicTrade*")
    ),
)
CANCELS = 10
MOST_MOVES = 10_000

Row = tuple[str, str, bool]
"""What was measured, what was found, and whether it is as it should be."""


async def trade_on(
    folder: Path, is_enough: Callable[[Referee], bool], rules: Sequence[Mapping[str, Any]] = ()
) -> Referee:
    """Three bots trade until it is enough, through faults or, without any, through cuts; after each move both sides
    have to agree.
    """
    cuts = not rules
    clock, random = FastClock(time.time_ns() // 1_000_000, time.monotonic()), Random(1)
    async with serving(make_sandbox(clock)) as (desk, url):
        place = Place(url, folder, f"sqlite:///{folder}.db", clock)
        referee, process = Referee(desk, folder, clock), start(place)
        try:
            await referee.settled(place.mark(process.pid))
            desk.faults.replace(rules, 1)
            for prices in moves(MOST_MOVES, 3):
                referee.move(prices)
                if cuts and random.random() < 0.5:
                    await asyncio.sleep(0.02 * random.random())
                    for connection in list(desk.hub.connections):
                        connection.cut()
                await referee.settled(place.mark(process.pid))
                if is_enough(referee):
                    break
        finally:
            process.terminate()
            await asyncio.to_thread(process.join)
        return referee


def placements(referee: Referee) -> int:
    """Orders that the exchange has ever had from us."""
    return len(referee.venue.links)


def trades(referee: Referee) -> int:
    """Executions that the journal has booked."""
    return len(referee.kept().seen_trades)


async def placed(folder: Path, count: int, rules: Sequence[Mapping[str, Any]], what: str) -> list[Row]:
    """Placements through faults."""
    referee = await trade_on(folder, lambda found: placements(found) >= count, rules)
    missing = sum(not _is_there(order, referee) for order in _every_order(referee))
    return [
        (f"placements, {what}", f"{placements(referee)}", True),
        ("orders there twice", f"{referee.doubles()}", not referee.doubles()),
        ("orders that are missing", f"{missing}", not missing),
    ]


def _is_there(order: Order, referee: Referee) -> bool:
    """Whether the venue has had an order. A position's stop has no id of ours there, and may wait for its entry."""
    venue, status = referee.venue, order.status
    if order.client_order_id in venue.links or order.venue_order_id in venue.orders:
        return True
    return order.closes_position and status in (OrderStatus.SUBMITTED, OrderStatus.NEVER_ACCEPTED)


def _every_order(referee: Referee) -> list[Order]:
    account = referee.kept()
    return [*account.orders.values(), *account.closed_orders.values()]


async def cut_sockets(folder: Path, count: int) -> list[Row]:
    """Trades while sockets are cut."""
    referee = await trade_on(folder, lambda found: trades(found) >= count)
    there, booked = len(referee.trades()), trades(referee)
    return [("trades booked after cuts, of those there", f"{booked} of {there}", booked == there)]


async def calls_at_once(count: int) -> list[Row]:
    """More orders than the venue takes in a minute, and cancellations that come after them."""
    clock = FastClock(time.time_ns() // 1_000_000, time.monotonic(), speed=1.0)
    async with serving(make_sandbox(clock, has_limits=True)) as (_, url):
        adapter = Place(url, Path(), "", clock).adapter()
        await adapter.connect()
        try:
            for number in range(CANCELS):
                await adapter.submit(_order(f"old-{number}"))
            wanted = [
                asyncio.create_task(adapter.submit(_order(f"new-{each}"))) for each in range(count - CANCELS)
            ]
            await asyncio.sleep(0)
            begun = time.monotonic()
            canceled = await asyncio.gather(
                *(adapter.cancel(SYMBOL, f"old-{each}") for each in range(CANCELS))
            )
            waited, answered = time.monotonic() - begun, sum(task.done() for task in wanted)
            outcomes = [*canceled, *await asyncio.gather(*wanted)]
        finally:
            await adapter.close()
    over = sum(outcome.code == "10006" for outcome in outcomes)
    seconds = time.monotonic() - begun
    return [
        ("calls at once, seconds", f"{len(outcomes)}, {seconds:.0f}", True),
        ("answers 10006", f"{over}", not over),
        (
            f"{CANCELS} cancellations: seconds, entries that left before",
            f"{waited:.2f}, {answered}",
            answered < count / 10,
        ),
    ]


def _order(name: str) -> OrderRequest:
    return OrderRequest(name, SYMBOL, Side.BUY, OrderType.LIMIT, Decimal("0.1"), Decimal(95))


async def measure(folder: Path, given: argparse.Namespace) -> list[Row]:
    """All that was asked for."""
    rows = []
    if given.placements:
        rows += await placed(
            folder / "lost", given.placements, LOSSES, "three of ten with a lost request or reply"
        )
    if given.garbled:
        rows += await placed(folder / "garbled", given.garbled, GARBLED, "one message of ten garbled")
    rows += await cut_sockets(folder / "cut", given.trades) if given.trades else []
    return rows + (await calls_at_once(given.calls) if given.calls else [])


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--placements", type=int, default=1_000, help="with lost replies; 0: none [1000]")
    parser.add_argument("--garbled", type=int, default=300, help="with garbled messages; 0: none [300]")
    parser.add_argument("--trades", type=int, default=200, help="with sockets that are cut; 0: none [200]")
    parser.add_argument("--calls", type=int, default=500, help="at once; 0: none [500]")
    with TemporaryDirectory() as place:
        rows = asyncio.run(measure(Path(place), parser.parse_args()))
    print(aligned([("", "found"), *((name, found) for name, found, _ in rows)]))
    return 0 if all(is_good for *_, is_good in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
