"""kill -9 at random moments: is what is left the same as without?

    python benchmarks/kills.py --kills 200
    python benchmarks/kills.py --kills 200 --postgres

Three bots trade at a Bybit sandbox through its adapter while their markets move. One run is left alone; another one,
over the same moves, is killed: while it starts and recovers, at rest, and right after a move, when fills, counter
orders and stops are on their way. After each recovery doubles, orphans and positions without a stop are counted, and
in the end orders, positions, ledgers, fills and cash are compared. Exit code 1 when anything is not as it should be.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from attrs import define, field
from lives import ACCOUNT, BOTS, FastClock, Place, Referee, make_sandbox, start
from traderagent_bybit.sandbox.app import serving
from traderagent_core.persistence.database.connect import Database
from traderagent_core.persistence.database.store import Store
from traderagent_core.report.terminal import aligned
from traderagent_core.testing.postgres import SERVER, databases

MOVES_PER_KILL = 2
TOLD_EVERY = 50
LONGEST_START_SECONDS = 0.6
LONGEST_WORK_SECONDS = 0.06


@define
class Found:
    """What the kills have brought to light."""

    kills: dict[str, int] = field(factory=lambda: dict.fromkeys(("starting", "working", "at rest"), 0))
    doubles: int = 0
    orphans: int = 0
    naked: int = 0
    seconds: list[float] = field(factory=list)
    missing_rows: int = 0


def moves(count: int, seed: int) -> Iterator[dict[str, float]]:
    """Where the markets go, one at a time."""
    random = Random(seed)
    prices = dict.fromkeys(BOTS, 100.0)
    for _ in range(count):
        symbol = random.choice(list(BOTS))
        wanted = prices[symbol] + random.gauss((100 - prices[symbol]) / 8, 2)
        prices[symbol] = round(min(max(wanted, 86.0), 114.0), 1)
        yield prices


async def run(folder: Path, database_url: str, kills: int, seed: int, *, is_left_alone: bool) -> Any:
    """One run over the moves; gives what it ends with, and what was found on the way."""
    clock, random, found = FastClock(time.time_ns() // 1_000_000, time.monotonic()), Random(seed), Found()
    async with serving(make_sandbox(clock)) as (desk, url):
        place = Place(url, folder, database_url, clock)
        referee = Referee(desk, folder, clock)
        process = start(place)
        try:
            await referee.settled(place.mark(process.pid))
            for number, prices in enumerate(moves(kills * MOVES_PER_KILL, seed)):
                referee.move(prices)
                if not is_left_alone and number % MOVES_PER_KILL == 0:
                    process = await _kill(process, place, referee, random, found)
                await referee.settled(place.mark(process.pid))
        finally:
            process.terminate()
            await asyncio.to_thread(process.join)
        if process.exitcode != 0:
            raise SystemExit(f"the last process ended with {process.exitcode}")
        return referee.final(), found


async def _kill(process: Any, place: Place, referee: Referee, random: Random, found: Found) -> Any:
    """Kill a process at a moment of some kind, start another one and wait until it has recovered."""
    kind = random.choice(list(found.kills))
    if kind == "at rest":
        await referee.settled(place.mark(process.pid))
    elif kind == "working":
        await asyncio.sleep(LONGEST_WORK_SECONDS * random.random())
    await _end(process)
    if kind == "starting":
        process = start(place)
        await asyncio.sleep(LONGEST_START_SECONDS * random.random())
        await _end(process)
    found.kills[kind] += 1
    if not sum(found.kills.values()) % TOLD_EVERY:
        print(f"{sum(found.kills.values())} kills", file=sys.stderr)
    begun = time.monotonic()
    process = start(place)
    await referee.settled(place.mark(process.pid))
    found.seconds.append(time.monotonic() - begun)
    found.doubles += referee.doubles()
    found.orphans += referee.orphans()
    found.naked += referee.naked()
    return process


async def _end(process: Any) -> None:
    process.kill()
    await asyncio.to_thread(process.join)


async def _missing(place: str, entries: int) -> int:
    async with Database.open(place) as database:
        return entries - await Store(database).position(ACCOUNT)


def main() -> int:
    """Run both, compare, print a table."""
    given = _arguments()
    with _place(given.folder) as place, databases(given.postgres or SERVER) as there:
        folder = Path(place)
        alone_url = f"sqlite:///{folder}/alone.db"
        alone, _ = asyncio.run(run(folder / "alone", alone_url, given.kills, given.seed, is_left_alone=True))
        url = there.make() if given.postgres else f"sqlite:///{folder}/killed.db"
        killed, found = asyncio.run(run(folder / "killed", url, given.kills, given.seed, is_left_alone=False))
        found.missing_rows = asyncio.run(_missing(url, _entries(folder / "killed")))
    different = [name for name in alone if alone[name] != killed[name]]
    _print(killed, found, different)
    for name in different:
        print(f"{name}: {_differing(alone[name], killed[name])}", file=sys.stderr)
    is_bad = different or found.doubles or found.orphans or found.naked or found.missing_rows
    return 1 if is_bad else 0


def _place(wanted: Path | None) -> AbstractContextManager[str]:
    if wanted is None:
        return TemporaryDirectory()
    wanted.mkdir()
    return nullcontext(str(wanted))


def _differing(alone: Any, killed: Any) -> Any:
    """What differs between two runs, for people: that of the one left alone, and that of the other."""
    if not isinstance(alone, dict):
        return alone, killed
    keys = [key for key in {**alone, **killed} if alone.get(key) != killed.get(key)]
    return {key: (alone.get(key), killed.get(key)) for key in keys}


def _entries(folder: Path) -> int:
    from traderagent_core.persistence.journal.reading import read_entries

    return max(entry.sequence for entry in read_entries(folder))


def _print(killed: dict[str, Any], found: Found, different: list[str]) -> None:
    told = ", ".join(f"{count} {kind}" for kind, count in found.kills.items())
    rows = [
        ("kills", f"{sum(found.kills.values())} ({told})"),
        ("fills, live orders", f"{sum(killed['fills'].values())}, {len(killed['orders'])}"),
        ("duplicate orders", str(found.doubles)),
        ("orphan orders", str(found.orphans)),
        ("positions without a stop after recovery", str(found.naked)),
        ("different from the run that was left alone", ", ".join(different) or "nothing"),
        ("entries missing in the database", str(found.missing_rows)),
        (
            "seconds from start to agreement, median and most",
            f"{median(found.seconds):.2f}, {max(found.seconds):.2f}",
        ),
    ]
    print(aligned([("", "found"), *rows]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200, help="how often [200]")
    parser.add_argument("--folder", type=Path, help="a new one, to keep what the runs leave [none is kept]")
    parser.add_argument("--seed", type=int, default=1, help="of moves and moments [1]")
    parser.add_argument(
        "--postgres",
        nargs="?",
        const=SERVER,
        metavar="URL",
        help=f"mirror to a database of its own on a PostgreSQL server [without: SQLite; without URL: {SERVER}]",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
