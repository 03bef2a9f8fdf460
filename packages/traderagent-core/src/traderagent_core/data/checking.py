"""Checking files, or everything in a catalogue, without changing anything."""

from collections.abc import Iterable
from pathlib import Path

from attrs import asdict, frozen

from traderagent_core.data.catalogue import Catalogue
from traderagent_core.data.data_files import find_data_files
from traderagent_core.data.names import NameHints
from traderagent_core.data.quality import QualityReport, inspect_series
from traderagent_core.data.series_info import SeriesInfo
from traderagent_core.data.series_reading import inspect_file
from traderagent_core.errors import DataError


@frozen
class Checked:
    """What a check of one file or series found. `error` tells why there is no report, or that data are damaged."""

    name: str
    series: str
    report: QualityReport | None
    error: str | None
    notes: tuple[str, ...] = ()
    restated: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether it could be imported, or used, as it is."""
        return self.error is None and self.report is not None and self.report.is_sound

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {"is_sound": self.is_sound, **asdict(self)}


def check_files(paths: Iterable[Path], told: NameHints | None = None) -> list[Checked]:
    """Checks files and folders of files. Raises DataError only when a path does not exist or holds no data."""
    return [_check_file(path, told) for path in find_data_files(paths).files]


def check_catalogue(catalogue: Catalogue) -> list[Checked]:
    """Checks every series of a catalogue, its checksum too. Raises DataError when there is none."""
    known = catalogue.series()
    if not known:
        raise DataError(
            f"no data: the catalogue {catalogue.root} is empty; fill it with `traderagent data import PATH`"
        )
    return [_check_series(catalogue, info) for info in known]


def _check_file(path: Path, told: NameHints | None) -> Checked:
    try:
        file = inspect_file(path, told)
    except DataError as error:
        return Checked(str(path), "", None, str(error))
    return Checked(str(path), str(file.key), file.report, None, file.notes)


def _check_series(catalogue: Catalogue, info: SeriesInfo) -> Checked:
    name = str(info.key)
    try:
        columns = catalogue.columns(info)
        report = inspect_series(
            columns, timeframe=info.timeframe, name=name, place=lambda row: f"{name}: row {row + 1}"
        )
        is_intact = catalogue.is_intact(info)
    except DataError as error:
        return Checked(name, name, None, str(error), restated=info.restated)
    damage = f"{name}: the columns do not fit their checksum; import the series again"
    return Checked(name, name, report, None if is_intact else damage, restated=info.restated)
