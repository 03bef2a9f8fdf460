"""How far a position went for and against: maximum favourable and adverse excursion (MFE, MAE)."""

from decimal import Decimal

from attrs import define, field, frozen
from traderagent_core import Candle, Side

from traderagent_smc.position.sizing import side_of

HUNDRED = Decimal(100)


@frozen
class Excursion:
    """A distance from the entry, at least 0: in quote currency, in per cent of the entry, in R."""

    price: Decimal
    percent: Decimal
    r: Decimal


@define
class Excursions:
    """Follows one position from its fill on, candle by candle."""

    entry: Decimal
    stop: Decimal
    side: Side = field(init=False)
    highest: Decimal = field(init=False)
    lowest: Decimal = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.side = side_of(self.entry, self.stop)
        self.highest = self.lowest = self.entry

    def take_fill_candle(self, candle: Candle, *, rested_from_open: bool) -> None:
        """The candle of the fill: only what provably came after it.

        The close always did. An order that rested since the candle's open was filled at the first touch of its
        price, so what lies beyond that price, seen from the open, came after.
        """
        start = Decimal(str(candle.open))
        self._take(candle.close)
        if rested_from_open and start >= self.entry:
            self._take(candle.low)
        if rested_from_open and start <= self.entry:
            self._take(candle.high)

    def take(self, candle: Candle) -> None:
        """A closed candle after the one of the fill."""
        self._take(candle.high)
        self._take(candle.low)

    def _take(self, price: float) -> None:
        exact = Decimal(str(price))
        self.highest = max(self.highest, exact)
        self.lowest = min(self.lowest, exact)

    @property
    def favourable(self) -> Excursion:
        """MFE."""
        return self._excursion(self.highest if self.side is Side.BUY else self.lowest)

    @property
    def adverse(self) -> Excursion:
        """MAE."""
        return self._excursion(self.lowest if self.side is Side.BUY else self.highest)

    def _excursion(self, price: Decimal) -> Excursion:
        distance = abs(price - self.entry)
        return Excursion(distance, HUNDRED * distance / self.entry, distance / abs(self.entry - self.stop))
