"""What the journal costs: appends with and without making them durable, replay, the fold into rows, the mirror.

    python benchmarks/journal.py
    python benchmarks/journal.py --folder /mnt/other --postgres postgresql://postgres@127.0.0.1:5432/test

Payloads are the records of a simulated run of a ladder, one step an entry. `--postgres` names an empty database.
"""

import argparse
import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from traderagent_core.model.instrument import Instrument
from traderagent_core.persistence.database.connect import Database
from traderagent_core.persistence.database.mirror import Mirror
from traderagent_core.persistence.database.store import Store
from traderagent_core.persistence.journal.entry import EntryKind, to_text
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.journal.lock import Owner
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.persistence.payloads import records_of, records_payload
from traderagent_core.persistence.projection.fold import Projection
from traderagent_core.report.terminal import aligned
from traderagent_core.testing.harness import run_strategy
from traderagent_core.testing.markets import market
from traderagent_core.testing.specimens import Ladder, LadderConfig

ACCOUNT = "bench"
DURABLE = 2_000
LOOSE = 50_000
HEAD = ("", "median", "p99", "a second")
READ_HEAD = ("", "entries", "a second", "a second of processor time")


def main() -> None:
    """Measure everything and print two tables."""
    given = _arguments()
    steps = _steps()
    payloads = [records_payload(records) for records in steps]
    sizes = [len(to_text(payload)) for payload in payloads]
    print(
        f"{len(payloads):,} entries of records; all but the first, a plan, are {_mean(sizes[1:])} bytes on average\n"
    )
    with TemporaryDirectory(dir=given.folder) as place:
        encoding = _row("records to text", _timed(records_payload, steps[1:], LOOSE))
        print(aligned([HEAD, encoding, *_writing(Path(place), payloads[1:])]))
        print()
        print(aligned([READ_HEAD, *_reading(Path(place), payloads, given.postgres)]))


def _mean(sizes: Sequence[int]) -> str:
    return f"{sum(sizes) / len(sizes):.0f}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--folder", type=Path, help="folder on the disk to measure  [default: that of temporary files]"
    )
    parser.add_argument("--postgres", help="URL of an empty PostgreSQL database, to measure its mirror too")
    return parser.parse_args()


def _steps() -> list[list[Any]]:
    """Records of a run, those of equal time together, as steps give them."""
    candles = market("ranging", rows=12_000)
    run = run_strategy(
        Ladder, LadderConfig(count=20), candles, Instrument("BTC/USDT", lot_size=Decimal("0.001"))
    )
    steps: dict[int, list[Any]] = {}
    for record in run.records:
        steps.setdefault(record[1], []).append(record)
    return list(steps.values())


# -- writing ------------------------------------------------------------------------------------------------


def _writing(place: Path, payloads: Sequence[Any]) -> list[Sequence[str]]:
    journal = _open(place / "written")
    rows = [
        _row("append", _timed(lambda p: journal.append(EntryKind.RECORDS, p), payloads, LOOSE)),
        _row("append and sync: durable", _timed(lambda p: _durable(journal, p), payloads, DURABLE)),
        _row("append 3 and sync: durable", _timed(lambda p: _durable(journal, p, 3), payloads, DURABLE)),
    ]
    for writers in (1, 16):
        times = asyncio.run(_committing(journal, payloads, writers))
        rows.append(_row(f"append and commit, {writers} at a time", times, writers))
    journal.close()
    rows.append(_row("the same 3 in SQLite (WAL, FULL)", _in_sqlite(place / "compare.db", payloads)))
    return rows


def _durable(journal: Journal, payload: Any, count: int = 1) -> None:
    for _ in range(count):
        journal.append(EntryKind.RECORDS, payload)
    journal.sync()


async def _committing(journal: Journal, payloads: Sequence[Any], writers: int) -> list[float]:
    times: list[float] = []

    async def one() -> None:
        for number in range(DURABLE // writers):
            start = time.perf_counter()
            journal.append(EntryKind.RECORDS, payloads[number % len(payloads)])
            await journal.commit()
            times.append(time.perf_counter() - start)

    await asyncio.gather(*(one() for _ in range(writers)))
    return times


def _in_sqlite(path: Path, payloads: Sequence[Any]) -> list[float]:
    """What was decided against: a table instead of a file."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE journal (sequence INTEGER PRIMARY KEY, kind TEXT, payload TEXT)")

    def insert(payload: Any) -> None:
        connection.execute("BEGIN")
        for _ in range(3):
            connection.execute(
                "INSERT INTO journal (kind, payload) VALUES ('records', ?)", (to_text(payload),)
            )
        connection.execute("COMMIT")

    times = _timed(insert, payloads, DURABLE)
    connection.close()
    return times


def _timed(work: Callable[[Any], object], payloads: Sequence[Any], count: int) -> list[float]:
    times = []
    for number in range(count):
        payload = payloads[number % len(payloads)]
        start = time.perf_counter()
        work(payload)
        times.append(time.perf_counter() - start)
    return times


def _row(name: str, times: list[float], at_once: int = 1) -> Sequence[str]:
    ordered = sorted(times)
    middle, high = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return name, _micro(middle), _micro(high), f"{at_once * len(times) / sum(times):,.0f}"


def _micro(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f} µs"


# -- reading ------------------------------------------------------------------------------------------------


def _reading(place: Path, payloads: Sequence[Any], postgres: str | None) -> list[Sequence[str]]:
    folder = place / "read"
    journal = _open(folder)
    for payload in payloads:
        journal.append(EntryKind.RECORDS, payload)
    journal.close()
    last = journal.sequence

    def fold() -> None:
        projection = Projection(ACCOUNT)
        for entry in read_entries(folder):
            projection.take(entry)
        projection.drain()

    rows = [
        _speed("read, checksums verified", last, lambda: sum(1 for _ in read_entries(folder))),
        _speed("read and decode", last, lambda: [_decoded(entry) for entry in read_entries(folder)]),
        _speed("read, decode and fold into rows", last, fold),
    ]
    urls = {"SQLite": f"sqlite:///{place}/mirror.db", **({"PostgreSQL": postgres} if postgres else {})}
    for name, url in urls.items():
        rows.append(_speed(f"mirror to {name}, rows too", last, partial(_mirrored, url, folder, last), 1))
    return rows


def _decoded(entry: Any) -> Any:
    return records_of(entry.value) if entry.kind is EntryKind.RECORDS else None


def _mirrored(url: str, folder: Path, last: int) -> None:
    asyncio.run(_mirror(url, folder, last))


async def _mirror(url: str, folder: Path, last: int) -> None:
    async with Database.open(url) as database:
        await Mirror(Store(database), ACCOUNT, folder, lambda: last).catch_up()


def _speed(name: str, count: int, work: Callable[[], object], repetitions: int = 5) -> Sequence[str]:
    wall, processor = [], []
    for _ in range(repetitions):
        start, used = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    return name, f"{count:,}", f"{count / min(wall):,.0f}", f"{count / min(processor):,.0f}"


def _open(folder: Path) -> Journal:
    return Journal.open(folder, Owner(ACCOUNT, "bench", 1, 0), reserve_bytes=0)


if __name__ == "__main__":
    main()
