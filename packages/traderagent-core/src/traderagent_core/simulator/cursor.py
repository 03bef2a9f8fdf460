"""Walks the price of one market through its candles, from one touched level to the next."""

from math import inf as INFINITY

from traderagent_core.model.candle import Candles, TimeColumn
from traderagent_core.simulator.lookup import last_at
from traderagent_core.simulator.scan import Finder
from traderagent_core.venue.book import Entry
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.market import VenueMarket
from traderagent_core.venue.path import PathPoints, PathPolicy, path_points, price_between

VENUE_PHASE = 0
FUNDING_PHASE = 1
BOUNDARY_PHASE = 2
TIMER_PHASE = 3
OPERATOR_PHASE = 4
OPEN_PHASE = 5
"""Order at equal time. The open of a new candle comes after all that is due at the boundary it opens on."""


Candle = tuple[int, int, PathPoints, float]
"""Where a cursor can be: index of the candle, its open time in ms, the points of its path and the path's length."""

Hit = tuple[tuple[int, int], Candle, int, float, float, Entry | None, bool]
"""What is met next: (time in ms, phase), candle, leg, price, way travelled, entry of the book, is it above."""

NO_PATH: PathPoints = (0.0, 0.0, 0.0, 0.0)
NOWHERE: Candle = (-1, 0, NO_PATH, 0.0)


