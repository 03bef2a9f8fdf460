"""What a trend follower shows in a report: its trades in quote currency and in R, and sums by what began them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from statistics import fmean

from attrs import frozen
from traderagent_core import Column, Exhibit, Note, RoundTrip, RunHistory, Table

from traderagent_trend.plan import TREND_PLAN

TRADE_CLOSED = "trade_closed"
HOUR_MS = 3_600_000

TRADES = (
    Column("number", "No", "count"),
    Column("side", "Side"),
    Column("entry_kind", "Began by"),
    Column("opened", "Opened", "time"),
    Column("closed", "Closed", "time"),
    Column("reason", "Ended by"),
    Column("net", "Net", "money"),
    Column("net_r", "Net, R", "money"),
    Column("mfe", "MFE", "number"),
    Column("mfe_r", "MFE, R", "number"),
    Column("mae", "MAE", "number"),
    Column("mae_r", "MAE, R", "number"),
    Column("risk", "1 R", "number"),
    Column("entry", "Entry", "number"),
    Column("exit", "Exit", "number"),
    Column("first_stop", "First stop", "number"),
    Column("last_stop", "Last stop", "number"),
    Column("target", "Target", "number"),
    Column("quantity", "Quantity", "number"),
)
SUMS = (
    Column("entry_kind", "Began by"),
    Column("side", "Side"),
    Column("reason", "Ended by"),
    Column("trades", "Trades", "count"),
    Column("won", "Won", "count"),
    Column("win_rate", "Win rate", "ratio"),
    Column("mean_r", "Mean net, R", "money"),
    Column("mean_mfe_r", "Mean MFE, R", "number"),
    Column("mean_mae_r", "Mean MAE, R", "number"),
    Column("hours", "Mean hours", "number"),
    Column("net", "Net", "money"),
)
NOTE = (
    "1 R is the planned distance of entry and stop. MFE and MAE are the largest excursions for and against the trade,"
    " in quote currency for each unit and in R; net is after fees and funding."
)


@frozen
class Told:
    """A trade with what one of it has at stake, in price; None where no stop was ever known."""

    trip: RoundTrip
    risk: Decimal | None

    def in_r(self, price: Decimal) -> Decimal | None:
        """A distance of prices in R."""
        return price / self.risk if self.risk else None

    @property
    def net_r(self) -> Decimal | None:
        """What was made for each unit of what was at stake."""
        return self.in_r(self.trip.net_profit / self.trip.quantity)

    @property
    def entry_kind(self) -> str:
        """What began it."""
        return str(self.trip.evidence.get("entry", ""))

    @property
    def side(self) -> str:
        """LONG or SHORT."""
        return "LONG" if self.trip.is_long else "SHORT"


def exhibit(history: RunHistory) -> Exhibit:
    """The trade log and its sums; a trade that is still open has no end and counts in no sum."""
    trades = told_trades(history)
    log = Table("trades", "Trade log", TRADES, [_row(told) for told in trades], NOTE)
    over = [told for told in trades if told.trip.closed_ms is not None]
    return Exhibit((log, Table("trades_by_kind", "Trades by kind", SUMS, _sums(over))))


def told_trades(history: RunHistory) -> list[Told]:
    """The trades of a run with the risk that each was planned with."""
    risks = _risks(history.notes)
    return [
        Told(trip, risks.get(trip.closed_ms or 0) or _first_distance(trip))
        for trip in history.round_trips
        if trip.plan == TREND_PLAN
    ]


def _risks(notes: Sequence[Note]) -> Mapping[int, Decimal]:
    """What the strategy itself has noted at the end of each trade."""
    return {note.time_ms: Decimal(note.evidence["risk"]) for note in notes if note.reason == TRADE_CLOSED}


def _first_distance(trip: RoundTrip) -> Decimal | None:
    """The distance of entry and first stop, of a trade whose end was not noted."""
    price = trip.stops[0][1] if trip.stops else None
    return None if price is None else abs(trip.entry_price - price)


def _row(told: Told) -> tuple[str | int | Decimal | None, ...]:
    trip = told.trip
    stops = [price for _, price in trip.stops if price is not None]
    return (
        trip.number,
        told.side,
        told.entry_kind,
        trip.opened_ms,
        trip.closed_ms,
        trip.reason,
        trip.net_profit,
        told.net_r,
        trip.mfe,
        told.in_r(trip.mfe),
        trip.mae,
        told.in_r(trip.mae),
        told.risk,
        trip.entry_price,
        trip.exit_price,
        stops[0] if stops else None,
        stops[-1] if stops else None,
        trip.targets[-1][1] if trip.targets else None,
        trip.quantity,
    )


def _sums(trades: Sequence[Told]) -> list[tuple[str | int | float | Decimal | None, ...]]:
    groups: dict[tuple[str, str, str], list[Told]] = {}
    for told in trades:
        groups.setdefault((told.entry_kind, told.side, told.trip.reason), []).append(told)
    return [(*names, *_sum(group)) for names, group in sorted(groups.items())]


def _sum(trades: Sequence[Told]) -> tuple[int | float | Decimal | None, ...]:
    won = sum(told.trip.net_profit > 0 for told in trades)
    spans = [(told.trip.closed_ms or 0) - told.trip.opened_ms for told in trades]
    return (
        len(trades),
        won,
        won / len(trades),
        _mean([told.net_r for told in trades]),
        _mean([told.in_r(told.trip.mfe) for told in trades]),
        _mean([told.in_r(told.trip.mae) for told in trades]),
        fmean(spans) / HOUR_MS,
        sum((told.trip.net_profit for told in trades), Decimal(0)),
    )


def _mean(values: Sequence[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) / len(known) if known else None
