"""The catalogue: candles, mark prices and funding rates of many markets, stored once and memory-mapped."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve, field, frozen

from traderagent_core.data.columns import (
    Column,
    candles_of,
    checksum_columns,
    columns_of,
    funding_of,
    times_of,
)
from traderagent_core.data.funding import FundingRates
from traderagent_core.data.locking import write_lock
from traderagent_core.data.merging import Merged, RestatedBar, first_merge, merge
from traderagent_core.data.names import FUNDING, SeriesKey
from traderagent_core.data.series_folder import RECORD, SOURCE_COLUMN, SeriesFolder, log_lines
from traderagent_core.data.series_info import SeriesInfo, Source
from traderagent_core.errors import DataError
from traderagent_core.model.candle import Candles

ENVIRONMENT_VARIABLE = "TRADERAGENT_CATALOGUE"
MARKER = "catalogue.txt"
_MARKER_TEXT = (
    "A catalogue of market data, written by traderagent; each series.json tells what is beside it.\n"
)
SHOWN_BARS = 5


def default_root() -> Path:
    """Where the catalogue is when nobody says: $TRADERAGENT_CATALOGUE, or ~/.traderagent/catalogue."""
    told = os.environ.get(ENVIRONMENT_VARIABLE)
    return Path(told).expanduser() if told else Path.home() / ".traderagent" / "catalogue"


@frozen
class WriteResult:
    """What a write did: rows added, rows found restated (with the first few), rows replaced."""

    info: SeriesInfo
    added: int
    restated: int
    replaced: int
    examples: tuple[RestatedBar, ...]


@frozen
class Catalogue:
    """Market data under one folder, `exchange/market/BASE-QUOTE/kind/`.

    Columns are read-only memory maps, so opening a series costs next to nothing whatever its length.
    """

    root: Path = field(factory=default_root, converter=Path)

    def series(self) -> list[SeriesInfo]:
        """Everything there is, sorted by exchange, market, symbol and kind."""
        records = self.root.glob(f"*/*/*/*/{RECORD}")
        found = (SeriesFolder(record.parent).info() for record in records)
        return sorted((info for info in found if info is not None), key=lambda info: info.key)

    def load(
        self, symbol: str, timeframe: str, *, exchange: str | None = None, market: str | None = None
    ) -> Candles:
        """Candles of a symbol. Raises DataError when there are none, or several exchanges or markets have them."""
        info = self.find(symbol, timeframe, exchange=exchange, market=market)
        return candles_of(self.columns(info), symbol, timeframe)

    def load_mark(
        self, symbol: str, timeframe: str = "1h", *, exchange: str | None = None, market: str | None = None
    ) -> Candles:
        """Candles of the mark price; their volume is zero. Raises DataError as `load` does."""
        info = self.find(symbol, f"mark-{timeframe}", exchange=exchange, market=market)
        return candles_of(self.columns(info), symbol, timeframe)

    def load_funding(
        self, symbol: str, *, exchange: str | None = None, market: str | None = None
    ) -> FundingRates:
        """Funding rates of a contract. Raises DataError as `load` does."""
        info = self.find(symbol, FUNDING, exchange=exchange, market=market)
        return funding_of(self.columns(info), symbol)

    def find(
        self, symbol: str, kind: str, *, exchange: str | None = None, market: str | None = None
    ) -> SeriesInfo:
        """The one series that fits. Raises DataError naming what is there, or the choices when several fit."""
        known = self.series()
        fitting = [
            info
            for info in known
            if (info.symbol, info.key.kind) == (symbol, kind)
            and exchange in (None, info.key.exchange)
            and market in (None, info.key.market)
        ]
        if len(fitting) == 1:
            return fitting[0]
        wanted = " ".join(filter(None, (exchange, market, symbol, kind)))
        if fitting:
            choices = ", ".join(f"{info.key.exchange} {info.key.market}" for info in fitting)
            raise DataError(
                f"several series of {wanted} in {self.root}: {choices}; say which exchange and market"
            )
        related = [str(info.key) for info in known if info.symbol == symbol] or sorted(
            {i.symbol for i in known}
        )
        there = ", ".join(related) or "nothing yet"
        raise DataError(
            f"no data of {wanted} in {self.root}; there: {there}; import some with `traderagent data import`"
        )

    def columns(self, info: SeriesInfo) -> dict[str, Column]:
        """The read-only columns of a series, times first."""
        return self._folder(info.key).columns(info)

    def restatements(self, info: SeriesInfo) -> list[dict[str, object]]:
        """Every restated bar ever found in a series, with both values, oldest find first."""
        return self._folder(info.key).restatements(info)

    def is_intact(self, info: SeriesInfo) -> bool:
        """Whether the columns still have the checksum of the record."""
        return checksum_columns(self.columns(info)) == info.checksum

    def write(
        self, key: SeriesKey, data: Candles | FundingRates, *, source: Source, keep_old: bool = False
    ) -> WriteResult:
        """Adds one download to a series; see `Writer.write`."""
        with self.writer() as writer:
            return writer.write(key, data, source=source, keep_old=keep_old)

    @contextmanager
    def writer(self) -> Iterator["Writer"]:
        """Several writes that become visible together at the end, or not at all when an exception passes."""
        is_new = not (self.root / MARKER).exists()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with write_lock(self.root):
                (self.root / MARKER).write_text(_MARKER_TEXT, encoding="utf-8")
                yield from self._write_all(remove_marker=is_new)
        except OSError as error:
            raise DataError(
                f"{error.filename or self.root}: cannot be written ({error.strerror or error}); "
                "expected a folder with room and permission; choose another with --catalogue"
            ) from error

    def _write_all(self, *, remove_marker: bool) -> Iterator["Writer"]:
        writer = Writer(self._folder)
        try:
            yield writer
            writer.publish()
        except BaseException:
            writer.discard()
            if remove_marker and not self.series():
                (self.root / MARKER).unlink(missing_ok=True)
            raise

    def _folder(self, key: SeriesKey) -> SeriesFolder:
        return SeriesFolder(self.root / key.exchange / key.market / key.symbol.replace("/", "-") / key.kind)


@frozen
class Writer:
    """Collects versions of series that are published together."""

    folder_of: Callable[[SeriesKey], SeriesFolder]
    drafts: dict[SeriesKey, SeriesInfo] = field(factory=dict)

    def write(
        self, key: SeriesKey, data: Candles | FundingRates, *, source: Source, keep_old: bool = False
    ) -> WriteResult:
        """Merges one download into a series.

        Bars that differ from stored ones are restated: those obtained later stand (the incoming ones at equal
        times), with `keep_old` the stored ones; the other values go to the log of restatements.
        """
        if not len(data):
            raise DataError(f"{key}: no rows in {source.name}; expected candles or funding rates")
        folder = self.folder_of(key)
        former = self.drafts.get(key) or folder.info()
        incoming = columns_of(data)
        times = times_of(incoming)
        source = evolve(source, rows=len(data), first_ms=int(times[0]), last_ms=int(times[-1]))
        sources = (*(former.sources if former else ()), source)
        merged = _merged(folder, former, incoming, sources, keep_old)
        if (
            former is not None
            and not merged.has_changed
            and source.sha256 in (s.sha256 for s in former.sources)
        ):
            return _result(former, merged)
        info = _next_info(key, former, merged, sources)
        columns = {**merged.columns, SOURCE_COLUMN: merged.source}
        log = log_lines(merged.restated, source.imported_at_ms, source.name)
        folder.write_version(info, columns, log, former)
        if key in self.drafts:
            folder.discard(self.drafts[key].version)
        self.drafts[key] = info
        return _result(info, merged)

    def publish(self) -> None:
        """Makes every draft visible."""
        for key, info in self.drafts.items():
            self.folder_of(key).publish(info)

    def discard(self) -> None:
        """Removes every draft that was not published."""
        for key, info in self.drafts.items():
            folder = self.folder_of(key)
            published = folder.info()
            if published is None or published.version != info.version:
                folder.discard(info.version)


def _merged(
    folder: SeriesFolder,
    former: SeriesInfo | None,
    incoming: dict[str, Column],
    sources: tuple[Source, ...],
    keep_old: bool,
) -> Merged:
    if former is None:
        return first_merge(incoming)
    obtained = [source.obtained_at_ms for source in sources]
    return merge(folder.columns(former), folder.source_column(former), incoming, obtained, keep_old=keep_old)


def _next_info(
    key: SeriesKey, former: SeriesInfo | None, merged: Merged, sources: tuple[Source, ...]
) -> SeriesInfo:
    times = times_of(merged.columns)
    return SeriesInfo(
        key=key,
        rows=len(times),
        first_ms=int(times[0]),
        last_ms=int(times[-1]),
        checksum=checksum_columns(merged.columns),
        imported_at_ms=sources[-1].imported_at_ms,
        restated=(former.restated if former else 0) + len(merged.restated),
        sources=sources,
        version=former.version + 1 if former else 1,
    )


def _result(info: SeriesInfo, merged: Merged) -> WriteResult:
    restated = merged.restated
    return WriteResult(info, merged.added, len(restated), merged.replaced, restated[:SHOWN_BARS])
