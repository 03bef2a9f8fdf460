"""Price watches: one-shot, told at the first price at or beyond their level.

Where prices were missed the extremes of the candles decide that opened after a watch was armed.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from attrs import define, field

from traderagent_core.model.candle import Candle
from traderagent_core.model.command import Unwatch, Watch
from traderagent_core.model.event import WatchCrossed

Name = tuple[str, str]
ALWAYS_MS = 2**62


@define(eq=False)
class Watches:
    """One watch for each owner and name, in the order of asking."""

    _armed: dict[Name, Watch] = field(factory=dict)
    _since_ms: dict[Name, int] = field(factory=dict)

    def arm(self, watch: Watch, now_ms: int) -> None:
        """Replace the watch of a name."""
        name = (watch.owner, watch.name)
        self._armed.pop(name, None)
        self._armed[name] = watch
        self._since_ms[name] = now_ms

    def forget(self, command: Unwatch) -> None:
        """Drop a watch."""
        self._armed.pop((command.owner, command.name), None)

    def fired(self, event: WatchCrossed) -> None:
        """A watch was told in the past; one of its name that was armed since, at another level, goes on."""
        watch = self._armed.get((event.owner, event.name))
        if watch is not None and _is_reached(watch, event.price):
            del self._armed[event.owner, event.name]

    def crossed(self, symbol: str, price: Decimal) -> Iterator[Watch]:
        """The watches that a price fires, nearest level first, then in the order of asking; each only once."""
        for watch in self._of(symbol, float(price), ALWAYS_MS):
            del self._armed[watch.owner, watch.name]
            yield watch

    def crossed_in(self, symbol: str, candle: Candle) -> Iterator[tuple[Watch, float]]:
        """The watches that a closed candle proves to have been reached, each with the extreme that proves it.

        The nearer extreme comes first, as on the simulator's path.
        """
        low, high = (candle.low, False), (candle.high, True)
        is_low_first = candle.open - candle.low <= candle.high - candle.open
        for extreme, is_above in (low, high) if is_low_first else (high, low):
            for watch in self._of(symbol, extreme, candle.open_time):
                if watch.is_above is is_above:
                    del self._armed[watch.owner, watch.name]
                    yield watch, extreme

    def _of(self, symbol: str, level: float, until_ms: int) -> list[Watch]:
        """The watches of a symbol, armed by a time, that a price has reached, nearest level first."""
        hit = [
            watch
            for name, watch in self._armed.items()
            if watch.symbol == symbol and self._since_ms[name] <= until_ms and _is_reached(watch, level)
        ]
        hit.sort(key=lambda watch: watch.price if watch.is_above else -watch.price)
        return hit

    def save(self) -> list[list[object]]:
        """All watches as plain values."""
        return [
            [*name, watch.symbol, str(watch.price), watch.is_above, self._since_ms[name]]
            for name, watch in self._armed.items()
        ]

    def load(self, rows: Iterable[list[object]]) -> None:
        """Take over what `save` gave."""
        for owner, name, symbol, price, is_above, since_ms in rows:
            watch = Watch(str(owner), str(name), str(symbol), Decimal(str(price)), bool(is_above))
            self.arm(watch, int(str(since_ms)))


def _is_reached(watch: Watch, price: float) -> bool:
    level = float(watch.price)
    return price >= level if watch.is_above else price <= level
