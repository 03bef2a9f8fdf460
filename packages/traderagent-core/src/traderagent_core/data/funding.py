"""Funding rates of one perpetual contract as columns."""

import numpy as np
from attrs import frozen
from numpy.typing import NDArray


@frozen(eq=False)
class FundingRates:
    """Settlements of one contract, oldest first.

    `time_ms` is int64 ms UTC, strictly increasing; `rate` is float64, the fraction of the notional that longs pay
    to shorts at that time. Columns may be memory-mapped and read-only.
    """

    symbol: str
    time_ms: NDArray[np.int64]
    rate: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.time_ms)

    def between(self, start_ms: int | None, end_ms: int | None) -> "FundingRates":
        """Settlements with start <= time < end; None leaves that side open."""
        first = 0 if start_ms is None else int(np.searchsorted(self.time_ms, start_ms))
        last = len(self) if end_ms is None else int(np.searchsorted(self.time_ms, end_ms))
        return FundingRates(self.symbol, self.time_ms[first:last], self.rate[first:last])
