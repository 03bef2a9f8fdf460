"""The command line with a clock on each fact: `load.py` starts it as the process that trades.

Prices: from the moment at which the exchange sent them (`time_ms`, by the same clock on the wall) until what follows
from them is decided, written down and handed on. What the exchange tells of orders: from when it was heard.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from traderagent_core.cli.main import main
from traderagent_core.contract.venue_facts import CandleClosed, LinkDown, LinkUp, Price
from traderagent_core.live.driver import Driver
from traderagent_core.live.watchdog import supervisor
from traderagent_core.live.watchdog.supervisor import Supervisor

KINDS = ("price", "order", "candle")
Told = dict[str, Counter[int]]
"""By kind of fact: how many took so many tenths of a millisecond."""

told: Told = {kind: Counter() for kind in KINDS}
_heard: dict[int, int] = {}
_taken: list[tuple[str, int]] = []


def _kind(fact: Any) -> str | None:
    if isinstance(fact, Price):
        return "price"
    if isinstance(fact, CandleClosed):
        return "candle"
    return None if callable(fact) or isinstance(fact, LinkUp | LinkDown) else "order"


def install(place: Path) -> None:
    """Put the clocks in, and write what they say to a file every second."""
    tell, take, release, work = Driver.tell, Driver._take, Driver.release, Driver.work

    def told_at(driver: Driver, fact: Any) -> None:
        _heard[id(fact)] = time.time_ns()
        tell(driver, fact)

    def taken(driver: Driver, fact: Any) -> None:
        since, kind = _heard.pop(id(fact), 0), _kind(fact)
        take(driver, fact)
        if kind is not None and since:
            _taken.append((kind, fact.time_ms * 1_000_000 if kind == "price" else since))

    async def released(driver: Driver) -> None:
        await release(driver)
        now = time.time_ns()
        for kind, since in _taken:
            told[kind][max(now - since, 0) // 100_000] += 1
        _taken.clear()

    async def working(driver: Driver) -> None:
        writer = asyncio.create_task(_write(place))
        try:
            await work(driver)
        finally:
            writer.cancel()

    Driver.tell, Driver._take, Driver.release, Driver.work = told_at, taken, released, working  # type: ignore[method-assign, assignment]


async def _write(place: Path) -> None:
    while True:
        await asyncio.sleep(1)
        partial = place.with_suffix(".part")
        partial.write_text(json.dumps({kind: list(found.items()) for kind, found in told.items()}))
        partial.replace(place)


def supervise(arguments: Sequence[str], say: Callable[[str], None]) -> int:
    """Have the process that trades be this file again, which its supervisor would start without clocks."""
    return Supervisor([sys.executable, __file__, *arguments], say).run()


if __name__ == "__main__":
    install(Path(os.environ["TRADERAGENT_PROBE"]))
    supervisor.supervise = supervise
    main()
