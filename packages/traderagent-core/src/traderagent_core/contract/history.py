"""The history of a finished run, as plugins read it to make their exhibits."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import Factory, frozen

from traderagent_core.contract.entry_filter import Verdict
from traderagent_core.model.candle import Candles
from traderagent_core.model.plan import Plan
from traderagent_core.model.position import MONEY


@frozen
class RoundTrip:
    """A position from flat to flat; what is too small to be sold counts as flat. Money in quote currency.

    `plan` is the one whose order opened it, `asked_ms` when that was granted. `closed_ms` and `exit_price` are None
    while it is open. Prices are averages of fills. `mfe` and `mae` are the largest excursions in favour and against,
    in price, never negative: from the fills, the close of the candle of the first fill and the extremes of the
    candles that lie wholly inside. `averages`, `stops` and `targets` are (time, price) of each change, `targets` of
    orders that close all that is held; a stop of None is gone.
    """

    bot: str
    symbol: str
    number: int
    plan: str
    asked_ms: int
    evidence: Mapping[str, Any]
    is_long: bool
    opened_ms: int
    closed_ms: int | None
    reason: str
    entries: int
    quantity: Decimal
    invested: Decimal
    entry_price: Decimal
    exit_price: Decimal | None
    gross_profit: Decimal
    fees: Decimal
    funding: Decimal
    mfe: Decimal
    mae: Decimal
    averages: tuple[tuple[int, Decimal], ...] = ()
    stops: tuple[tuple[int, Decimal | None], ...] = ()
    targets: tuple[tuple[int, Decimal], ...] = ()

    @property
    def net_profit(self) -> Decimal:
        """Realised so far, after fees and funding."""
        return MONEY.add(MONEY.subtract(self.gross_profit, self.fees), self.funding)


@frozen
class Note:
    """A note that a strategy has made, its evidence as the records tell it."""

    time_ms: int
    reason: str
    evidence: Mapping[str, str]


@frozen
class Judged:
    """A verdict of a filter: on which plan, at which price, whether the plan was granted in the end.

    `round_trip` is the position that the plan opened, if it did.
    """

    time_ms: int
    bot: str
    symbol: str
    plan: Plan
    price: Decimal
    verdict: Verdict
    is_granted: bool
    round_trip: RoundTrip | None = None


@frozen
class RunHistory:
    """What a run left behind. A strategy sees what is its own, a filter what it has judged.

    `candles(symbol, timeframe)` gives all candles up to the end, those before `start_ms` too; it raises DataError
    for a timeframe that the data cannot give.
    """

    start_ms: int
    end_ms: int
    timeframes: Mapping[str, str]
    candles: Callable[[str, str], Candles]
    round_trips: Sequence[RoundTrip] = ()
    notes: Sequence[Note] = ()
    verdicts: Sequence[Judged] = Factory(tuple)
