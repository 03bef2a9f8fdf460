"""What a series is called, and what the name of a file tells about it."""

import re
from itertools import pairwise
from pathlib import Path

from attrs import frozen

from traderagent_core.errors import DataError
from traderagent_core.model.timeframe import timeframe_ms

DATA_SUFFIXES = (".csv", ".csv.gz", ".parquet")
UNKNOWN_EXCHANGE = "unknown"
DEFAULT_MARKET = "spot"
FUNDING = "funding"

# Longest first, so that BTCBUSD is BTC/BUSD and not BTCB/USD.
_QUOTES = ["FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "GBP", "DAI", "TRY", "BRL", "JPY"]
_QUOTES += ["BTC", "ETH", "BNB"]
_EXCHANGES = """
    binance bybit okx kraken kucoin gateio bitget mexc huobi htx coinbase bitfinex bitstamp gemini poloniex ftx
    deribit bitmex hyperliquid cryptocom
""".split()  # noqa: SIM905
_MARKETS = {
    "spot": "spot",
    "linear": "linear",
    "inverse": "inverse",
    "futures": "linear",
    "perp": "linear",
    "um": "linear",
}
_TIMEFRAME_WORDS = {"minute": "1m", "hour": "1h", "hourly": "1h", "day": "1d", "daily": "1d", "d": "1d"}
_OWN_NAME = re.compile(r"^([a-z0-9]+)_([a-z]+)_([^_\s/-]+)-([^_\s/-]+)_([a-z0-9-]+?)(?:_\d{8}(?:-\d{8})?)?$")
_TIMEFRAME = re.compile(r"^[1-9]\d{0,3}[mhdw]$")
_LONG_TIMEFRAME = re.compile(r"^([1-9]\d{0,3})(min|hour|day)s?$", re.IGNORECASE)
_SAFE = re.compile(r"^[a-z0-9][a-z0-9_-]*$")
_SYMBOL = re.compile(r"^[^\W_]+/[^\W_]+$")


@frozen(order=True)
class SeriesKey:
    """Which series: exchange (`binance`), market (`spot`), symbol (`BTC/USDT`), kind (`1h`, `mark-1h`, `funding`)."""

    exchange: str
    market: str
    symbol: str
    kind: str

    def __attrs_post_init__(self) -> None:
        for what, value in (("exchange", self.exchange), ("market", self.market)):
            if not _SAFE.match(value):
                raise DataError(
                    f"{what} {value!r} is not understood; expected lower-case letters, such as bybit"
                )
        require_symbol(self.symbol)
        require_kind(self.kind)

    @property
    def is_funding(self) -> bool:
        """Whether the series holds funding rates instead of candles."""
        return self.kind == FUNDING

    @property
    def is_mark(self) -> bool:
        """Whether the candles are of the mark price."""
        return self.kind.startswith("mark-")

    @property
    def timeframe(self) -> str:
        """Timeframe of the candles, `1h` for `mark-1h`; empty for funding."""
        return "" if self.is_funding else self.kind.removeprefix("mark-")

    def __str__(self) -> str:
        return f"{self.exchange} {self.market} {self.symbol} {self.kind}"


@frozen
class NameHints:
    """What is known about a series before its file is read; None where nothing is."""

    exchange: str | None = None
    market: str | None = None
    symbol: str | None = None
    kind: str | None = None

    def or_else(self, other: "NameHints") -> "NameHints":
        """These hints, completed by others."""
        return NameHints(
            self.exchange or other.exchange,
            self.market or other.market,
            self.symbol or other.symbol,
            self.kind or other.kind,
        )


def require_symbol(symbol: str) -> str:
    """The symbol itself; raises DataError unless it is written BASE/QUOTE."""
    if not _SYMBOL.match(symbol):
        raise DataError(f"symbol {symbol!r} is not understood; expected BASE/QUOTE, such as BTC/USDT")
    return symbol


def require_kind(kind: str) -> str:
    """The kind itself; raises DataError unless it is a timeframe, `mark-` with a timeframe, or `funding`."""
    if kind != FUNDING:
        timeframe_ms(kind.removeprefix("mark-"))
    return kind


def is_kind(text: str) -> bool:
    """Whether a text names a kind of series."""
    return text == FUNDING or bool(_TIMEFRAME.match(text.removeprefix("mark-")))


def split_symbol(text: str) -> str | None:
    """`BTCUSDT`, `btc-usdt` or `BTC/USDT` as BASE/QUOTE; None when the quote currency is not a known one."""
    joined = text.strip().strip('"').upper()
    for separator in "/-_":
        base, found, quote = joined.partition(separator)
        if found:
            return f"{base}/{quote}" if base.isalnum() and quote in _QUOTES else None
    for quote in () if joined in _QUOTES else _QUOTES:
        base = joined.removesuffix(quote)
        if base != joined and len(base) >= 2 and base.isalnum():
            return f"{base}/{quote}"
    return None


def stem_of(path: Path) -> str:
    """File name without the suffixes of data files: twins (`x.csv.gz`, `x.parquet`) share their stem."""
    name = path.name
    for suffix in (".gz", ".csv", ".tsv", ".txt", ".parquet"):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    return name


def is_data_file(path: Path) -> bool:
    """Whether the suffix is one that a folder is searched for."""
    return path.name.lower().endswith(DATA_SUFFIXES)


def hints_from_name(path: Path) -> NameHints:
    """Reads `exchange_market_BASE-QUOTE_kind_from-to`, or the usual words of other sources' file names."""
    stem = stem_of(path)
    own = _OWN_NAME.match(stem)
    if own is not None:
        return NameHints(own[1], own[2], f"{own[3]}/{own[4]}", own[5])
    words = re.split(r"[-_ .]+", stem)
    return NameHints(
        exchange=next((word.lower() for word in words if word.lower() in _EXCHANGES), None),
        market=next((_MARKETS[word.lower()] for word in words if word.lower() in _MARKETS), None),
        symbol=_symbol_among(words),
        kind=_kind_among(words),
    )


def _symbol_among(words: list[str]) -> str | None:
    candidates = [*words, *(f"{base}/{quote}" for base, quote in pairwise(words))]
    return next((symbol for symbol in map(split_symbol, candidates) if symbol), None)


def _kind_among(words: list[str]) -> str | None:
    for word in words:
        if _TIMEFRAME.match(word):
            return word
        if word.lower() in _TIMEFRAME_WORDS:
            return _TIMEFRAME_WORDS[word.lower()]
        long = _LONG_TIMEFRAME.match(word)
        if long is not None:
            return f"{long[1]}{long[2][0].lower()}"
    return None
