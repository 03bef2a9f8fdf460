"""Plays recorded candles to the venue model: prices, fills and funding in the order of their times."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from heapq import heappop, heappush
from itertools import count

from attrs import define, field

from traderagent_core.contract.venue_facts import Price
from traderagent_core.data.funding import FundingRates
from traderagent_core.model.candle import Candles
from traderagent_core.simulator.cursor import FUNDING_PHASE, OPEN_PHASE, VENUE_PHASE, Cursor
from traderagent_core.simulator.scan import BlockScan
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.path import PathPolicy, path_points

Moment = tuple[int, int]
"""Time in ms UTC, and the phase that orders equal times, as in the simulator."""


@define(eq=False)
class _Track:
    """One market on its way: the cursor that fills orders, and the next candle whose points are to be told."""

    symbol: str
    candles: Candles
    cursor: Cursor
    row: int = 0
    policy: PathPolicy = field(default=PathPolicy.DEFAULT)

    def points(self) -> list[tuple[Moment, float]]:
        """Where the price turns in the next candle, by the path that its orders see; the candle is then done."""
        candles, row = self.candles, self.row
        columns = (candles.open, candles.high, candles.low, candles.close)
        prices = (
            columns[0].item(row),
            columns[1].item(row),
            columns[2].item(row),
            columns[3].item(row),
        )
        held = self.cursor.market.position.quantity
        turns, length = path_points(self.policy, prices, (held > 0) - (held < 0))
        start, duration = candles.open_time.item(row), candles.duration_ms
        first = abs(turns[1] - turns[0])
        shares = (first / length, (first + abs(turns[2] - turns[1])) / length) if length else (0.0, 0.0)
        self.row += 1
        return [
            ((start, OPEN_PHASE), turns[0]),
            ((start + max(1, int(duration * shares[0])), VENUE_PHASE), turns[1]),
            ((start + max(1, int(duration * shares[1])), VENUE_PHASE), turns[2]),
            ((start + duration, VENUE_PHASE), turns[3]),
        ]


class CandleTape:
    """All markets of a venue model on recorded candles; moved only forwards, by `advance` and `bring`.

    Telling a price moves no market: a market is moved by what waits in it, by funding and by commands, as in the
    simulator, so that prices between two points of a path come out the same to the last digit.
    """

    def __init__(
        self,
        exchange: SimulatedExchange,
        candles: Mapping[str, Candles],
        policy: PathPolicy,
        funding: Iterable[FundingRates],
        start_ms: int,
    ) -> None:
        self._exchange = exchange
        self._tracks: dict[str, _Track] = {}
        self._due: list[tuple[Moment, int, str, float | None]] = []
        self._numbers = count()
        self._rates: dict[tuple[str, int], Decimal] = {}
        for symbol, series in candles.items():
            played = series.between(start_ms, None)
            market = exchange.markets[symbol]
            cursor = Cursor(market, exchange, played, policy, BlockScan(played))
            self._tracks[symbol] = _Track(symbol, played, cursor, policy=policy)
            self._enter_next(self._tracks[symbol])
        for rates in funding:
            self._plan_funding(rates, start_ms)

    def _plan_funding(self, rates: FundingRates, start_ms: int) -> None:
        for time_ms, rate in zip(rates.time_ms.tolist(), rates.rate.tolist(), strict=True):
            if time_ms >= start_ms:
                self._rates[rates.symbol, time_ms] = Decimal(repr(rate))
                heappush(self._due, ((time_ms, FUNDING_PHASE), next(self._numbers), rates.symbol, None))

    def _enter_next(self, track: _Track) -> None:
        if track.row >= len(track.candles):
            return
        next_open = int(track.candles.open_time[track.row])
        heappush(self._due, ((next_open, OPEN_PHASE), next(self._numbers), track.symbol, None))

    # -- moving ---------------------------------------------------------------------------------------------

    def next_moment(self) -> Moment | None:
        """When anything happens next; None when the tape is over."""
        hit, due = self._next_hit()[0], self._due[0][0] if self._due else None
        return min((moment for moment in (hit, due) if moment is not None), default=None)

    def advance(self, now_ms: int) -> Iterator[Price | None]:
        """Let everything happen that is due by now, one thing a step; a step gives the price it has told, if any."""
        while (moment := self.next_moment()) is not None and moment[0] <= now_ms:
            yield self.happen()

    def happen(self) -> Price | None:
        """Let the next thing happen, at its time; what waits in a book comes before all else of that moment."""
        hit, cursor = self._next_hit()
        if hit is None or cursor is None or (self._due and self._due[0][0] < hit):
            return self._happen()
        cursor.take()
        return None

    def bring(self, symbol: str, now_ms: int) -> None:
        """Move one market to a time by which everything has happened."""
        track = self._tracks[symbol]
        first_ms = int(track.candles.open_time[0]) if len(track.candles) else now_ms
        if now_ms >= first_ms:
            track.cursor.seek(max(now_ms, first_ms + 1))

    def _next_hit(self) -> tuple[Moment | None, Cursor | None]:
        first: Moment | None = None
        best: Cursor | None = None
        for track in self._tracks.values():
            hit = track.cursor.peek()
            if hit is not None and (first is None or hit < first):
                first, best = hit, track.cursor
        return first, best

    def _happen(self) -> Price | None:
        """The first thing due by its time alone: a funding, the opening of a candle, or a price inside it."""
        (time_ms, phase), _, symbol, price = heappop(self._due)
        track = self._tracks[symbol]
        if phase == FUNDING_PHASE:
            self.bring(symbol, time_ms)
            if self._exchange.markets[symbol].price == self._exchange.markets[symbol].price:
                self._exchange.settle_funding(symbol, self._rates.pop((symbol, time_ms)), time_ms)
            return None
        if price is None:
            opened, *rest = track.points()
            for moment, turn in rest:
                heappush(self._due, (moment, next(self._numbers), symbol, turn))
            self._enter_next(track)
            price = opened[1]
        return Price(time_ms, symbol, Decimal(repr(price)))
