"""Which of several series of a symbol a run uses: the finest that fits and covers the period."""

from collections.abc import Iterable, Sequence

from attrs import field, frozen

from traderagent_core.data.names import SeriesKey
from traderagent_core.data.resampling import divides
from traderagent_core.data.times import iso
from traderagent_core.errors import DataError
from traderagent_core.model.timeframe import timeframe_ms

_NEARLY_ALL = 0.99
"""A finer series is taken although it covers this much of what the best one does: ends differ by a candle or so."""


@frozen
class Offer:
    """A series that could be used, and the open times of its first and last candle (ms UTC)."""

    key: SeriesKey
    first_ms: int
    last_ms: int

    @property
    def period(self) -> str:
        """First and last open time, for messages."""
        return f"{iso(self.first_ms)} to {iso(self.last_ms)}"

    @property
    def length_ms(self) -> int:
        """Length of one candle."""
        return timeframe_ms(self.key.timeframe)

    def __str__(self) -> str:
        return f"{self.key} ({self.period})"


@frozen
class Wish:
    """What a run asks for; None where it does not care. `end_ms` is exclusive."""

    symbol: str
    timeframe: str
    start_ms: int | None
    end_ms: int | None
    exchange: str | None = None
    market: str | None = None

    @property
    def source(self) -> str:
        """Exchange and market, as far as they are asked for."""
        return " ".join(filter(None, (self.exchange, self.market)))

    def is_from(self, offer: Offer) -> bool:
        """Whether an offer is of the exchange and market asked for."""
        key = offer.key
        return self.exchange in (None, key.exchange) and self.market in (None, key.market)

    def overlap(self, offer: Offer) -> int:
        """How much of the period an offer covers, in ms; zero or less when it lies outside."""
        first = offer.first_ms if self.start_ms is None else max(offer.first_ms, self.start_ms)
        last = offer.last_ms + offer.length_ms
        return (last if self.end_ms is None else min(last, self.end_ms)) - first

    def is_covered_by(self, offer: Offer) -> bool:
        """Whether an offer reaches to both ends of the period, give or take a candle."""
        slack = timeframe_ms(self.timeframe)
        reaches_start = self.start_ms is None or offer.first_ms <= self.start_ms + slack
        return reaches_start and (
            self.end_ms is None or offer.last_ms + offer.length_ms >= self.end_ms - slack
        )


@frozen
class Choice:
    """The series to use, and what the user should know about it."""

    offer: Offer
    notes: list[str] = field(factory=list)


def choose_offer(
    offers: Iterable[Offer],
    wish: Wish,
    *,
    prefer: tuple[str, str] | None,
    place: str,
    others: Sequence[str] = (),
) -> Choice:
    """The offer to use. Raises DataError when there is none, or when several exchanges or markets offer one.

    `others` are further symbols that `place` is known to hold, for the message.
    """
    known = [offer for offer in offers if not offer.key.is_funding and not offer.key.is_mark]
    of_symbol = [offer for offer in known if offer.key.symbol == wish.symbol]
    if not of_symbol:
        there = sorted({offer.key.symbol for offer in known} | set(others))
        raise DataError(f"no candles of {wish.symbol} in {place}; there: {', '.join(there) or 'none at all'}")
    meant = [offer for offer in of_symbol if wish.is_from(offer)]
    if not meant:
        raise DataError(
            f"no {wish.source} candles of {wish.symbol} in {place}; there: {_listed(of_symbol)}; choose another "
            "`market` of the bot or `simulation.data_exchange`, or import more"
        )
    fitting = [offer for offer in meant if divides(offer.key.timeframe, wish.timeframe)]
    if not fitting:
        raise DataError(
            f"{wish.timeframe} candles of {wish.symbol} cannot be built from what is in {place}: "
            f"{_listed(meant)}; choose another timeframe or import finer data"
        )
    within = [offer for offer in fitting if wish.overlap(offer) > 0]
    if not within:
        raise DataError(
            f"no candles of {wish.symbol} in the period asked for; in {place}: {_listed(fitting)}; "
            "choose another period or import more"
        )
    return _finest(_of_one_market(_preferred(within, prefer), wish, place), wish)


def _preferred(offers: list[Offer], prefer: tuple[str, str] | None) -> list[Offer]:
    if prefer is None:
        return offers
    offers = [offer for offer in offers if offer.key.exchange == prefer[0]] or offers
    return [offer for offer in offers if offer.key.market == prefer[1]] or offers


def _of_one_market(offers: list[Offer], wish: Wish, place: str) -> list[Offer]:
    exchanges = sorted({offer.key.exchange for offer in offers})
    markets = sorted({offer.key.market for offer in offers})
    if len(exchanges) > 1:
        raise DataError(
            f"several exchanges have {wish.symbol} in {place}: {_listed(offers)}; choose one, such as "
            f"`simulation: {{data_exchange: {exchanges[0]}}}` in the configuration"
        )
    if len(markets) > 1:
        raise DataError(
            f"several markets have {wish.symbol} in {place}: {_listed(offers)}; choose one, such as "
            f"`market: {markets[0]}` of the bot"
        )
    return offers


def _finest(offers: list[Offer], wish: Wish) -> Choice:
    finest_first = sorted(offers, key=lambda offer: offer.length_ms)
    chosen = next((offer for offer in finest_first if wish.is_covered_by(offer)), None)
    if chosen is None:
        most = max(map(wish.overlap, offers))
        chosen = next(offer for offer in finest_first if wish.overlap(offer) >= _NEARLY_ALL * most)
    longer = [
        offer for offer in offers if wish.overlap(offer) > wish.overlap(chosen) + timeframe_ms(wish.timeframe)
    ]
    finer = [offer for offer in offers if offer.length_ms < chosen.length_ms]
    notes = []
    if longer:
        notes.append(
            f"{wish.symbol}: runs on {_shown(chosen)}; coarser ones reach further: {_listed(longer)}"
        )
    if finer:
        notes.append(
            f"{wish.symbol}: runs on {_shown(chosen)}; finer ones do not cover the period: {_listed(finer)}"
        )
    return Choice(chosen, notes)


def _shown(offer: Offer) -> str:
    return f"{offer.key.timeframe} candles ({offer.period})"


def _listed(offers: Iterable[Offer]) -> str:
    return ", ".join(str(offer) for offer in offers)
