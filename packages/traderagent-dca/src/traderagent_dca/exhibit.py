"""What DCA shows in a report: its deals, how they ended, and how far down their ladders they went."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from attrs import evolve
from traderagent_core import Column, Exhibit, RoundTrip, RunHistory, Table

from traderagent_dca.config import DcaConfig
from traderagent_dca.deals import STOP_LOSS, Deal, cause
from traderagent_dca.shape import ZERO

HOUR_MS = 3_600_000

DEALS = (
    Column("number", "Deal", "count"),
    Column("begin", "Begin", "time"),
    Column("end", "End", "time"),
    Column("steps", "Steps", "count"),
    Column("average", "Average", "number"),
    Column("exit", "Exit", "number"),
    Column("quantity", "Quantity", "number"),
    Column("invested", "Invested", "number"),
    Column("realized", "Realised", "money"),
    Column("fees", "Fees", "number"),
    Column("funding", "Funding", "money"),
    Column("net", "Net", "money"),
    Column("mfe_ratio", "Best", "ratio"),
    Column("mae_ratio", "Worst", "ratio"),
    Column("reason", "Ended by"),
)
SUMS = (
    Column("deals", "Deals", "count"),
    Column("share", "Share", "ratio"),
    Column("won", "Won", "count"),
    Column("win_rate", "Win rate", "ratio"),
    Column("invested", "Mean invested", "number"),
    Column("hours", "Mean hours", "number"),
    Column("mean", "Mean net", "money"),
    Column("net", "Net", "money"),
)


def exhibit(config: DcaConfig, history: RunHistory) -> Exhibit:
    """Tables of the deals of a run; a deal that is still open has no end."""
    trips = [trip for trip in history.round_trips if trip.plan.startswith("deal:")]
    deals = [deal_of(config, trip) for trip in trips]
    over = [deal for deal, trip in zip(deals, trips, strict=True) if trip.closed_ms is not None]
    rows = [_row(deal, trip) for deal, trip in zip(deals, trips, strict=True)]
    of = config.safety_orders + 1
    note = (
        f"A whole ladder has {of} steps, the base order included. Best and worst are seen from the average."
    )
    by_reason = _sums(over, lambda deal: deal.reason)
    by_steps = _sums(over, lambda deal: deal.steps)
    return Exhibit(
        (
            Table("deals", "Deals", DEALS, rows, note),
            Table("deals_by_end", "Deals by their end", (Column("reason", "Ended by"), *SUMS), by_reason),
            Table("deals_by_steps", "Deals by steps", (Column("steps", "Steps", "count"), *SUMS), by_steps),
        )
    )


def deal_of(config: DcaConfig, trip: RoundTrip) -> Deal:
    """A position as the deal that it was."""
    deal = Deal(
        number=int(trip.plan.partition(":")[2]),
        opened_ms=trip.asked_ms,
        closed_ms=trip.closed_ms or 0,
        steps=trip.entries,
        quantity=trip.quantity,
        invested=trip.invested,
        average=trip.entry_price,
        realized=trip.gross_profit,
        fees=trip.fees,
        funding=trip.funding,
        reason=trip.reason,
    )
    if trip.reason != STOP_LOSS or trip.exit_price is None:
        return deal
    # Parts that were closed with a gain are in the mean exit: then the stop itself tells.
    stops = [price for _, price in trip.stops if price is not None]
    price = stops[-1] if stops and config.take_profit_steps else trip.exit_price
    return evolve(deal, reason=cause(config, deal, price))


def _row(deal: Deal, trip: RoundTrip) -> tuple[str | int | Decimal | None, ...]:
    return (
        deal.number,
        deal.opened_ms,
        trip.closed_ms,
        deal.steps,
        deal.average,
        trip.exit_price,
        deal.quantity,
        deal.invested,
        deal.realized,
        deal.fees,
        deal.funding,
        deal.profit,
        trip.mfe / trip.entry_price,
        trip.mae / trip.entry_price,
        deal.reason,
    )


def _sums(
    deals: Sequence[Deal], key: Callable[[Deal], str | int]
) -> list[tuple[str | int | float | Decimal, ...]]:
    """Deals grouped by a key, in its order."""
    groups: dict[str | int, list[Deal]] = {}
    for deal in deals:
        groups.setdefault(key(deal), []).append(deal)
    return [(name, *_sum(group, len(deals))) for name, group in sorted(groups.items())]


def _sum(deals: Sequence[Deal], total: int) -> tuple[int | float | Decimal, ...]:
    count = len(deals)
    won = sum(deal.profit > ZERO for deal in deals)
    net = _total(deal.profit for deal in deals)
    hours = sum(deal.closed_ms - deal.opened_ms for deal in deals) / count / HOUR_MS
    invested = _total(deal.invested for deal in deals) / count
    return count, count / total, won, won / count, invested, hours, net / count, net


def _total(values: Iterable[Decimal]) -> Decimal:
    return sum(values, ZERO)
