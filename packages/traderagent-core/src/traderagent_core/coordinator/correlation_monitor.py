"""The correlation monitor at work, close by close: the running twin of `stress_columns`."""

from collections import deque
from collections.abc import Sequence
from math import isnan, nan

import numpy as np
from attrs import define, field, frozen

from traderagent_core.config.coordinator import CorrelationConfig
from traderagent_core.coordinator.correlation import Whole, judge, stressed_where, whole_return
from traderagent_core.model.timeframe import timeframe_ms


@frozen
class MonitorState:
    """What a monitor remembers: the last close of each symbol and the returns of the window, None where missing."""

    time_ms: int
    closes: tuple[float | None, ...]
    returns: tuple[tuple[int | None, ...], ...]


@define(eq=False)
class CorrelationMonitor:
    """The monitor at work, close by close; what it says is what `stress_columns` says of the same history."""

    config: CorrelationConfig
    symbols: Sequence[str]
    is_stressed: bool = field(default=False, init=False)
    _time_ms: int | None = field(default=None, init=False)
    _closes: list[float] = field(factory=list, init=False)
    _rows: deque[tuple[Whole, Whole]] = field(factory=deque, init=False)
    _sums: list[Whole] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._rows.clear()
        self._closes = [nan] * len(self.symbols)
        # Sums over the window for each couple: of one, x, x², and x·y, where the other has a return too.
        self._sums = [np.zeros((len(self.symbols),) * 2, np.int64) for _ in range(4)]

    def update(self, time_ms: int, closes: Sequence[float]) -> bool:
        """Take the closes at the next time, nan for symbols without one; whether the market is stressed.

        Times are ms UTC and whole candles apart; where there was no close of anybody, none has to be told.
        """
        step = timeframe_ms(self.config.timeframe)
        if self._time_ms is not None:
            ahead, rest = divmod(time_ms - self._time_ms, step)
            if ahead < 1 or rest:
                raise ValueError(
                    f"expected a close whole candles of {step} ms after {self._time_ms}, got {time_ms}"
                )
            for _ in range(min(ahead - 1, self.config.window)):
                self._skip()
        returns = [whole_return(before, close) for before, close in zip(self._closes, closes, strict=True)]
        self._take(returns)
        self._time_ms, self._closes = time_ms, list(closes)
        self._look()
        return self.is_stressed

    def _skip(self) -> None:
        self._take([None] * len(self.symbols))
        self._closes = [nan] * len(self.symbols)

    def _take(self, returns: Sequence[int | None]) -> None:
        row = np.array([each or 0 for each in returns], np.int64)
        has = np.array([each is not None for each in returns], np.int64)
        self._rows.append((row, has))
        self._add(row, has, 1)
        if len(self._rows) > self.config.window:
            self._add(*self._rows.popleft(), -1)

    def _add(self, row: Whole, has: Whole, sign: int) -> None:
        for sums, one, other in zip(
            self._sums, (has, row, row * row, row), (has, has, has, row), strict=True
        ):
            sums += sign * np.outer(one, other)

    def _look(self) -> None:
        couples = np.triu_indices(len(self.symbols), 1)
        count, x, xx, xy = (sums[couples] for sums in self._sums)
        _, y, yy, _ = (sums.T[couples] for sums in self._sums)
        is_known, is_alike = judge(self.config, count, x, y, xx, yy, xy)
        stressed = stressed_where(self.config, np.array([is_known.sum()]), np.array([is_alike.sum()]))
        self.is_stressed = bool(stressed[0])

    def snapshot(self) -> MonitorState | None:
        """What is to be saved; None before the first close."""
        if self._time_ms is None:
            return None
        rows = [
            tuple(value if known else None for value, known in zip(row.tolist(), has.tolist(), strict=True))
            for row, has in self._rows
        ]
        closes = tuple(None if isnan(close) else close for close in self._closes)
        return MonitorState(self._time_ms, closes, tuple(rows))

    def restore(self, state: MonitorState | None) -> None:
        """Go on from a snapshot of a monitor of the same configuration and symbols."""
        self._forget()
        self._time_ms, self.is_stressed = None, False
        if state is None:
            return
        for returns in state.returns:
            self._take(returns)
        self._time_ms = state.time_ms
        self._closes = [nan if close is None else close for close in state.closes]
        self._look()
