"""Walks the price of one market through its candles, from one touched level to the next."""

import numpy as np
from attrs import define

from traderagent_core.model.candle import Candles
from traderagent_core.simulator.scan import Finder
from traderagent_core.venue.book import Entry
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.market import VenueMarket
from traderagent_core.venue.path import PathPoints, PathPolicy, path_points

VENUE_PHASE = 0
FUNDING_PHASE = 1
BOUNDARY_PHASE = 2
TIMER_PHASE = 3
OPEN_PHASE = 5
"""Order at equal time. The open of a new candle comes after all that is due at the boundary it opens on."""


@define(eq=False)
class Hit:
    """Where and when the price next meets something: `entry` is None for a candle that is only entered."""

    time_ms: int
    phase: int
    candle: int
    points: PathPoints
    leg: int
    price: float
    travelled: float
    length: float
    entry: Entry | None
    is_above: bool


class Cursor:
    """The present place of one market: candle, leg of its path, price, and distance travelled in the candle.

    `peek` finds the next hit without moving; `take` moves there and lets it happen; `seek` moves to a time
    between hits. Distances are in quote currency along the path; a time is its share of the path's length.
    """

    def __init__(
        self,
        market: VenueMarket,
        exchange: SimulatedExchange,
        candles: Candles,
        policy: PathPolicy,
        finder: Finder,
    ) -> None:
        self.market = market
        self.exchange = exchange
        self.candles = candles
        self.policy = policy
        self.finder = finder
        self.duration_ms = candles.duration_ms
        self.close_time = candles.open_time + candles.duration_ms
        self._open_time = candles.open_time
        self._columns = (candles.open, candles.high, candles.low, candles.close)
        self._index = -1
        self._start_ms = 0
        self._points: PathPoints = (0.0, 0.0, 0.0, 0.0)
        self._leg = 4
        self._travelled = 0.0
        self._length = 0.0
        self._hit: Hit | None = None
        self._hit_version = -1

    # -- looking ahead --------------------------------------------------------------------------------------

    def peek(self) -> Hit | None:
        """The next hit, or None when nothing more is met; found anew only when the book has changed."""
        if self._hit_version != self.market.version:
            self._hit_version = self.market.version
            self._hit = self._find()
        return self._hit

    def _find(self) -> Hit | None:
        market = self.market
        if self._leg < 4:
            hit = self._next_on_path(
                self._index, self._points, self._leg, market.price, self._travelled, self._length
            )
            if hit is not None:
                return hit
        book = market.book
        up = book.above[0][0] if book.above else np.inf
        down = -book.below[0][0] if book.below else -np.inf
        if market.pending:
            up = -np.inf
        index = self.finder.next_touch(self._index + 1, up, down)
        if index < 0:
            return None
        points, length = self._path(index)
        hit = self._next_on_path(index, points, 1, points[0], 0.0, length)
        if market.pending or hit is None:
            start_ms = int(self._open_time[index])
            return Hit(start_ms, OPEN_PHASE, index, points, 1, points[0], 0.0, length, None, False)
        return hit

    def _path(self, index: int) -> tuple[PathPoints, float]:
        first, high, low, last = self._columns
        prices = (first.item(index), high.item(index), low.item(index), last.item(index))
        quantity = self.market.position.quantity
        points = path_points(self.policy, prices, (quantity > 0) - (quantity < 0))
        length = abs(points[1] - points[0]) + abs(points[2] - points[1]) + abs(points[3] - points[2])
        return points, length

    def _next_on_path(
        self, index: int, points: PathPoints, leg: int, price: float, travelled: float, length: float
    ) -> Hit | None:
        """The first level met from `price` on; a level that is already passed is met at once, at that price."""
        above, below = self.market.book.above, self.market.book.below
        up = above[0][0] if above else np.inf
        down = -below[0][0] if below else -np.inf
        if up <= price:
            return self._hit_at(index, points, leg, price, travelled, length, above[0], is_above=True)
        if down >= price:
            return self._hit_at(index, points, leg, price, travelled, length, below[0], is_above=False)
        while leg < 4:
            end = points[leg]
            if end > price:
                if up <= end:
                    travelled += up - price
                    return self._hit_at(index, points, leg, up, travelled, length, above[0], is_above=True)
                travelled += end - price
            else:
                if down >= end and below:
                    travelled += price - down
                    return self._hit_at(index, points, leg, down, travelled, length, below[0], is_above=False)
                travelled += price - end
            price = end
            leg += 1
        return None

    def _hit_at(
        self,
        index: int,
        points: PathPoints,
        leg: int,
        price: float,
        travelled: float,
        length: float,
        entry: Entry,
        *,
        is_above: bool,
    ) -> Hit:
        start_ms = int(self._open_time[index])
        share = travelled / length if length else 0.0
        time_ms = start_ms + min(int(self.duration_ms * share), self.duration_ms)
        phase = OPEN_PHASE if time_ms == start_ms else VENUE_PHASE
        return Hit(time_ms, phase, index, points, leg, price, travelled, length, entry, is_above)

    # -- moving ---------------------------------------------------------------------------------------------

    def take(self, hit: Hit) -> None:
        """Move to a hit and let it happen."""
        market = self.market
        if hit.candle != self._index:
            self._enter(hit.candle, hit.points, hit.length)
        self._leg = hit.leg
        self._travelled = hit.travelled
        market.price = hit.price
        if hit.entry is None:
            market.version += 1
            self.exchange.admit_pending(market, hit.time_ms)
        else:
            self.exchange.fire(market, hit.entry, hit.time_ms, is_above=hit.is_above)

    def _enter(self, index: int, points: PathPoints, length: float) -> None:
        market = self.market
        self._index = index
        self._start_ms = int(self._open_time[index])
        self._points = points
        self._length = length
        market.candle = index
        market.high = max(points[1], points[2])
        market.low = min(points[1], points[2])
        market.has_fired_above = market.has_fired_below = False

    def seek(self, time_ms: int) -> None:
        """Move to where the price is at a time, with no level met on the way; never moves back."""
        is_here = self._index >= 0 and self._start_ms <= time_ms <= self._start_ms + self.duration_ms
        index = self._index if is_here else int(self._open_time.searchsorted(time_ms)) - 1
        if index < self._index or index < 0:
            return
        if index != self._index:
            points, length = self._path(index)
            self._enter(index, points, length)
            self._leg, self._travelled, self.market.price = 1, 0.0, points[0]
        self._walk_to(time_ms)

    def _walk_to(self, time_ms: int) -> None:
        elapsed = time_ms - self._start_ms
        if elapsed >= self.duration_ms:
            self._leg, self._travelled, self.market.price = 4, self._length, self._points[3]
            return
        target = self._length * elapsed / self.duration_ms
        price = self.market.price
        while self._leg < 4 and self._travelled < target:
            end = self._points[self._leg]
            step = abs(end - price)
            if self._travelled + step > target:
                rest = target - self._travelled
                price += rest if end > price else -rest
                self._travelled = target
            else:
                self._travelled += step
                price = end
                self._leg += 1
        self.market.price = price
