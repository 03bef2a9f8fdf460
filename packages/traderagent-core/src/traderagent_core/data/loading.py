"""Data for a run: from a file, a folder of files or a catalogue, the finest that fits, each with its checksum."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from attrs import evolve, frozen

from traderagent_core.data.catalogue import Catalogue
from traderagent_core.data.choosing import Offer, Wish, choose_offer
from traderagent_core.data.columns import checksum, columns_of, times_of
from traderagent_core.data.funding import FundingRates
from traderagent_core.data.names import FUNDING, SeriesKey, require_symbol
from traderagent_core.data.opening import Place, open_place, series_of
from traderagent_core.data.times import iso
from traderagent_core.errors import DataError
from traderagent_core.model.candle import Candles
from traderagent_core.model.position_side import pair_of
from traderagent_core.model.timeframe import DAY_MS

Series = TypeVar("Series", Candles, FundingRates)


@frozen
class SourceDescription:
    """One series as a run uses it, for its manifest.

    Times are ms UTC, those of the first and last row used; `checksum` is that of the rows used; `files` are name and
    SHA-256 of every file the series was made of.
    """

    symbol: str
    exchange: str
    market: str
    kind: str
    rows: int
    first_ms: int
    last_ms: int
    checksum: str
    files: tuple[tuple[str, str], ...]


@frozen(eq=False)
class LoadedData:
    """Base candles by symbol (the finest found), funding where there is any, where all came from, and notes."""

    candles: dict[str, Candles]
    funding: dict[str, FundingRates]
    sources: tuple[SourceDescription, ...]
    notes: tuple[str, ...]

    def differing_periods(self, start_ms: int | None) -> str | None:
        """A note where some symbols have candles of other days than others; None where all begin and end together."""
        spans = {
            symbol: (
                max(int(series.open_time[0]), start_ms or 0) // DAY_MS,
                int(series.open_time[-1]) // DAY_MS,
            )
            for symbol, series in self.candles.items()
        }
        found: dict[tuple[int, int], list[str]] = {}
        for symbol, span in spans.items():
            found.setdefault(span, []).append(symbol)
        if len(found) < 2:
            return None
        told = "; ".join(
            f"{', '.join(symbols)} {iso(first * DAY_MS)[:10]} to {iso(last * DAY_MS)[:10]}"
            for (first, last), symbols in sorted(found.items())
        )
        return (
            f"not all symbols have candles of the same days: {told}; a period that all have (--from, --to) makes "
            "them comparable, and chooses candles that cover it"
        )

    @classmethod
    def joined(cls, parts: Sequence["LoadedData"]) -> "LoadedData":
        """Data of several symbols, each loaded by itself; what is noted of several is noted once."""
        return cls(
            {symbol: series for part in parts for symbol, series in part.candles.items()},
            {symbol: series for part in parts for symbol, series in part.funding.items()},
            tuple(dict.fromkeys(source for part in parts for source in part.sources)),
            tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        )


def load_for_backtest(
    data: Path | Catalogue | None,
    symbols: Sequence[str],
    timeframe: str,
    start_ms: int | None = None,
    end_ms: int | None = None,
    *,
    exchange: str | None = None,
    market: str | None = None,
    prefer: tuple[str, str] | None = None,
    with_earlier: bool = False,
) -> LoadedData:
    """Candles of each symbol with start <= open_time < end, of the finest timeframe that divides `timeframe`.

    `with_earlier` keeps the candles before the start too, for indicators to warm up on.

    `data` is a file, a folder of files (twins count once), a catalogue, or None for the default catalogue.
    `exchange` and `market` restrict what may be used; `prefer` (exchange, market) only settles which of several is
    meant. Of several timeframes the finest is used that covers the period asked for; if none does, the finest of
    those that cover most of it. Funding comes from the exchange and market of the candles, the settlement at the very
    end included.
    Raises DataError naming what is there when a symbol is missing, too coarse, outside the period, or ambiguous; with
    file and line when a file that is needed is broken; and with the extra when only that is missing.
    """
    wanted = [require_symbol(pair) for pair in dict.fromkeys(map(pair_of, symbols))]
    place = open_place(data, wanted)
    loaded = LoadedData({}, {}, (), place.notes)
    for symbol in wanted:
        wish = Wish(symbol, timeframe, start_ms, end_ms, exchange, market)
        choice = choose_offer(place.offers, wish, prefer=prefer, place=place.name, others=place.other_symbols)
        loaded = _with_notes(loaded, choice.notes)
        kept = Wish(symbol, timeframe, None, end_ms) if with_earlier else wish
        loaded = _with_series(loaded, place, choice.offer.key, kept)
        if symbol not in loaded.candles:
            raise DataError(
                f"no candles of {choice.offer} in the period asked for; choose another, or import more"
            )
        loaded = _with_funding(loaded, place, choice.offer, kept)
    return evolve(loaded, candles=_named(symbols, loaded.candles), funding=_named(symbols, loaded.funding))


def _named(symbols: Sequence[str], found: Mapping[str, Series]) -> dict[str, Series]:
    """The series of each symbol; the two positions of a pair in hedge mode have the same one, under their names."""
    of_pair = {symbol: found[pair_of(symbol)] for symbol in symbols if pair_of(symbol) in found}
    return {symbol: evolve(series, symbol=symbol) for symbol, series in of_pair.items()}


def _with_funding(loaded: LoadedData, place: Place, candles: Offer, wish: Wish) -> LoadedData:
    key = SeriesKey(candles.key.exchange, candles.key.market, candles.key.symbol, FUNDING)
    is_there = any(offer.key == key for offer in place.offers)
    # The last candle closes at the end: a settlement at that time is part of the period.
    until = None if wish.end_ms is None else wish.end_ms + 1
    wish = Wish(wish.symbol, wish.timeframe, wish.start_ms, until)
    return _with_series(loaded, place, key, wish) if is_there else loaded


def _with_series(loaded: LoadedData, place: Place, key: SeriesKey, wish: Wish) -> LoadedData:
    """What is loaded so far and the part of one more series that lies in the period, if any does."""
    opened = place.read(key)
    part = opened.series.between(wish.start_ms, wish.end_ms)
    if not len(part):
        return loaded
    if len(part) < len(opened.series):  # A slice would keep the whole file in memory.
        part = series_of({name: column.copy() for name, column in columns_of(part).items()}, key)
    times = times_of(columns_of(part))
    source = SourceDescription(
        symbol=key.symbol,
        exchange=key.exchange,
        market=key.market,
        kind=key.kind,
        rows=len(part),
        first_ms=int(times[0]),
        last_ms=int(times[-1]),
        checksum=checksum(part),
        files=opened.files,
    )
    if isinstance(part, Candles):
        loaded.candles[key.symbol] = part
    else:
        loaded.funding[key.symbol] = part
    return LoadedData(
        loaded.candles, loaded.funding, (*loaded.sources, source), (*loaded.notes, *opened.notes)
    )


def _with_notes(loaded: LoadedData, notes: Iterable[str]) -> LoadedData:
    return LoadedData(loaded.candles, loaded.funding, loaded.sources, (*loaded.notes, *notes))
