"""Boundaries: all candles that close at one time make one wake-up, once they have come or the grace is over."""

from collections.abc import Iterator

from attrs import define, field

from traderagent_core.live.view import LiveView
from traderagent_core.model.candle import Candle

GRACE_MS = 3_000
"""How long the candles of a close are waited for."""


Close = tuple[int, tuple[str, ...]]
"""When candles closed, ms UTC, and the symbols whose candle did not come in time."""


@define(eq=False)
class Boundaries:
    """Collects the candles of each close. `grace_ms` is how late the last of them may come."""

    view: LiveView
    symbols: tuple[str, ...]
    base_ms: int
    grace_ms: int = GRACE_MS
    _coming: dict[int, set[str]] = field(factory=dict)
    _done_ms: int = -1

    def add(self, symbol: str, candle: Candle) -> None:
        """Take a closed base candle."""
        close_ms = candle.open_time + self.base_ms
        if self.view.learn_candle(symbol, candle) and close_ms > self._done_ms:
            self._coming.setdefault(close_ms, set()).add(symbol)

    def complete(self) -> Iterator[Close]:
        """The closes of which nothing is missing, oldest first, each only once; those before one are late."""
        whole = [close_ms for close_ms in self._coming if not self.missing(close_ms)]
        yield from self._finish(max(whole, default=-1))

    def late(self, now_ms: int) -> Iterator[Close]:
        """The closes that have been waited for long enough, oldest first, each only once."""
        yield from self._finish(now_ms - self.grace_ms)

    def _finish(self, until_ms: int) -> Iterator[Close]:
        for close_ms in sorted(set(self._waited_for())):
            if close_ms <= until_ms:
                self._done_ms = close_ms
                missing = tuple(self.missing(close_ms))
                self._coming.pop(close_ms, None)
                self.view.close_windows(close_ms)
                yield close_ms, missing

    def next_ms(self) -> int | None:
        """When the first close that is not complete has been waited for long enough."""
        waited_for = self._waited_for()
        return min(waited_for) + self.grace_ms if waited_for else None

    def due_ms(self, time_ms: int) -> int:
        """When something of a time is due: what is told at a close comes after its candles, as in the simulator."""
        is_awaited = time_ms > self._done_ms and time_ms % self.base_ms == 0
        return time_ms + self.grace_ms if is_awaited else time_ms

    def pass_over(self, time_ms: int) -> None:
        """Closes up to a time belong to the past."""
        self._done_ms = max(self._done_ms, time_ms)
        self._coming = {close_ms: coming for close_ms, coming in self._coming.items() if close_ms > time_ms}

    def missing(self, close_ms: int) -> list[str]:
        """Symbols whose candle of a close has not come."""
        return [symbol for symbol in self.symbols if symbol not in self._coming.get(close_ms, ())]

    def _waited_for(self) -> list[int]:
        """Closes of which candles have come, and the next one of a higher timeframe."""
        end_ms = self.view.next_window_end
        if end_ms is None and not self._coming:
            return []
        closes = self._coming if end_ms is None else (*self._coming, end_ms)
        return [close_ms for close_ms in closes if close_ms > self._done_ms]
