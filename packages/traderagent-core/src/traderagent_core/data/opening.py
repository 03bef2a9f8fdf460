"""The places that data for a run come from: a catalogue, one file, or a folder whose files are read when needed."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
from attrs import frozen

from traderagent_core.data.catalogue import MARKER, Catalogue
from traderagent_core.data.choosing import Offer
from traderagent_core.data.columns import Columns, candles_of, columns_of, funding_of, times_of
from traderagent_core.data.data_files import find_data_files, readable
from traderagent_core.data.funding import FundingRates
from traderagent_core.data.merging import merge
from traderagent_core.data.names import NameHints, SeriesKey, hints_from_name, stem_of
from traderagent_core.data.quality_checks import Severity
from traderagent_core.data.series_reading import FileSeries, SymbolUnknownError, read_series
from traderagent_core.data.times import iso
from traderagent_core.errors import DataError
from traderagent_core.model.candle import Candles
from traderagent_core.model.timeframe import DAY_MS, MINUTE_MS, timeframe_ms

Series = Candles | FundingRates
_DATES = re.compile(r"_(\d{8})-(\d{8})$")


@frozen(eq=False)
class Opened:
    """One series as read: its columns, name and SHA-256 of its files, and notes for the user."""

    series: Series
    files: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()


@frozen(eq=False)
class Place:
    """Where data come from: what is offered, how an offer is read, and which other symbols are there."""

    name: str
    offers: tuple[Offer, ...]
    read: Callable[[SeriesKey], Opened]
    other_symbols: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def open_place(data: Path | Catalogue | None, symbols: Sequence[str]) -> Place:
    """Opens a catalogue (None: the default one), a folder or a file. Raises DataError when there is no data."""
    if data is None or isinstance(data, Catalogue):
        return _open_catalogue(data or Catalogue())
    if (data / MARKER).is_file():
        return _open_catalogue(Catalogue(data))
    found = find_data_files([data])
    if data.is_dir():
        return _open_folder(str(data), readable(found.files), symbols)
    return _open_file(data, symbols)


def _open_catalogue(catalogue: Catalogue) -> Place:
    known = {info.key: info for info in catalogue.series()}
    if not known:
        raise DataError(
            f"no data: the catalogue {catalogue.root} is empty; fill it with `traderagent data import PATH`, "
            "or name a file or folder with --data"
        )

    def read(key: SeriesKey) -> Opened:
        info = known[key]
        series = series_of(catalogue.columns(info), key)
        return Opened(series, tuple((source.name, source.sha256) for source in info.sources))

    offers = tuple(Offer(info.key, info.first_ms, info.last_ms) for info in known.values())
    return Place(str(catalogue.root), offers, read)


def _open_file(path: Path, symbols: Sequence[str]) -> Place:
    """When nothing in a file tells its symbol and one is wanted, it is taken to be that one."""
    notes: tuple[str, ...] = ()
    try:
        series = read_series(path)
    except SymbolUnknownError:
        if len(symbols) != 1:
            raise
        series = read_series(path, NameHints(symbol=symbols[0]))
        notes = (f"{path}: taken to be {symbols[0]}, as nothing in it tells",)
    return Place(str(path), (_offer_of(series),), lambda _: _opened([series]), notes=notes)


def _open_folder(name: str, files: Sequence[Path], symbols: Sequence[str]) -> Place:
    """Files named after other symbols are not read; nor are those whose names tell all, until they are needed."""
    shelf: dict[SeriesKey, list[Path | FileSeries]] = {}
    spans: dict[SeriesKey, Offer] = {}
    others: set[str] = set()
    notes: list[str] = []
    for path in files:
        hints = hints_from_name(path)
        if hints.symbol is not None and hints.symbol not in symbols:
            others.add(hints.symbol)
            continue
        offer = _offer_by_name(path, hints)
        item: Path | FileSeries = path
        if offer is None:
            try:
                item = read_series(path)
            except SymbolUnknownError as error:
                notes.append(f"left out: {error}")
                continue
            offer = _offer_of(item)
        shelf.setdefault(offer.key, []).append(item)
        spans[offer.key] = _widened(spans.get(offer.key, offer), offer)

    def read(key: SeriesKey) -> Opened:
        told = NameHints(kind=key.kind)
        return _opened([read_series(item, told) if isinstance(item, Path) else item for item in shelf[key]])

    return Place(name, tuple(spans.values()), read, tuple(sorted(others)), tuple(notes))


def _offer_by_name(path: Path, hints: NameHints) -> Offer | None:
    """What a name of our own pattern tells; None when the file must be read to know."""
    dates = _DATES.search(stem_of(path))
    if dates is None or not (hints.exchange and hints.market and hints.symbol and hints.kind):
        return None
    try:
        first, last = (datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC) for text in dates.groups())
    except ValueError:
        return None
    key = SeriesKey(hints.exchange, hints.market, hints.symbol, hints.kind)
    step = timeframe_ms(key.timeframe) if key.timeframe else MINUTE_MS
    last_ms = int(last.timestamp() * 1000) + max(DAY_MS - step, 0)
    return Offer(key, int(first.timestamp() * 1000), last_ms)


def _offer_of(series: FileSeries) -> Offer:
    return Offer(series.key, series.report.first_ms, series.report.last_ms)


def _widened(one: Offer, other: Offer) -> Offer:
    return Offer(one.key, min(one.first_ms, other.first_ms), max(one.last_ms, other.last_ms))


def _opened(parts: list[FileSeries]) -> Opened:
    parts = sorted(parts, key=lambda part: (part.report.first_ms, part.path.name))
    notes = [note for part in parts for note in part.notes]
    notes += [str(finding) for part in parts for finding in part.report.of(Severity.REPAIRED)]
    return Opened(_joined(parts), tuple((part.path.name, part.sha256) for part in parts), tuple(notes))


def _joined(parts: list[FileSeries]) -> Series:
    if len(parts) == 1:
        return parts[0].data
    columns = [columns_of(part.data) for part in parts]
    ends = [(int(times_of(each)[0]), int(times_of(each)[-1])) for each in columns]
    if all(before[1] < after[0] for before, after in pairwise(ends)):
        joined: Columns = {name: np.concatenate([each[name] for each in columns]) for name in columns[0]}
        return series_of(joined, parts[0].key)
    joined = columns[0]
    for part, each in zip(parts[1:], columns[1:], strict=True):
        joined = _overlapped(joined, each, part)
    return series_of(joined, parts[0].key)


def _overlapped(joined: Columns, added: Columns, part: FileSeries) -> Columns:
    merged = merge(joined, np.zeros(len(times_of(joined)), dtype=np.int32), added, [0, 0], keep_old=True)
    if merged.restated:
        bar = merged.restated[0]
        raise DataError(
            f"{part.path}: differs from another file of {part.key} at {iso(bar.time_ms)} "
            f"({len(merged.restated)} such bars): {bar.new}, not {bar.old}; files do not tell which is newer; "
            "import them into a catalogue, or remove one"
        )
    return merged.columns


def series_of(columns: Columns, key: SeriesKey) -> Series:
    """Columns as the kind of series that they are."""
    return (
        funding_of(columns, key.symbol) if key.is_funding else candles_of(columns, key.symbol, key.timeframe)
    )
