"""Importing files into the catalogue: all of them, or none when one is broken."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from attrs import frozen

from traderagent_core.data.catalogue import Catalogue, Writer, WriteResult
from traderagent_core.data.data_files import find_data_files, readable
from traderagent_core.data.names import NameHints, SeriesKey
from traderagent_core.data.quality import QualityReport
from traderagent_core.data.series_info import Source
from traderagent_core.data.series_reading import read_series
from traderagent_core.errors import DataError

SHOWN_ERRORS = 10


@frozen
class ImportedFile:
    """One file and what its import did."""

    path: Path
    key: SeriesKey
    report: QualityReport
    result: WriteResult
    notes: tuple[str, ...]


@frozen
class ImportResult:
    """All files of one import, in the order in which they were read, and notes about what was left out."""

    files: tuple[ImportedFile, ...]
    notes: tuple[str, ...]


def import_files(
    catalogue: Catalogue,
    paths: Iterable[Path],
    *,
    imported_at_ms: int,
    told: NameHints | None = None,
    downloaded_at_ms: int | None = None,
    keep_old: bool = False,
    on_file: Callable[[Path, int], None] | None = None,
) -> ImportResult:
    """Imports files and folders of files; twins of one series (`.csv.gz` and `.parquet`) count once.

    `told` are options that complete the file names. `downloaded_at_ms` is when the files were downloaded, if known:
    where bars differ from stored ones the later download stands, or the stored ones with `keep_old`.
    `on_file` is called before each file with its path and the number of files.
    Raises DataError with every problem of every file, and then nothing at all has been imported.
    """
    found = find_data_files(paths)
    files = readable(found.files)
    notes = list(found.notes)
    if len(files) < len(found.files):
        left_out = len(found.files) - len(files)
        notes.append(
            f"{left_out} Parquet files left out: the extra traderagent-core[parquet] is not installed"
        )
    with catalogue.writer() as writer:
        imported: list[ImportedFile] = []
        errors: list[str] = []
        for path in files:
            if on_file is not None:
                on_file(path, len(files))
            try:
                imported.append(
                    _import_file(writer, path, told, imported_at_ms, downloaded_at_ms, keep_old=keep_old)
                )
            except DataError as error:
                errors.append(str(error))
        _require_none(errors, files)
    return ImportResult(tuple(imported), tuple(notes))


def _import_file(
    writer: Writer,
    path: Path,
    told: NameHints | None,
    imported_at_ms: int,
    downloaded_at_ms: int | None,
    *,
    keep_old: bool,
) -> ImportedFile:
    series = read_series(path, told)
    source = Source(path.name, series.sha256, imported_at_ms, downloaded_at_ms)
    result = writer.write(series.key, series.data, source=source, keep_old=keep_old)
    return ImportedFile(path, series.key, series.report, result, series.notes)


def _require_none(errors: Sequence[str], files: Sequence[Path]) -> None:
    if not errors:
        return
    shown = "\n".join(errors[:SHOWN_ERRORS])
    more = f"\n… and {len(errors) - SHOWN_ERRORS} more files" if len(errors) > SHOWN_ERRORS else ""
    others = "" if len(files) == 1 else f" ({len(errors)} of {len(files)} files are broken)"
    raise DataError(f"{shown}{more}\nnothing was imported{others}")
