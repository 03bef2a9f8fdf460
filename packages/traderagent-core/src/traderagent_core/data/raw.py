"""A series as a file holds it: rows in file order, nothing mended yet."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from traderagent_core.data.columns import Column, times_of
from traderagent_core.data.names import NameHints


@frozen(eq=False)
class RawSeries:
    """Columns as read, times first. `found` is what the content itself told; `notes` are for the user."""

    path: Path
    columns: dict[str, Column]
    is_funding: bool
    place: Callable[[int], str]
    found: NameHints = field(factory=NameHints)
    notes: list[str] = field(factory=list)

    @property
    def time_ms(self) -> NDArray[np.int64]:
        """Times in file order."""
        return times_of(self.columns)

    def __len__(self) -> int:
        return len(self.time_ms)
