"""Walks the price of one market through its candles, from one touched level to the next."""

from math import inf as INFINITY

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
OPERATOR_PHASE = 4
OPEN_PHASE = 5
"""Order at equal time. The open of a new candle comes after all that is due at the boundary it opens on."""


class Cursor:
    """The present place of one market: candle, leg of its path, price, and distance travelled in the candle.

    `peek` finds the next hit without moving; `take` moves there and lets it happen; `seek` moves to a time between
    hits. Distances are in quote currency along the path; a time is its share of the path's length. After `peek` has
    said yes, `hit` tells when, as (time in ms UTC, phase); the hit is the first waiting entry above or below the
    price, or only the open of a candle in which deferred orders are let in.
    """

    __slots__ = (
        "_columns",
        "_entry",
        "_has_hit",
        "_hit_index",
        "_hit_leg",
        "_hit_length",
        "_hit_points",
        "_hit_price",
        "_hit_travelled",
        "_hit_version",
        "_index",
        "_is_above",
        "_leg",
        "_length",
        "_open_time",
        "_points",
        "_start_ms",
        "_travelled",
        "candles",
        "close_time",
        "duration_ms",
        "exchange",
        "finder",
        "hit",
        "market",
        "policy",
    )

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
        self._has_hit = False
        self._hit_version = -1
        self._hit_index = -1
        self._hit_points = self._points
        self._hit_length = self._hit_price = self._hit_travelled = 0.0
        self._hit_leg = 4
        self._entry: Entry | None = None
        self._is_above = False
        self.hit = (0, VENUE_PHASE)

    # -- looking ahead --------------------------------------------------------------------------------------

    def peek(self) -> bool:
        """Whether something more is met; found anew only when the book has changed."""
        version = self.market.version
        if self._hit_version != version:
            self._hit_version = version
            self._has_hit = self._find()
        return self._has_hit

    def _find(self) -> bool:
        market = self.market
        book = market.book
        above, below = book.above, book.below
        up = above[0][0] if above else INFINITY
        down = -below[0][0] if below else -INFINITY
        if self._leg < 4 and (up <= market.high or down >= market.low):
            self._hit_index, self._hit_points, self._hit_length = self._index, self._points, self._length
            if self._meet(self._leg, market.price, self._travelled, up, down):
                return True
        if market.pending:
            up = -INFINITY
        index = self.finder.next_touch(self._index + 1, up, down)
        if index < 0:
            return False
        self._hit_index = index
        self._hit_points, self._hit_length = points, _ = self._path(index)
        if not market.pending and self._meet(1, points[0], 0.0, up, down):
            return True
        return self._note(None, 1, points[0], 0.0)

    def _path(self, index: int) -> tuple[PathPoints, float]:
        first, high, low, last = self._columns
        prices = (first.item(index), high.item(index), low.item(index), last.item(index))
        quantity = self.market.position.quantity
        return path_points(self.policy, prices, (quantity > 0) - (quantity < 0))

    def _meet(self, leg: int, price: float, travelled: float, up: float, down: float) -> bool:
        """Note the first level met from `price` on; a level already passed is met at once, at that price."""
        points = self._hit_points
        if up <= price:
            return self._note(True, leg, price, travelled)
        if down >= price:
            return self._note(False, leg, price, travelled)
        while leg < 4:
            end = points[leg]
            if end > price:
                if up <= end:
                    return self._note(True, leg, up, travelled + up - price)
                travelled += end - price
            elif down >= end:
                return self._note(False, leg, down, travelled + price - down)
            else:
                travelled += price - end
            price = end
            leg += 1
        return False

    def _note(self, is_above: bool | None, leg: int, price: float, travelled: float) -> bool:
        """Keep the place of the hit, and when it is; None is above or below for a candle that is only entered."""
        book = self.market.book
        self._is_above = is_above is True
        self._entry = None if is_above is None else book.above[0] if is_above else book.below[0]
        self._hit_leg = leg
        self._hit_price = price
        self._hit_travelled = travelled
        start_ms = self._open_time.item(self._hit_index)
        length = self._hit_length
        if length and travelled:
            elapsed = int(self.duration_ms * (travelled / length))
            if elapsed > 0:
                self.hit = (start_ms + min(elapsed, self.duration_ms), VENUE_PHASE)
                return True
        self.hit = (start_ms, OPEN_PHASE)
        return True

    # -- moving ---------------------------------------------------------------------------------------------

    def take(self) -> None:
        """Move to the hit that `peek` found and let it happen."""
        market = self.market
        if self._hit_index != self._index:
            self._enter(self._hit_index, self._hit_points, self._hit_length)
        self._leg = self._hit_leg
        self._travelled = self._hit_travelled
        market.price = self._hit_price
        entry = self._entry
        if entry is None:
            market.version += 1
            self.exchange.admit_pending(market, self.hit[0])
        else:
            self.exchange.fire(market, entry, self.hit[0], is_above=self._is_above)

    def _enter(self, index: int, points: PathPoints, length: float) -> None:
        market = self.market
        self._index = index
        self._start_ms = self._open_time.item(index)
        self._points = points
        self._length = length
        market.candle = index
        second, third = points[1], points[2]
        market.high, market.low = (second, third) if second > third else (third, second)
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
