"""Reads CSV files exactly: every price is the double nearest to its decimal text."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traderagent_core.data.columns import Column
from traderagent_core.data.csv_layouts import Layout, layout_of_header, layout_without_header
from traderagent_core.data.csv_text import CsvText, read_csv_text
from traderagent_core.data.names import NameHints, split_symbol
from traderagent_core.data.raw import RawSeries
from traderagent_core.data.times import epoch_to_ms, text_to_ms
from traderagent_core.errors import DataError

_MISSING = ("", "NaN", "nan", "NA", "N/A", "null", "NULL", "None")


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
    frame = _parse(text, layout)
    notes = list(layout.notes)
    columns: dict[str, Column] = {
        "time_ms" if layout.is_funding else "open_time": _times(frame, text, layout, notes)
    }
    columns |= {name: frame[index].to_numpy() for name, index in layout.fields.items() if name != "time"}
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


def _parse(text: CsvText, layout: Layout) -> Any:
    import pandas as pd

    times = layout.fields["time"]
    types: dict[Any, Any] = dict.fromkeys(layout.fields.values(), np.float64)
    types[times] = _type_of_time(text.first_row[times])
    if layout.symbol is not None:
        types[layout.symbol] = "category"
    missing: dict[Any, Any] = {index: _MISSING for index in layout.fields.values() if index != times}
    try:
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
    if text.removeprefix("-").isdigit():
        return np.int64
    return np.float64 if _number(text) is not None else str


def _times(frame: Any, text: CsvText, layout: Layout, notes: list[str]) -> NDArray[np.int64]:
    column = frame[layout.fields["time"]]
    if column.dtype.kind in "if":
        return epoch_to_ms(column.to_numpy(), text.place)
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
    """Finds the first field that is no number and raises DataError for its line."""
    time_is_text = _type_of_time(text.first_row[layout.fields["time"]]) is str
    for row, fields in enumerate(text.rows()):
        for name, index in layout.fields.items():
            if name == "time" and time_is_text:
                continue
            found = fields[index] if index < len(fields) else ""
            if _number(found) is None and (name == "time" or found not in _MISSING):
                raise DataError(
                    f"{text.place(row)}: {name} is {found!r}; expected a number; {_remedy(name, found)}"
                )


def _remedy(name: str, found: str) -> str:
    if "," in found and name != "time":
        return "write decimals with a point, not a comma, and no separators of thousands"
    if name == "time":
        return "write all times in the way of the first row"
    return "mend the line or download the file again"


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None
