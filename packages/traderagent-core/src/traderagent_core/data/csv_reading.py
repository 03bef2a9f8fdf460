"""Reads CSV files exactly: every price is the double nearest to its decimal text."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traderagent_core.data.columns import Column
from traderagent_core.data.csv_layouts import Layout, layout_of_header, layout_without_header
from traderagent_core.data.csv_numbers import number_columns
from traderagent_core.data.csv_text import CsvText, read_csv_text
from traderagent_core.data.names import NameHints, split_symbol
from traderagent_core.data.raw import RawSeries
from traderagent_core.data.times import epoch_to_ms, text_to_ms
from traderagent_core.errors import DataError

_MISSING = ("", "NaN", "nan", "NA", "N/A", "null", "NULL", "None")
_LONGEST_TIME = 40
_LONGEST_SHOWN = 60


def read_csv(path: Path, hints: NameHints) -> RawSeries:
    """Reads `.csv` or `.csv.gz` in any usual layout. Raises DataError with file, line and remedy.

    `hints` are what name and options tell; the symbol helps to find the volume in base units.
    """
    text = read_csv_text(path)
    header_place = f"{path}:{text.header_line}"
    if text.header is None:
        layout = layout_without_header(len(text.first_row), header_place)
    else:
        layout = layout_of_header(text.header, text.first_row, hints, header_place)
    _require_equal_rows(text, layout)
    types = _types(text, layout)
    numbers = number_columns(text, types)
    frame = _parse(text, layout, types) if numbers is None else numbers
    notes = list(layout.notes)
    columns: dict[str, Column] = {
        "time_ms" if layout.is_funding else "open_time": _times(frame, text, layout, notes)
    }
    columns |= {name: np.asarray(frame[index]) for name, index in layout.fields.items() if name != "time"}
    return RawSeries(
        path=path,
        columns=columns,
        is_funding=layout.is_funding,
        place=text.place,
        found=NameHints(exchange=layout.exchange, symbol=_symbol_in(frame, text, layout)),
        notes=notes,
    )


def _require_equal_rows(text: CsvText, layout: Layout) -> None:
    """Compares counts first, which costs milliseconds; looks for the line only when they differ."""
    rows = text.body.count(b"\n") + 1
    if b'"' not in text.body and text.body.count(text.delimiter.encode()) == rows * (layout.columns - 1):
        return
    for row, fields in enumerate(text.rows()):
        if len(fields) != layout.columns:
            raise DataError(
                f"{text.place(row)}: {len(fields)} columns where the first line has {layout.columns}; expected as "
                f"many in every line, between {text.delimiter!r}; is the line cut off, is another delimiter used, "
                "or are decimals written with a comma?"
            )


def _types(text: CsvText, layout: Layout) -> dict[int, Any]:
    """What the columns that are needed hold, by their places."""
    times = layout.fields["time"]
    types: dict[int, Any] = dict.fromkeys(layout.fields.values(), np.float64)
    types[times] = _type_of_time(text.first_row[times])
    if layout.symbol is not None:
        types[layout.symbol] = "category"
    return types


def _parse(text: CsvText, layout: Layout, types: dict[int, Any]) -> Any:
    import pandas as pd

    times = layout.fields["time"]
    missing: dict[Any, Any] = {index: _MISSING for index in layout.fields.values() if index != times}
    try:
        with np.errstate(
            invalid="ignore"
        ):  # a time that no int64 holds is told below, not warned of by numpy
            return pd.read_csv(
                io.BytesIO(text.body),
                sep=text.delimiter,
                header=None,
                usecols=sorted(types),
                dtype=types,
                skipinitialspace=True,
                keep_default_na=False,
                na_values=missing,
                **_exact_numbers(pd.__version__),
            )
    except (ValueError, OverflowError) as error:
        _raise_place_of_error(text, layout)
        raise DataError(
            f"{text.path}: cannot be read as CSV ({error}); expected rows of candles; mend them"
        ) from error


def _exact_numbers(pandas_version: str) -> Mapping[str, Any]:
    """Since 3.1 pandas always reads the nearest double and warns about the option; before, it must be asked to."""
    major, minor = (int(part) for part in pandas_version.split(".")[:2])
    return {} if (major, minor) >= (3, 1) else {"float_precision": "round_trip"}


def _type_of_time(text: str) -> Any:
    if text.isascii() and text.removeprefix("-").isdigit():
        return np.int64
    number = _number(text)
    return np.float64 if number is not None and np.isfinite(number) else str


def _times(frame: Any, text: CsvText, layout: Layout, notes: list[str]) -> NDArray[np.int64]:
    column = frame[layout.fields["time"]]
    if column.dtype.kind in "if":
        return epoch_to_ms(np.asarray(column), text.place)
    return text_to_ms(column, text.place, notes)


def _symbol_in(frame: Any, text: CsvText, layout: Layout) -> str | None:
    if layout.symbol is None:
        return None
    symbols = [str(name) for name in frame[layout.symbol].cat.categories]
    if len(symbols) > 1:
        raise DataError(
            f"{text.path}: several symbols in one file ({', '.join(symbols[:4])}); expected one; split it by symbol"
        )
    return split_symbol(symbols[0]) if symbols else None


def _raise_place_of_error(text: CsvText, layout: Layout) -> None:
    """Finds the first field that is no number, or a quote that is not closed, and raises DataError for its line."""
    type_of_time = _type_of_time(text.first_row[layout.fields["time"]])
    for row, fields in enumerate(text.rows()):
        for name, index in layout.fields.items():
            found = fields[index] if index < len(fields) else ""
            if not (_is_time(found, type_of_time) if name == "time" else _is_price(found)):
                what = "a whole number" if name == "time" and type_of_time is np.int64 else "a number"
                raise DataError(
                    f"{text.place(row)}: {name} is {_shown(found)}; expected {what}; {_remedy(name, found)}"
                )
    for row, line in enumerate(text.body.split(b"\n")):
        if line.count(b'"') % 2:
            raise DataError(
                f"{text.place(row)}: a quote that is not closed; expected pairs of quotes; close it"
            )


def _is_time(found: str, type_of_time: Any) -> bool:
    if type_of_time is np.int64:
        is_whole = found.isascii() and found.lstrip("+-").isdigit()
        return is_whole and -(2**63) <= int(found) < 2**63 if len(found) <= _LONGEST_TIME else False
    return type_of_time is str or _number(found) is not None


def _is_price(found: str) -> bool:
    return found in _MISSING or _number(found) is not None


def _shown(found: str) -> str:
    return repr(found if len(found) <= _LONGEST_SHOWN else f"{found[:_LONGEST_SHOWN]}…")


def _remedy(name: str, found: str) -> str:
    if "," in found and name != "time":
        return "write decimals with a point, not a comma, and no separators of thousands"
    if name == "time":
        return "write all times in the way of the first row"
    return "mend the line or download the file again"


def _number(text: str) -> float | None:
    try:
        return float(text) if text.isascii() and text.isprintable() and "_" not in text else None
    except ValueError:
        return None
