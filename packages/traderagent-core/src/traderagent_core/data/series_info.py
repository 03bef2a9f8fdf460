"""What the catalogue knows about a series besides its columns, as a record and as JSON."""

import json
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from traderagent_core.data.names import SeriesKey
from traderagent_core.errors import DataError

FORMAT = 1


@frozen
class Source:
    """One file (or other origin) that bars came from. `downloaded_at_ms` is None when nobody told."""

    name: str
    sha256: str
    imported_at_ms: int
    downloaded_at_ms: int | None = None
    rows: int = 0
    first_ms: int = 0
    last_ms: int = 0

    @property
    def obtained_at_ms(self) -> int:
        """When it was downloaded; the time of import stands in where that is not known."""
        return self.imported_at_ms if self.downloaded_at_ms is None else self.downloaded_at_ms


@frozen
class SeriesInfo:
    """One series of a catalogue. Times are ms UTC; `checksum` is that of the columns."""

    key: SeriesKey
    rows: int
    first_ms: int
    last_ms: int
    checksum: str
    imported_at_ms: int
    restated: int
    sources: tuple[Source, ...]
    version: int

    @property
    def symbol(self) -> str:
        """BASE/QUOTE."""
        return self.key.symbol

    @property
    def timeframe(self) -> str:
        """Timeframe of the candles; empty for funding."""
        return self.key.timeframe

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = asdict(self, recurse=True)
        return {"format": FORMAT, **values.pop("key"), **values}


def write_info(info: SeriesInfo, path: Path) -> None:
    """Writes the record as JSON; the caller makes it atomic."""
    path.write_text(json.dumps(info.to_dict(), indent=1, ensure_ascii=False), encoding="utf-8")


def read_info(path: Path) -> SeriesInfo:
    """Reads a record; raises DataError when it is damaged or of a later format."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        found = values.pop("format")
        if found != FORMAT:
            raise DataError(
                f"{path}: catalogue format {found}; expected {FORMAT}; install a newer traderagent-core"
            )
        key = SeriesKey(*(values.pop(name) for name in ("exchange", "market", "symbol", "kind")))
        sources = tuple(Source(**source) for source in values.pop("sources"))
        return SeriesInfo(key=key, sources=sources, **values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: the record of a series is damaged ({error}); import the series again"
        ) from error
