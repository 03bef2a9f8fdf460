"""One file as one checked series: what it holds is told by options, name and content together."""

from pathlib import Path

from attrs import frozen

from traderagent_core.data.columns import candles_of, file_sha256, funding_of
from traderagent_core.data.csv_reading import read_csv
from traderagent_core.data.data_files import is_other_kind
from traderagent_core.data.funding import FundingRates
from traderagent_core.data.names import (
    DEFAULT_MARKET,
    FUNDING,
    UNKNOWN_EXCHANGE,
    NameHints,
    SeriesKey,
    hints_from_name,
    require_kind,
)
from traderagent_core.data.parquet_reading import read_parquet
from traderagent_core.data.quality import QualityReport, infer_timeframe, inspect_series, mended, require_step
from traderagent_core.data.raw import RawSeries
from traderagent_core.errors import DataError
from traderagent_core.model.candle import Candles


class SymbolUnknownError(DataError):
    """Neither options nor the file tell a symbol."""


@frozen(eq=False)
class FileSeries:
    """A file's series, in order of time and without identical duplicates, with what was found on the way."""

    path: Path
    sha256: str
    key: SeriesKey
    data: Candles | FundingRates
    report: QualityReport
    notes: tuple[str, ...]


@frozen(eq=False)
class InspectedFile:
    """A file as it stands: whose series it is and what is wrong with it."""

    raw: RawSeries
    key: SeriesKey
    report: QualityReport
    notes: tuple[str, ...]


def read_series(path: Path, told: NameHints | None = None) -> FileSeries:
    """Reads a file that may be used. `told` are options; they complete the name, and say the kind against it.

    Raises DataError (file, line, what was expected and found, remedy) for what must not be guessed or repaired.
    """
    file = inspect_file(path, told)
    file.report.require_sound()
    columns = mended(file.raw.columns)
    key = file.key
    data = (
        funding_of(columns, key.symbol) if key.is_funding else candles_of(columns, key.symbol, key.timeframe)
    )
    return FileSeries(path, file_sha256(path), key, data, file.report, file.notes)


def inspect_file(path: Path, told: NameHints | None = None) -> InspectedFile:
    """Reads a file and reports on its quality. Raises DataError only when it cannot be read as a series at all."""
    told = told or NameHints()
    named = hints_from_name(path)
    if told.kind is None and is_other_kind(named):
        raise DataError(
            f"{path}: holds {named.kind} by its name; expected candles or funding rates; leave it out"
        )
    hints = told.or_else(named)
    read = read_parquet if path.suffix.lower() == ".parquet" else read_csv
    raw = read(path, hints)
    kind = _kind(raw, hints, str(path))
    key = SeriesKey(
        exchange=hints.exchange or raw.found.exchange or UNKNOWN_EXCHANGE,
        market=hints.market or DEFAULT_MARKET,
        symbol=_symbol(raw, told, named, str(path)),
        kind=kind,
    )
    if not key.is_funding:
        require_step(raw.time_ms, key.timeframe, str(path))
    report = inspect_series(raw.columns, timeframe=key.timeframe, name=str(path), place=raw.place)
    return InspectedFile(raw, key, report, (*raw.notes, *_assumptions(key, hints, raw)))


def _kind(raw: RawSeries, hints: NameHints, name: str) -> str:
    if raw.is_funding:
        if hints.kind not in (None, FUNDING):
            raise DataError(
                f"{name}: holds funding rates, but {hints.kind} candles were expected; "
                "rename the file, or say --timeframe funding"
            )
        return FUNDING
    if hints.kind == FUNDING:
        raise DataError(
            f"{name}: holds candles, but funding rates were expected; rename the file or say --timeframe 1h"
        )
    return infer_timeframe(raw.time_ms, name) if hints.kind is None else require_kind(hints.kind)


def _symbol(raw: RawSeries, told: NameHints, named: NameHints, name: str) -> str:
    origins = {
        "the option --symbol": told.symbol,
        "its name": named.symbol,
        "its symbol column": raw.found.symbol,
    }
    known = {origin: symbol for origin, symbol in origins.items() if symbol}
    if not known:
        raise SymbolUnknownError(
            f"{name}: neither name nor content tells the symbol; expected one; say it, such as --symbol BTC/USDT"
        )
    if len(set(known.values())) > 1:
        found = ", ".join(f"{origin} says {symbol}" for origin, symbol in known.items())
        raise DataError(
            f"{name}: the symbol is contradictory: {found}; expected one; rename the file or mend the option"
        )
    return next(iter(known.values()))


def _assumptions(key: SeriesKey, hints: NameHints, raw: RawSeries) -> list[str]:
    """What neither options nor name told, so that nobody is surprised by it later."""
    notes = []
    if hints.exchange is None:
        notes.append(f"exchange taken as {key.exchange!r}; say --exchange if it is another")
    if hints.market is None:
        notes.append(f"market taken as {key.market!r}; say --market if it is another")
    if hints.kind is None and not raw.is_funding:
        notes.append(f"timeframe {key.kind} told by the most common step")
    return notes
