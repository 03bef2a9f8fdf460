"""Reads Parquet files when pyarrow, an optional extra, is installed."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traderagent_core.data.columns import Column
from traderagent_core.data.csv_layouts import Layout, layout_of_header
from traderagent_core.data.names import NameHints, split_symbol
from traderagent_core.data.raw import RawSeries
from traderagent_core.data.times import Place, epoch_to_ms, text_to_ms
from traderagent_core.errors import DataError

_EXTRA = "traderagent-core[parquet]"


def has_parquet() -> bool:
    """Whether pyarrow is installed."""
    return find_spec("pyarrow") is not None


def require_parquet(path: Path) -> None:
    """Raises DataError naming the extra when pyarrow is missing."""
    if not has_parquet():
        raise DataError(
            f"{path}: reading Parquet needs an extra that is not installed: pip install '{_EXTRA}'"
        )


def read_parquet(path: Path, hints: NameHints) -> RawSeries:
    """Reads a Parquet file with the column names that a CSV header may have. Raises DataError."""
    require_parquet(path)
    table = _table(path)
    if table.num_rows == 0:
        raise DataError(f"{path}: no rows; expected candles; download it again")
    first_row = [str(_plain(column[0].as_py())) for column in table.columns]
    layout = layout_of_header(table.column_names, first_row, hints, str(path))

    def place(row: int) -> str:
        return f"{path}: row {row + 1}"

    notes = list(layout.notes)
    times = _times(table.column(layout.fields["time"]), place, notes)
    columns: dict[str, Column] = {"time_ms" if layout.is_funding else "open_time": times}
    for name, index in layout.fields.items():
        if name != "time":
            columns[name] = _floats(table.column(index), name, path)
    found = NameHints(exchange=layout.exchange, symbol=_symbol_in(table, layout, path))
    return RawSeries(path, columns, layout.is_funding, place, found, notes)


def _table(path: Path) -> Any:
    pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")

    try:
        return pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read as Parquet ({reason}); download the file again") from error


def _plain(value: Any) -> Any:
    return value.timestamp() * 1000 if hasattr(value, "timestamp") else value


def _times(column: Any, place: Place, notes: list[str]) -> NDArray[np.int64]:
    pa = import_module("pyarrow")

    if column.null_count:
        row = column.is_null().to_pylist().index(True)
        raise DataError(f"{place(row)}: no time; expected one in every row; mend the file")
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64()).to_numpy()  # type: ignore[no-any-return]
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        kind = pa.int64() if pa.types.is_integer(column.type) else pa.float64()
        return epoch_to_ms(column.cast(kind).to_numpy(), place)
    return text_to_ms(column.to_pylist(), place, notes)


def _floats(column: Any, name: str, path: Path) -> NDArray[np.float64]:
    pa = import_module("pyarrow")

    try:
        return column.cast(pa.float64()).to_numpy()  # type: ignore[no-any-return]
    except pa.ArrowException as error:
        raise DataError(
            f"{path}: column {name} is {column.type}; expected numbers ({error}); mend the file"
        ) from error


def _symbol_in(table: Any, layout: Layout, path: Path) -> str | None:
    if layout.symbol is None:
        return None
    symbols = [str(name) for name in table.column(layout.symbol).unique().to_pylist()]
    if len(symbols) > 1:
        raise DataError(
            f"{path}: several symbols in one file ({', '.join(symbols[:4])}); expected one; split it by symbol"
        )
    return split_symbol(symbols[0])
