"""Rows of a CSV file that hold nothing but numbers, as columns: by numpy, which a run has at hand anyway.

pandas, which reads everything else, costs half a second and some 90 MB before its first row. It is quicker per row,
so that large files are left to it.
"""

import io
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traderagent_core.data.csv_text import CsvText

LARGEST_BYTES = 20_000_000
"""About 350,000 rows: what takes numpy half a second longer than pandas."""
_PLAIN = b"0123456789+-.eE \t,;\r\n"
"""All that numbers and what stands between them are written with."""


def number_columns(text: CsvText, types: Mapping[int, Any]) -> Mapping[int, NDArray[Any]] | None:
    """The columns of some places, int64 or float64 as `types` says, each number the nearest to its text.

    None where a file is large, a type is another one, or a field no plain number: pandas may read it all the same.
    """
    if len(text.body) > LARGEST_BYTES or not set(types.values()) <= {np.int64, np.float64}:
        return None
    if text.body.translate(None, _PLAIN):
        return None
    places = sorted(types)
    fields = [(str(place), types[place]) for place in places]
    lines = io.TextIOWrapper(io.BytesIO(text.body), encoding="ascii", newline="\n")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "error"
            )  # A whole number that is written as another one is read with a warning.
            rows = np.loadtxt(
                lines, dtype=fields, delimiter=text.delimiter, comments=None, usecols=places, ndmin=1
            )
    except (ValueError, OverflowError, Warning):
        return None
    if len(rows) != text.body.count(b"\n") + 1:
        return None
    return {place: np.ascontiguousarray(rows[str(place)]) for place in places}
