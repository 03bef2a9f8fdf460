"""Positions from flat to flat, read off the records of a run: fills, averages, stops and excursions."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from attrs import Factory, define, field

from traderagent_core.account.reasons import HANDED_OVER
from traderagent_core.account.state import Record
from traderagent_core.contract.history import RoundTrip
from traderagent_core.model.candle import Candles
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.position import Position
from traderagent_core.simulator.hearing import StopMove
from traderagent_core.simulator.record_log import numbered
from traderagent_core.simulator.record_reader import PlanEntry, RecordReader, WantEntry, is_internal

ZERO = Decimal(0)
TINY = Decimal("1e-12")
PRICE = Context(prec=16, rounding=ROUND_HALF_EVEN)
"""Average prices are rounded to so many digits."""
EXIT_BEGUN = "exit_begun"
IsFlat = Callable[[str, Decimal, Decimal], bool]
"""Whether a bot that holds this quantity at this price holds nothing that could be sold."""


@define(eq=False)
class _Trip:
    """A position while it is read."""

    bot: str
    symbol: str
    number: int
    plan: PlanEntry | None
    is_long: bool
    opened_at: int
    opened_ms: int
    realized: Decimal
    closed_at: int | None = None
    closed_ms: int | None = None
    reason: str = ""
    entries: set[WantEntry | None] = Factory(set)
    quantity: Decimal = ZERO
    invested: Decimal = ZERO
    sold: Decimal = ZERO
    proceeds: Decimal = ZERO
    gross: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    averages: list[tuple[int, Decimal]] = Factory(list)
    stops: list[tuple[int, Decimal | None]] = Factory(list)
    targets: list[tuple[int, Decimal]] = Factory(list)


@define(eq=False)
class _Book:
    """The position of one bot and its trips."""

    position: Position = Factory(Position)
    trips: list[_Trip] = Factory(list)
    current: _Trip | None = None


@define(eq=False)
class TripReader:
    """One pass over the records, of which `known` has found wants and orders; `stops` are their moves of stops."""

    is_flat: IsFlat
    known: RecordReader
    plans: Iterator[PlanEntry] = field(default=Factory(lambda self: iter(self.known.plans), takes_self=True))
    books: dict[str, _Book] = Factory(dict)
    stops: list[StopMove] = Factory(list)

    def read(self, records: Iterable[Record]) -> "TripReader":
        """Take in all records."""
        handlers: dict[str, Callable[[int, Record], None]] = {
            "plan_granted": self._plan_granted,
            "order_submitted": self._order_submitted,
            "order_amended": self._order_amended,
            "filled": self._filled,
            "foreign_filled": self._foreign_filled,
            "funding_booked": self._funding_booked,
            "ledger_handed_over": self._handed_over,
            "noted": self._noted,
        }
        for index, record in numbered(records, handlers):
            handlers[record[0]](index, record)
        return self

    def _plan_granted(self, _: int, record: Record) -> None:
        granted = next(self.plans)
        book = self.books.get(record[2])
        trip = None if book is None else book.current
        if trip is not None and trip.plan is None and not is_internal(granted.name):
            trip.plan = granted  # What was taken over is this plan's from now on.

    # -- stops ----------------------------------------------------------------------------------------------

    def _order_submitted(self, index: int, record: Record) -> None:
        self._moved(index, record, record[6])

    def _order_amended(self, index: int, record: Record) -> None:
        self._moved(index, record, record[3])

    def _moved(self, index: int, record: Record, price: Decimal | None) -> None:
        """An order has a price from now on: remember it of a stop, and of what closes a position with a gain."""
        want = self.known.owners[record[2]]
        leg, time_ms, bot = want.leg, record[1], want.plan.bot
        if price is None:
            return
        if leg.purpose is Purpose.STOP_LOSS:
            self.stops.append(StopMove(index, time_ms, bot, price))
        elif leg.purpose is Purpose.TAKE_PROFIT and leg.closes:
            trip = self._book(bot).current
            if trip is not None and (not trip.targets or trip.targets[-1][1] != price):
                trip.targets.append((time_ms, price))

    # -- money ----------------------------------------------------------------------------------------------

    def _filled(self, index: int, record: Record) -> None:
        _, time_ms, order_id, _, price, quantity, fee, _, _ = record
        want = self.known.owners[order_id]
        signed = quantity if want.leg.side is Side.BUY else -quantity
        place = (index, time_ms, want.plan.bot, want.plan.symbol)
        self._take(place, signed, price, fee, want, want.leg.purpose.value.lower())

    def _foreign_filled(self, index: int, record: Record) -> None:
        _, time_ms, bot, symbol, _, side, price, quantity, fee = record
        if bot:
            signed = quantity if side is Side.BUY else -quantity
            self._take((index, time_ms, bot, symbol), signed, price, fee, None, "liquidation")

    def _handed_over(self, index: int, record: Record) -> None:
        """One bot's position ends at its average price, and another one's begins there."""
        _, time_ms, bot, symbol, heir, quantity, price = record
        self._take((index, time_ms, bot, symbol), -quantity, price, ZERO, None, HANDED_OVER)
        self._take((index, time_ms, heir, symbol), quantity, price, ZERO, None, HANDED_OVER)

    def _take(
        self,
        place: tuple[int, int, str, str],
        signed: Decimal,
        price: Decimal,
        fee: Decimal,
        want: WantEntry | None,
        why: str,
    ) -> None:
        """A fill; one that turns the position around closes one trip and opens another."""
        held = self._book(place[2]).position.quantity
        if held and (held > ZERO) is not (signed > ZERO) and abs(signed) > abs(held):
            share = (fee * abs(held) / abs(signed)).quantize(TINY)
            self._part(place, -held, price, share, want, why)
            signed, fee = signed + held, fee - share
        self._part(place, signed, price, fee, want, why)

    def _part(
        self,
        place: tuple[int, int, str, str],
        signed: Decimal,
        price: Decimal,
        fee: Decimal,
        want: WantEntry | None,
        why: str,
    ) -> None:
        index, time_ms, bot, _ = place
        book = self._book(bot)
        position = book.position
        trip = book.current
        if trip is None:
            trip = book.current = self._open(book, place, want, is_long=signed > ZERO)
        is_adding = (signed > ZERO) is trip.is_long
        position.apply(signed, price)
        trip.fees += fee
        trip.gross = position.realized_pnl - trip.realized
        quantity = abs(signed)
        if is_adding:
            trip.entries.add(want)
            trip.quantity += quantity
            trip.invested += quantity * price
            trip.averages.append((time_ms, position.average_price))
            return
        trip.sold += quantity
        trip.proceeds += quantity * price
        if not position.quantity or self.is_flat(bot, position.quantity, price):
            trip.closed_at, trip.closed_ms = index, time_ms
            trip.reason = trip.reason or why
            book.current = None

    def _open(
        self, book: _Book, place: tuple[int, int, str, str], want: WantEntry | None, *, is_long: bool
    ) -> _Trip:
        index, time_ms, bot, symbol = place
        plan = None if want is None else want.plan
        realized = book.position.realized_pnl
        trip = _Trip(bot, symbol, len(book.trips) + 1, plan, is_long, index, time_ms, realized)
        book.trips.append(trip)
        return trip

    def _funding_booked(self, _: int, record: Record) -> None:
        book = self.books.get(record[2])
        if book is not None and book.current is not None:
            book.current.funding += record[4]

    def _noted(self, _: int, record: Record) -> None:
        """An exit has begun, for a position that is still held or by the very fill that has closed it."""
        _, time_ms, bot, reason, why = record
        book = self.books.get(bot)
        if reason != EXIT_BEGUN or book is None or not book.trips:
            return
        last = book.trips[-1]
        if last.closed_ms is None or last.closed_ms == time_ms:
            last.reason = why

    def _book(self, bot: str) -> _Book:
        if bot not in self.books:
            self.books[bot] = _Book()
        return self.books[bot]


def round_trips(
    records: Iterable[Record],
    known: RecordReader,
    candles: Mapping[str, Candles],
    is_flat: IsFlat,
    held_stops: Sequence[StopMove] = (),
) -> tuple[list[RoundTrip], dict[int, RoundTrip]]:
    """All positions in order of opening, and by the id of the plan that opened them.

    `known` has read these records; `held_stops` are stops that the engine held itself. Call it inside
    `money_context`.
    """
    reader = TripReader(is_flat, known).read(records)
    for moves in (reader.stops, held_stops):
        _lay_stops(reader.books, moves)
    read = [trip for book in reader.books.values() for trip in book.trips]
    read.sort(key=lambda trip: trip.opened_at)
    made = [_finished(trip, candles[trip.symbol]) for trip in read]
    by_plan: dict[int, RoundTrip] = {}
    for trip, done in zip(read, made, strict=True):
        by_plan.setdefault(0 if trip.plan is None else trip.plan.number, done)
    return made, by_plan


def _lay_stops(books: Mapping[str, _Book], moves: Sequence[StopMove]) -> None:
    """Give each move of a stop to the position that it protected; one made ahead counts from the opening on."""
    nexts = {bot: iter(book.trips) for bot, book in books.items()}
    current = {bot: next(each, None) for bot, each in nexts.items()}
    for move in moves:
        trip = current.get(move.bot)
        while trip is not None and trip.closed_at is not None and move.position > trip.closed_at:
            trip = current[move.bot] = next(nexts[move.bot], None)
        if trip is None:
            continue
        if move.position <= trip.opened_at:
            trip.stops[:] = [] if move.price is None else [(trip.opened_ms, move.price)]
        elif not trip.stops or trip.stops[-1][1] != move.price:
            trip.stops.append((max(move.time_ms, trip.opened_ms), move.price))


def _finished(trip: _Trip, candles: Candles) -> RoundTrip:
    entry = PRICE.divide(trip.invested, trip.quantity)
    leaving = PRICE.divide(trip.proceeds, trip.sold) if trip.sold else None
    above, below = _excursions(trip, candles, entry, leaving)
    plan = trip.plan
    return RoundTrip(
        bot=trip.bot,
        symbol=trip.symbol,
        number=trip.number,
        plan="" if plan is None else plan.name,
        asked_ms=trip.opened_ms if plan is None else plan.time_ms,
        evidence={} if plan is None else plan.evidence,
        is_long=trip.is_long,
        opened_ms=trip.opened_ms,
        closed_ms=trip.closed_ms,
        reason="" if trip.closed_ms is None else trip.reason,
        entries=len(trip.entries),
        quantity=trip.quantity,
        invested=trip.invested,
        entry_price=entry,
        exit_price=leaving,
        gross_profit=trip.gross,
        fees=trip.fees,
        funding=trip.funding,
        mfe=above if trip.is_long else below,
        mae=below if trip.is_long else above,
        averages=tuple(trip.averages),
        stops=tuple(trip.stops),
        targets=tuple(trip.targets),
    )


def _excursions(
    trip: _Trip, candles: Candles, entry: Decimal, leaving: Decimal | None
) -> tuple[Decimal, Decimal]:
    """How far above and below its entry the price has been while the position was held."""
    times, length = candles.open_time, candles.duration_ms
    end_ms = int(times[-1]) + length if trip.closed_ms is None else trip.closed_ms
    first = int(times.searchsorted(trip.opened_ms))
    last = int(times.searchsorted(end_ms - length, side="right"))
    seen = [entry] if leaving is None else [entry, leaving]
    if 0 < first <= last and trip.opened_ms < int(times[first - 1]) + length:
        seen.append(_exact(candles.close[first - 1]))
    if first < last:
        seen += (_exact(candles.high[first:last].max()), _exact(candles.low[first:last].min()))
    return max(seen) - entry, entry - min(seen)


def _exact(price: Any) -> Decimal:
    return Decimal(repr(float(price)))
