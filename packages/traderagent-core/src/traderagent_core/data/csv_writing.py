"""Writes candles as CSV, in the layout that the importer reads by name."""

import gzip
import io
from pathlib import Path

from traderagent_core.data.columns import columns_of
from traderagent_core.errors import DataError
from traderagent_core.model.candle import Candles


def write_csv(candles: Candles, path: Path) -> None:
    """Writes `.csv` or `.csv.gz`; each number is the shortest text that reads back to the same double.

    The same candles give the same bytes. The file appears when it is complete. Raises DataError when it cannot be
    written.
    """
    import pandas as pd

    columns = columns_of(candles)
    columns = {"timestamp": columns.pop("open_time"), **columns}
    text = io.StringIO()
    pd.DataFrame(columns).to_csv(text, index=False, lineterminator="\n")
    raw = text.getvalue().encode("ascii")
    if path.suffix == ".gz":
        raw = gzip.compress(raw, compresslevel=6, mtime=0)
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_bytes(raw)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        reason = error.strerror or error
        raise DataError(
            f"{path}: cannot be written ({reason}); expected a file in a folder that exists"
        ) from error
