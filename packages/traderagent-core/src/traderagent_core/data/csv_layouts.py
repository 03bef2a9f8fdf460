"""Which column of a CSV or Parquet file means what: the spellings of exchanges and data sites."""

import re
from collections.abc import Sequence

from attrs import field, frozen

from traderagent_core.data.names import NameHints, split_symbol
from traderagent_core.errors import DataError

PRICES = ("open", "high", "low", "close")

# In order of trust: where a file has several, the earlier one is the open time.
_TIMES = """
    opentime opentimestamp opentimems opents opendate opendatetime starttime startat start begin candlebegintime
    unix unixtimestamp unixtime epoch timestamp timestampms timestamputc ts time timems timeutc
    fundingtime calctime datetime datetimeutc dateutc date
""".split()  # noqa: SIM905
_SPELLINGS: dict[str, tuple[str, ...]] = {
    "open": ("open", "o", "openprice"),
    "high": ("high", "h", "highprice"),
    "low": ("low", "l", "lowprice"),
    "close": ("close", "c", "closeprice"),
    "volume": ("volume", "vol", "v", "basevolume", "volumebase", "baseassetvolume"),
    "rate": ("fundingrate", "lastfundingrate", "rate"),
    "symbol": ("symbol", "pair", "ticker", "tic", "market"),
}
_QUOTE_VOLUMES = ("volumecurrency", "volumequote", "volumenotional")
_BINANCE_COLUMNS = 12
_HEADERLESS = {6: None, 7: None, _BINANCE_COLUMNS: "binance"}


@frozen
class Layout:
    """Positions of the columns that are read: `fields` maps `time`, `open` … `volume`, or `time`, `rate`."""

    columns: int
    fields: dict[str, int]
    symbol: int | None = None
    exchange: str | None = None
    notes: list[str] = field(factory=list)

    @property
    def is_funding(self) -> bool:
        """Whether the file holds funding rates."""
        return "rate" in self.fields


def layout_without_header(columns: int, place: str) -> Layout:
    """Time, open, high, low, close, volume, then what Bybit (7) or Binance (12 columns) append."""
    if columns not in _HEADERLESS:
        raise DataError(
            f"{place}: {columns} columns and no header; without one expected 6 (time, open, high, low, close, "
            "volume), 7 (Bybit) or 12 (Binance); write a header line that names the columns"
        )
    names = ("time", *PRICES, "volume")
    return Layout(columns, {name: index for index, name in enumerate(names)}, exchange=_HEADERLESS[columns])


def layout_of_header(header: Sequence[str], first_row: Sequence[str], hints: NameHints, place: str) -> Layout:
    """Finds each column by its name; `first_row` tells epoch times from dates.

    Raises DataError when a column is missing, or when two mean the same.
    """
    names = [_plain(name) for name in header]
    found = {what: _only(what, names, header, spellings, place) for what, spellings in _SPELLINGS.items()}
    symbol = hints.symbol
    if symbol is None and found["symbol"] is not None and found["symbol"] < len(first_row):
        symbol = split_symbol(first_row[found["symbol"]])
    notes: list[str] = []
    fields = {"time": _time_column(names, header, first_row, place, notes)}
    if found["rate"] is not None and all(found[price] is None for price in PRICES):
        fields["rate"] = found["rate"]
    else:
        if found["volume"] is None:
            found["volume"] = _volume_by_currency(names, header, symbol, notes)
        fields |= _candle_columns(found, header, place)
    exchange = "binance" if len(names) == _BINANCE_COLUMNS and "takerbuybaseassetvolume" in names else None
    return Layout(len(names), fields, found["symbol"], exchange, notes)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _only(
    what: str, names: list[str], header: Sequence[str], spellings: tuple[str, ...], place: str
) -> int | None:
    hits = [index for index, name in enumerate(names) if name in spellings]
    if what != "symbol" and len(hits) > 1:
        shown = " and ".join(repr(header[index]) for index in hits)
        raise DataError(
            f"{place}: the columns {shown} both mean {what}; expected one; remove or rename the other"
        )
    return hits[0] if hits else None


def _candle_columns(found: dict[str, int | None], header: Sequence[str], place: str) -> dict[str, int]:
    columns = {name: index for name in (*PRICES, "volume") if (index := found[name]) is not None}
    missing = [name for name in (*PRICES, "volume") if name not in columns]
    if missing:
        raise DataError(
            f"{place}: no column for {', '.join(missing)}; found {', '.join(header)}; "
            "expected a time, open, high, low, close, volume (or a time and funding_rate); name the columns so"
        )
    return columns


def _time_column(
    names: list[str], header: Sequence[str], first_row: Sequence[str], place: str, notes: list[str]
) -> int:
    hits = [index for spelling in _TIMES for index, name in enumerate(names) if name == spelling]
    epochs = [index for index in hits if index < len(first_row) and _is_epoch(first_row[index])]
    if not hits:
        raise DataError(
            f"{place}: no column of time; found {', '.join(header)}; expected timestamp, open_time, date or "
            "the like; name the column so"
        )
    chosen = (epochs or hits)[0]
    twins = [index for index in hits if names[index] == names[chosen]]
    if len(twins) > 1 or (not epochs and len(hits) > 1):
        shown = " and ".join(repr(header[index]) for index in (twins if len(twins) > 1 else hits))
        raise DataError(
            f"{place}: the columns {shown} both mean the time; expected one; remove or rename the other"
        )
    if len(hits) > 1:
        unread = ", ".join(repr(header[index]) for index in hits if index != chosen)
        notes.append(f"time read from column {header[chosen]!r}; {unread} not read")
    return chosen


def _volume_by_currency(
    names: list[str], header: Sequence[str], symbol: str | None, notes: list[str]
) -> int | None:
    """`Volume BTC` beside `Volume USDT`: the one in base units."""
    hits = [i for i, name in enumerate(names) if name.startswith("volume") and name not in _QUOTE_VOLUMES]
    base, _, quote = symbol.lower().partition("/") if symbol else ("", "", "")
    named = [i for i in hits if names[i] == f"volume{base}"]
    others = [i for i in hits if names[i] != f"volume{quote}"]
    chosen = named or others
    if len(chosen) != 1:
        return None
    notes.append(f"volume read from column {header[chosen[0]]!r}")
    return chosen[0]


def _is_epoch(text: str) -> bool:
    try:
        return float(text) >= 1e8
    except ValueError:
        return False
