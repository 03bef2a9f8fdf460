"""Which files of a folder hold series: twins count once, what is no series is named and left out."""

from collections.abc import Iterable
from pathlib import Path

from attrs import frozen

from traderagent_core.data.names import NameHints, hints_from_name, is_data_file, is_kind, stem_of
from traderagent_core.data.parquet_reading import has_parquet
from traderagent_core.errors import DataError

# CSV first: its decimal text is the origin of every number, and reading it needs no extra.
_PREFERENCE = (".csv.gz", ".csv", ".parquet")


@frozen
class DataFiles:
    """Files to read, and notes about those that are left out."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def find_data_files(paths: Iterable[Path]) -> DataFiles:
    """Files as named, and those directly inside named folders.

    Raises DataError when a path is missing or a folder holds no data.
    """
    files: list[Path] = []
    notes: list[str] = []
    for path in paths:
        if path.is_dir():
            files += _files_in(path, notes)
        elif path.exists():
            files.append(path)
        else:
            raise DataError(f"{path}: no such file or folder; expected candles as CSV or Parquet")
    return DataFiles(tuple(_without_twins(files)), tuple(notes))


def is_other_kind(hints: NameHints) -> bool:
    """Whether a name of our own pattern tells of something else than candles and funding, such as trades."""
    return hints.kind is not None and not is_kind(hints.kind)


def _files_in(folder: Path, notes: list[str]) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if path.is_file() and is_data_file(path))
    if not found:
        raise DataError(_nothing_in(folder))
    series = [path for path in found if not is_other_kind(hints_from_name(path))]
    others = len({stem_of(path) for path in found}) - len({stem_of(path) for path in series})
    if not series:
        raise DataError(
            f"{folder}: {others} data files, but by their names none holds candles or funding; name another"
        )
    if others:
        notes.append(
            f"{folder}: {others} of its files hold neither candles nor funding by their names; left out"
        )
    return series


def _nothing_in(folder: Path) -> str:
    inner = sorted({path.parent.name for path in folder.glob("*/*") if path.is_file() and is_data_file(path)})
    if inner:
        return f"{folder}: no data files here, only in the folders {', '.join(inner[:5])}; name one of these"
    return f"{folder}: no data files here; expected .csv, .csv.gz or .parquet files of candles"


def _without_twins(files: list[Path]) -> list[Path]:
    """One file of each stem in a folder, in the order of first appearance."""
    chosen: dict[tuple[Path, str], Path] = {}
    for path in files:
        twin = chosen.setdefault((path.parent, stem_of(path)), path)
        if _preference(path) < _preference(twin):
            chosen[path.parent, stem_of(path)] = path
    return list(chosen.values())


def _preference(path: Path) -> int:
    name = path.name.lower()
    return next((rank for rank, suffix in enumerate(_PREFERENCE) if name.endswith(suffix)), 0)


def readable(files: Iterable[Path]) -> list[Path]:
    """The files that can be read with what is installed.

    Raises DataError when there are only Parquet files and their extra is missing.
    """
    every = list(files)
    able = [path for path in every if path.suffix.lower() != ".parquet" or has_parquet()]
    if every and not able:
        raise DataError(
            f"{every[0].parent}: only Parquet files, and reading them needs an extra that is not installed: "
            "pip install 'traderagent-core[parquet]'"
        )
    return able
