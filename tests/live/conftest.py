"""The same candles by the simulator, and by the live driver in lockstep on virtual time."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import field, frozen
from traderagent_core import Candles, load_config
from traderagent_core.account.state import Record
from traderagent_core.data.csv_writing import write_csv
from traderagent_core.live_run import Recorded, run_recorded
from traderagent_core.model.position import money_context
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.persistence.payloads import records_of, records_payload
from traderagent_core.simulator.preparing import RunOptions, prepare


def data_folder(folder: Path, series: Sequence[Candles], market: str) -> Path:
    """The candles as files whose names tell what they hold."""
    folder.mkdir()
    for each in series:
        name = each.symbol.replace("/", "-")
        write_csv(each, folder / f"test_{market}_{name}_{each.timeframe}.csv")
    return folder


def simulated(config: Any, series: Sequence[Candles], start_ms: int) -> list[Record]:
    """All records of the simulator."""
    prepared = prepare(
        load_config(config), {each.symbol: each for each in series}, options=RunOptions(start_ms=start_ms)
    )
    with money_context():
        prepared.driver.run(prepared.end_ms)
    return prepared.driver.records[:]


def recorded(folder: Path) -> list[Record]:
    """All records that a run has written."""
    entries = [entry for entry in read_entries(folder, 0) if entry.kind is EntryKind.RECORDS]
    return [record for entry in entries for record in records_of(entry.value)]


def as_text(records: Sequence[Record]) -> list[str]:
    """Records so that they can be compared, whatever they hold."""
    return [str(records_payload([record])) for record in records]


@frozen
class Bench:
    """Runs in a folder of their own."""

    folder: Path
    told: list[str] = field(factory=list)

    def data(self, *series: Candles, market: str = "spot") -> Path:
        """A folder of candles beside those of the runs."""
        return data_folder(self.folder / "other-data", series, market)

    def live(
        self,
        config: Any,
        series: Sequence[Candles],
        start_ms: int,
        *,
        market: str = "spot",
        name: str = "run",
        speed: float | None = None,
    ) -> Path:
        """A run on recorded candles, in lockstep unless a speed is said; its folder."""
        data = data_folder(self.folder / f"{name}-data", series, market)
        where = self.folder / name
        wish = Recorded(load_config(config), data, speed, start_ms)
        run_recorded(wish, where, lambda what, **_: self.told.append(what))
        return where


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Where runs are made."""
    return Bench(tmp_path)


@pytest.fixture(scope="session")
def by_simulator() -> Callable[..., list[str]]:
    """Records of the simulator, as text."""
    return lambda *arguments: as_text(simulated(*arguments))


@pytest.fixture(scope="session")
def of_run() -> Callable[[Path], list[str]]:
    """Records of a run, as text."""
    return lambda folder: as_text(recorded(folder))
