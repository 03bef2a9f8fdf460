"""Trades: the one that is open, and those that are over, with how far the price went for and against them."""

from decimal import Decimal

from attrs import evolve, frozen
from traderagent_core import Candles

ZERO = Decimal(0)


@frozen
class OpenTrade:
    """A trade from the moment at which it is asked for. Prices in quote currency, times in ms UTC.

    `price`, `stop` and `target` are as planned at the close that began it; |price - stop| is 1 R. `opened_ms` is
    the first fill, `quantity` and `notional` sum up the fills of the entry. `gained` and `costs` are what the
    ledger had made, before fees and funding, and paid of these when the trade was asked for. `high` and `low` are
    the extremes of the candles since the first fill that have been looked at, which are those that opened before
    `seen_ms`; `is_exact` is false once some have been missed.
    """

    entry: str
    is_long: bool
    price: Decimal
    stop: Decimal
    target: Decimal | None
    gained: Decimal
    costs: Decimal
    opened_ms: int = 0
    quantity: Decimal = ZERO
    notional: Decimal = ZERO
    high: float | None = None
    low: float | None = None
    seen_ms: int = 0
    is_exact: bool = True

    def with_fill(self, time_ms: int, quantity: Decimal, notional: Decimal) -> "OpenTrade":
        """The trade with one more execution of its entry."""
        return OpenTrade(
            self.entry,
            self.is_long,
            self.price,
            self.stop,
            self.target,
            self.gained,
            self.costs,
            self.opened_ms or time_ms,
            self.quantity + quantity,
            self.notional + notional,
            self.high,
            self.low,
            self.seen_ms,
            self.is_exact,
        )


@frozen
class Trade:
    """A trade that is over. `pnl` is net of fees and funding, in quote currency; prices are averages of fills.

    `mfe` and `mae` are the largest excursions in favour and against, in price, never negative: from the fill prices,
    the close of the candle of the first fill, and the extremes of all candles that lie wholly between the first fill
    and the end. What the candle of the exit did besides reaching the exit is not counted, since it may have come
    after it. `risk` is 1 R, the planned distance of entry and stop. `is_exact` is false where candles were missed
    (a pause longer than the look-back): then the true excursions may be larger.
    """

    entry: str
    side: str
    reason: str
    opened_ms: int
    closed_ms: int
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    pnl: Decimal
    risk: Decimal
    mfe: Decimal
    mae: Decimal
    is_exact: bool = True

    @property
    def mfe_ratio(self) -> Decimal:
        """Largest gain on paper as a ratio of the entry price."""
        return self.mfe / self.entry_price

    @property
    def mae_ratio(self) -> Decimal:
        """Largest loss on paper as a ratio of the entry price."""
        return self.mae / self.entry_price

    @property
    def mfe_r(self) -> Decimal:
        """Largest gain on paper in R."""
        return self.mfe / self.risk

    @property
    def mae_r(self) -> Decimal:
        """Largest loss on paper in R."""
        return self.mae / self.risk

    @property
    def pnl_r(self) -> Decimal:
        """The result in R: what was made for each unit of what was at stake."""
        return self.pnl / (self.risk * self.quantity)


LOOK_BACK = 1000
"""Candles that a trade's excursions are taken from at once; longer trades take them in parts."""


def extremes(trade: OpenTrade, candles: Candles) -> tuple[float | None, float | None, bool]:
    """The highest and lowest price since the first fill up to the last of these candles, and whether none is missing.

    `candles` are closed ones, `LOOK_BACK` of them or as many as there are since before the fill; those looked at
    before may be among them. None where no price after the fill is known yet.
    """
    times, high, low = candles.open_time, trade.high, trade.low
    first = int(times.searchsorted(trade.seen_ms or trade.opened_ms))
    if not trade.seen_ms and first and trade.opened_ms < times.item(first - 1) + candles.duration_ms:
        high = low = candles.close.item(
            first - 1
        )  # Of the fill's candle only its end is known to come after.
    if first < len(times):
        # Few candles mostly: on lists that is faster than in numpy.
        highest, lowest = max(candles.high[first:].tolist()), min(candles.low[first:].tolist())
        high = highest if high is None else max(high, highest)
        low = lowest if low is None else min(low, lowest)
    return high, low, trade.is_exact and (first > 0 or len(times) < LOOK_BACK)


def with_extremes(trade: OpenTrade, candles: Candles) -> OpenTrade:
    """The trade with these candles taken in."""
    if not len(candles) or candles.open_time[-1] + candles.duration_ms <= trade.opened_ms:
        return trade
    high, low, is_exact = extremes(trade, candles)
    return evolve(trade, high=high, low=low, seen_ms=int(candles.open_time[-1]) + 1, is_exact=is_exact)


def finished(
    trade: OpenTrade, candles: Candles, reason: str, closed_ms: int, gain: Decimal, costs: Decimal
) -> Trade:
    """The trade as it ended: `gain` is what it made before its `costs`, fees less funding."""
    high, low, is_exact = extremes(trade, candles)
    entry_price = trade.notional / trade.quantity
    exit_price = entry_price + (gain if trade.is_long else -gain) / trade.quantity
    top, bottom = max(entry_price, exit_price), min(entry_price, exit_price)
    if high is not None and low is not None:
        top, bottom = max(top, Decimal(repr(high))), min(bottom, Decimal(repr(low)))
    above, below = top - entry_price, entry_price - bottom
    return Trade(
        trade.entry,
        "LONG" if trade.is_long else "SHORT",
        reason,
        trade.opened_ms,
        closed_ms,
        trade.quantity,
        entry_price,
        exit_price,
        gain - costs,
        abs(trade.price - trade.stop),
        above if trade.is_long else below,
        below if trade.is_long else above,
        is_exact,
    )
