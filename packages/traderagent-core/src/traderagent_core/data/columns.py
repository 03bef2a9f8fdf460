"""Series as named columns: what candles, mark prices and funding have in common, and their checksum."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traderagent_core.data.funding import FundingRates
from traderagent_core.model.candle import Candles

CANDLE_COLUMNS = ("open_time", "open", "high", "low", "close", "volume")
FUNDING_COLUMNS = ("time_ms", "rate")

Column = NDArray[Any]
Columns = Mapping[str, Column]
"""Equally long columns by name; the first one holds the times (int64 ms UTC), the others float64."""


def columns_of(series: Candles | FundingRates) -> dict[str, Column]:
    """The columns of a series, without copying."""
    names = CANDLE_COLUMNS if isinstance(series, Candles) else FUNDING_COLUMNS
    return {name: getattr(series, name) for name in names}


def candles_of(columns: Columns, symbol: str, timeframe: str) -> Candles:
    """Candles from columns, without copying."""
    return Candles(symbol, timeframe, *(columns[name] for name in CANDLE_COLUMNS))


def funding_of(columns: Columns, symbol: str) -> FundingRates:
    """Funding rates from columns, without copying."""
    return FundingRates(symbol, columns["time_ms"], columns["rate"])


def times_of(columns: Columns) -> NDArray[np.int64]:
    """The time column, which is always the first."""
    return next(iter(columns.values()))


def checksum(series: Candles | FundingRates) -> str:
    """SHA-256 (hex) of the columns one after another as little-endian 8-byte numbers, times first."""
    return checksum_columns(columns_of(series))


def checksum_columns(columns: Columns) -> str:
    """The checksum of bare columns; see `checksum`."""
    digest = hashlib.sha256()
    for column in columns.values():
        little = column.astype(column.dtype.newbyteorder("<"), copy=False)
        digest.update(np.ascontiguousarray(little).view(np.uint8).data)
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
