"""One series on disk: a record that names a version, and a folder of memory-mapped columns for each version.

A version becomes visible only when the record is replaced, in one step of the file system; so an import that is
interrupted at any point leaves the former version in place.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from attrs import frozen

from traderagent_core.data.columns import CANDLE_COLUMNS, FUNDING_COLUMNS, Column
from traderagent_core.data.merging import RestatedBar
from traderagent_core.data.series_info import SeriesInfo, read_info, write_info
from traderagent_core.errors import DataError

RECORD = "series.json"
SOURCE_COLUMN = "source"
_LOG = "restatements.jsonl"


@frozen
class SeriesFolder:
    """The folder of one series."""

    path: Path

    def info(self) -> SeriesInfo | None:
        """The record, None when there is no such series."""
        record = self.path / RECORD
        return read_info(record) if record.exists() else None

    def columns(self, info: SeriesInfo) -> dict[str, Column]:
        """The columns, memory-mapped and read-only. Raises DataError when they do not fit the record."""
        names = FUNDING_COLUMNS if info.key.is_funding else CANDLE_COLUMNS
        return {name: self._column(info, name) for name in names}

    def source_column(self, info: SeriesInfo) -> Column:
        """For each row the index of its source in the record."""
        return self._column(info, SOURCE_COLUMN)

    def restatements(self, info: SeriesInfo) -> list[dict[str, object]]:
        """Every restated bar ever found, oldest find first: time, old and new values, which of them stands."""
        log = self._version(info.version) / _LOG
        return (
            [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
            if log.exists()
            else []
        )

    def write_version(
        self, info: SeriesInfo, columns: Mapping[str, Column], log: Iterable[str], former: SeriesInfo | None
    ) -> None:
        """Writes columns and log as a version nobody sees yet. `log` lines follow those of the former version."""
        folder = self._version(info.version)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, column in columns.items():
            with (folder / f"{name}.npy").open("wb") as stream:
                np.save(stream, column)
                _flush(stream.fileno())
        lines = list(log)
        old_log = self._version(former.version) / _LOG if former else None
        if old_log is not None and old_log.exists():
            lines.insert(0, old_log.read_text(encoding="utf-8").rstrip("\n"))
        if lines:
            (folder / _LOG).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def publish(self, info: SeriesInfo) -> None:
        """Makes a written version the one that is read, and removes the others."""
        draft = self.path / f"{RECORD}.draft"
        write_info(info, draft)
        with draft.open("rb") as stream:
            _flush(stream.fileno())
        draft.replace(self.path / RECORD)
        for folder in self.path.glob("v*"):
            if folder != self._version(info.version):
                shutil.rmtree(folder, ignore_errors=True)

    def discard(self, version: int) -> None:
        """Removes a version that was never published, and the folders it alone needed."""
        shutil.rmtree(self._version(version), ignore_errors=True)
        for folder in (self.path, *list(self.path.parents)[:3]):
            with contextlib.suppress(OSError):
                folder.rmdir()  # only empty folders go

    def _version(self, version: int) -> Path:
        return self.path / f"v{version:06d}"

    def _column(self, info: SeriesInfo, name: str) -> Column:
        path = self._version(info.version) / f"{name}.npy"
        try:
            column: Column = np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
        except (OSError, ValueError) as error:
            raise DataError(
                f"{path}: a column of {info.key} cannot be read ({error}); import the series again"
            ) from error
        if len(column) != info.rows:
            raise DataError(
                f"{path}: {len(column)} rows where {info.key} should have {info.rows}; import the series again"
            )
        return column


def log_lines(bars: Iterable[RestatedBar], found_at_ms: int, source: str) -> Iterable[str]:
    """Restated bars as lines of the log."""
    for bar in bars:
        stands = "new" if bar.is_replaced else "old"
        yield json.dumps(
            {
                "time_ms": bar.time_ms,
                "old": bar.old,
                "new": bar.new,
                "stands": stands,
                "found_at_ms": found_at_ms,
                "source": source,
            }
        )


def _flush(descriptor: int) -> None:
    os.fsync(descriptor)
