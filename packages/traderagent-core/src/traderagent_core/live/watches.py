"""Price watches: one-shot, told at the first price at or beyond their level."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from attrs import define, field

from traderagent_core.model.command import Unwatch, Watch
from traderagent_core.model.event import WatchCrossed

Name = tuple[str, str]


@define(eq=False)
class Watches:
    """One watch for each owner and name, in the order of asking."""

    _armed: dict[Name, Watch] = field(factory=dict)

    def arm(self, watch: Watch) -> None:
        """Replace the watch of a name."""
        self._armed.pop((watch.owner, watch.name), None)
        self._armed[watch.owner, watch.name] = watch

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
        level = float(price)
        hit = [
            watch for watch in self._armed.values() if watch.symbol == symbol and _is_reached(watch, level)
        ]
        hit.sort(key=lambda watch: watch.price if watch.is_above else -watch.price)
        for watch in hit:
            del self._armed[watch.owner, watch.name]
            yield watch

    def save(self) -> list[list[object]]:
        """All watches as plain values."""
        return [
            [watch.owner, watch.name, watch.symbol, str(watch.price), watch.is_above]
            for watch in self._armed.values()
        ]

    def load(self, rows: Iterable[list[object]]) -> None:
        """Take over what `save` gave."""
        for owner, name, symbol, price, is_above in rows:
            self.arm(Watch(str(owner), str(name), str(symbol), Decimal(str(price)), bool(is_above)))


def _is_reached(watch: Watch, price: float) -> bool:
    level = float(watch.price)
    return price >= level if watch.is_above else price <= level