class Cursor:
    """The present place of one market: candle, leg of its path, price, and distance travelled in the candle.

    Between the turning points the price is the last tick that was passed; `_lag` is how far that is behind the place.

    `peek` finds the next hit without moving; `take` moves there and lets it happen; `seek` moves to a time between
    hits. Distances are in quote currency along the path; a time is its share of the path's length. The hit is the
    first waiting entry above or below the price, or no entry: the open of a candle that lets deferred orders in.
    """

    __slots__ = (
        "_candle",
        "_close_time",
        "_columns",
        "_follows_position",
        "_hit",
        "_hit_version",
        "_lag",
        "_leg",
        "_open_time",
        "_tick",
        "_travelled",
        "candles",
        "duration_ms",
        "exchange",
        "finder",
        "market",
        "policy",
        "sought_ms",
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
        self._close_time: TimeColumn | None = None
        self._open_time = candles.open_time
        self._columns = (candles.open, candles.high, candles.low, candles.close)
        self._follows_position = policy in (PathPolicy.PESSIMISTIC, PathPolicy.OPTIMISTIC)
        self._candle = NOWHERE
        self._leg = 4
        self._travelled = 0.0
        self._lag = 0.0
        self._tick = float(market.instrument.tick_size)
        self.sought_ms = -1
        self._hit: Hit | None = None
        self._hit_version = -1

    @property
    def close_time(self) -> TimeColumn:
        """When each candle closes; made when a guard first asks for it."""
        if self._close_time is None:
            self._close_time = self.candles.open_time + self.duration_ms
        return self._close_time

    # -- looking ahead --------------------------------------------------------------------------------------

    def peek(self) -> tuple[int, int] | None:
        """(time in ms UTC, phase) of the next hit, or None; found anew only when the book has changed."""
        version = self.market.version
        if self._hit_version != version:
            self._hit_version = version
            self._hit = self._find()
        hit = self._hit
        return None if hit is None else hit[0]

    def _find(self) -> Hit | None:
        market = self.market
        book = market.book
        above, below = book.above, book.below
        up = above[0][0] if above else INFINITY
        down = -below[0][0] if below else -INFINITY
        if self._leg < 4 and (up <= market.high or down >= market.low):
            hit = self._meet(self._candle, self._leg, market.price, self._travelled, up, down, self._lag)
            if hit is not None:
                return hit
        if market.pending:
            up = -INFINITY
        index = self.finder.next_touch(self._candle[0] + 1, up, down)
        if index < 0:
            return None
        candle = self._candle_at(index)
        start = candle[2][0]
        hit = None if market.pending else self._meet(candle, 1, start, 0.0, up, down)
        return hit or ((candle[1], OPEN_PHASE), candle, 1, start, 0.0, None, False)

    def _candle_at(self, index: int) -> Candle:
        first, high, low, last = self._columns
        prices = (first.item(index), high.item(index), low.item(index), last.item(index))
        sign = 0
        if self._follows_position:
            quantity = self.market.position.quantity
            sign = (quantity > 0) - (quantity < 0)
        points, length = path_points(self.policy, prices, sign)
        return index, self._open_time.item(index), points, length

    def _meet(
        self,
        candle: Candle,
        leg: int,
        price: float,
        travelled: float,
        up: float,
        down: float,
        lag: float = 0.0,
    ) -> Hit | None:
        """The first level met from `price` on; a level already passed is met at once, at that price."""
        is_above = up <= price
        if not is_above and down < price:
            points = candle[2]
            reached = travelled
            travelled -= lag
            while True:
                end = points[leg]
                if end > price:
                    if up <= end:
                        travelled += up - price
                        price, is_above = up, True
                        break
                    travelled += end - price
                elif down >= end:
                    travelled += price - down
                    price = down
                    break
                else:
                    travelled += price - end
                price = end
                leg += 1
                if leg == 4:
                    return None
            if travelled < reached:
                travelled = reached
        book = self.market.book
        entry = book.above[0] if is_above else book.below[0]
        return self._moment(candle, travelled), candle, leg, price, travelled, entry, is_above

    def _moment(self, candle: Candle, travelled: float) -> tuple[int, int]:
        """When that much of a candle's path has been travelled."""
        if travelled:
            elapsed = int(self.duration_ms * (travelled / candle[3]))
            if elapsed:
                return candle[1] + (elapsed if elapsed < self.duration_ms else self.duration_ms), VENUE_PHASE
        return candle[1], OPEN_PHASE

    # -- moving ---------------------------------------------------------------------------------------------

    def take(self) -> None:
        """Move to the hit that `peek` found and let it happen."""
        assert self._hit is not None
        moment, candle, self._leg, price, self._travelled, entry, is_above = self._hit
        self._lag = 0.0
        if candle is not self._candle:
            self._enter(candle)
        self.sought_ms = -1
        market = self.market
        market.price = price
        if entry is None:
            market.version += 1
            self.exchange.admit_pending(market, moment[0])
        else:
            self.exchange.fire(market, entry, moment[0], is_above=is_above)

    def _enter(self, candle: Candle) -> None:
        self._candle = candle
        index, _, (_, second, third, _), _ = candle
        high, low = (second, third) if second > third else (third, second)
        self.market.enter(index, high, low)

    def seek(self, time_ms: int) -> None:
        """Move to where the price is at a time, with no level met on the way; never moves back."""
        if time_ms == self.sought_ms:
            return
        self.sought_ms = time_ms
        index, start_ms, _, _ = self._candle
        if index < 0 or not start_ms <= time_ms <= start_ms + self.duration_ms:
            here, index = index, last_at(self._open_time, time_ms - 1, self.duration_ms, index)
            if index < here or index < 0:
                return
            start_ms = self._open_time.item(index)
        elapsed = time_ms - start_ms
        if elapsed >= self.duration_ms:
            self._close(index, start_ms)
        else:
            self._walk_to(index, elapsed)

    def _close(self, index: int, start_ms: int) -> None:
        """Move to the end of a candle, of whose path nothing is left to be walked then."""
        _, highs, lows, closes = self._columns
        market = self.market
        if index != self._candle[0]:
            self._candle = index, start_ms, NO_PATH, 0.0
            market.enter(index, highs.item(index), lows.item(index))
        market.price = closes.item(index)
        market.is_at_close = True
        self._leg, self._lag = 4, 0.0

    def _walk_to(self, index: int, elapsed_ms: int) -> None:
        """Move to where the price is when so much of a candle's time is over."""
        if index != self._candle[0]:
            candle = self._candle_at(index)
            self._enter(candle)
            self._leg, self._travelled, self._lag, self.market.price = 1, 0.0, 0.0, candle[2][0]
        _, _, points, length = self._candle
        target = length * elapsed_ms / self.duration_ms
        if self._travelled < target:
            self._walk(points, target)

    def _walk(self, points: PathPoints, target: float) -> None:
        """Go on along the path until so much of it is travelled."""
        price, travelled, leg, lag = self.market.price, self._travelled - self._lag, self._leg, 0.0
        while leg < 4 and travelled < target:
            start, end = points[leg - 1], points[leg]
            step = abs(end - price)
            if travelled + step > target:
                way = abs(price - start) + target - travelled
                price = price_between(start, end, way, self._tick)
                lag = way - abs(price - start)
                travelled = target
            else:
                travelled += step
                price = end
                leg += 1
        self._leg, self._travelled, self._lag, self.market.price = leg, travelled, lag, price
