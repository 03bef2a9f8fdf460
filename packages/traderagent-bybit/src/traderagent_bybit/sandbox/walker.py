"""Walks the price of one market of the venue along its tape, letting happen what waits on the way."""

from traderagent_core.venue.book import Entry
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.market import VenueMarket

from traderagent_bybit.sandbox.tape import Place, Tape

VENUE_PHASE = 0
FUNDING_PHASE = 1
BOUNDARY_PHASE = 2
OPEN_PHASE = 5
"""Order at equal time, as in the simulator: the open of a candle comes after all that is due at its boundary."""

Moment = tuple[int, int]
_BLOCK = 2048
_INFINITY = float("inf")


class Walker:
    """The place of one market. Where it stops on the way changes nothing about what it meets."""

    def __init__(self, exchange: SimulatedExchange, market: VenueMarket, tape: Tape) -> None:
        self.exchange = exchange
        self.market = market
        self.tape = tape
        self.place = Place(-1, 0.0)
        self._hit: tuple[Moment, Place, float, Entry, bool] | None = None
        self._key: tuple[int, int, Place] | None = None

    def peek(self, until_ms: int) -> Moment | None:
        """When the next thing that waits is met, if that is not after `until_ms`."""
        key = (until_ms, self.market.version, self.place)
        if key != self._key:
            self._key = key
            self._hit = self._find(until_ms)
        return None if self._hit is None else self._hit[0]

    def take(self) -> None:
        """Move to what `peek` found and let it happen."""
        assert self._hit is not None
        moment, place, price, entry, is_above = self._hit
        self._enter(place)
        self.market.price = price
        self._key = None
        self.exchange.fire(self.market, entry, moment[0], is_above=is_above)

    def seek(self, place: Place, price: float) -> None:
        """Move to a place, where the price is this one, with nothing met on the way; never back."""
        if place > self.place:
            self._enter(place)
            self.market.price = price

    def _enter(self, place: Place) -> None:
        market = self.market
        if place.candle != self.place.candle:
            market.candle = place.candle
            market.high = self.tape.candles.high.item(place.candle)
            market.low = self.tape.candles.low.item(place.candle)
            market.has_fired_above = market.has_fired_below = False
        self.place = place
        market.is_at_close = place.travelled >= self.tape.path(place.candle).length

    def _find(self, until_ms: int) -> tuple[Moment, Place, float, Entry, bool] | None:
        book = self.market.book
        up = book.above[0][0] if book.above else _INFINITY
        down = -book.below[0][0] if book.below else -_INFINITY
        if up == _INFINITY and down == -_INFINITY:
            return None
        here, price = self.place, self.market.price
        if up <= price or down >= price:  # Placed beyond the price, or passed by it in a jump.
            return self._met(here, price, is_above=up <= price)
        found = self._in_candle(here, up, down)
        last = self.tape.index_at(until_ms)
        if found is None:
            index = self._next_touch(here.candle + 1, last, up, down)
            if index is None:
                return None
            found = self._in_candle(Place(index, 0.0), up, down, is_open=True)
        return found if found is not None and found[0] <= (until_ms, OPEN_PHASE - 1) else None

    def _in_candle(
        self, place: Place, up: float, down: float, *, is_open: bool = False
    ) -> tuple[Moment, Place, float, Entry, bool] | None:
        """The first level that the path of a candle meets from a place on."""
        points, _ = self.tape.path(place.candle)
        start = points[0]
        if is_open and (up <= start or down >= start):
            return self._met(place, start, is_above=up <= start)
        way = 0.0
        for end, turn in zip(points[1:], self.tape.turns(place.candle), strict=True):
            if turn > place.travelled:
                if end > start and up <= end:
                    return self._met(self._at(place, way + up - start), up, is_above=True)
                if end < start and down >= end:
                    return self._met(self._at(place, way + start - down), down, is_above=False)
            start, way = end, turn
        return None

    def _at(self, place: Place, travelled: float) -> Place:
        return Place(place.candle, max(travelled, place.travelled))

    def _met(self, place: Place, price: float, *, is_above: bool) -> tuple[Moment, Place, float, Entry, bool]:
        entry = (self.market.book.above if is_above else self.market.book.below)[0]
        time_ms = self.tape.time_ms(place)
        phase = OPEN_PHASE if time_ms == self.tape.open_ms(place.candle) else VENUE_PHASE
        return (time_ms, phase), place, price, entry, is_above

    def _next_touch(self, first: int, last: int, up: float, down: float) -> int | None:
        """The first candle from `first` to `last` that reaches a level."""
        high, low = self.tape.candles.high, self.tape.candles.low
        for start in range(first, last + 1, _BLOCK):
            block = slice(start, min(start + _BLOCK, last + 1))
            touched = (high[block] >= up) | (low[block] <= down)
            if touched.any():
                return start + int(touched.argmax())
        return None
