"""Rows of a position that went from one strategy to another: both positions, and the deal that goes on with it."""

from decimal import Decimal
from typing import Any

from attrs import evolve
from traderagent_core.contract.strategy import Strategy
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import At, AverageTimes, Fixed, Held, Leg, Plan
from traderagent_core.persistence.journal.entry import Entry, EntryKind, to_text
from traderagent_core.persistence.payloads import records_payload
from traderagent_core.persistence.projection.fold import Projection
from traderagent_core.testing import SPOT, Bot, Holder, HolderConfig, Run, candles_from_closes, start_turns

D = Decimal


class GoesOn(Strategy):
    """A deal of what another one has bought: one safety order, and a target."""

    def on_start(self, context: Any) -> None:
        """Only with something to begin with."""

    def takes_over(self, context: Any, position: Any) -> bool:
        return bool(position.quantity > 0)

    def on_take_over(self, context: Any) -> None:
        safety = Leg("so:01", "so:01", Side.BUY, Purpose.SAFETY, Fixed(D(2)), At(D(95)))
        target = Leg("tp", "tp", Side.SELL, Purpose.TAKE_PROFIT, Held(), AverageTimes(D("1.1")), closes=True)
        context.enter(Plan("deal", (safety, target), ("so:01", "tp")))


def tables(run: Run) -> dict[str, list[dict[str, Any]]]:
    """The last row of each key of each table, from a journal with the records in one entry."""
    projection = Projection("a")
    opened = {"format": 1, "epoch": 1, "owner": {"account": "a", "since_ms": 1_704_000_000_000}}
    for number, (kind, payload) in enumerate(
        ((EntryKind.OPENED, opened), (EntryKind.RECORDS, records_payload(run.records)))
    ):
        projection.take(Entry(number + 1, kind, to_text(payload)))
    return {name: list(rows) for name, rows in projection.drain().items()}


def turned(closes: list[float]) -> Run:
    candles = candles_from_closes(closes)
    first = Bot(Holder, HolderConfig(share=D("0.02")), candles, SPOT, name="first")
    return start_turns(
        first, evolve(first, strategy_class=GoesOn, name="second"), [int(candles.open_time[4])]
    ).run()


def test_both_positions_have_their_rows() -> None:
    rows = {row["bot"]: row for row in tables(turned([100] * 6))["positions"]}
    assert (rows["first"]["quantity"], rows["first"]["fees"]) == (0, D("0.2"))
    assert (rows["second"]["quantity"], rows["second"]["average_price"], rows["second"]["fees"]) == (
        2,
        100,
        0,
    )


def test_a_deal_begins_with_what_was_handed_over() -> None:
    (deal,) = tables(turned([100] * 5 + [94] * 2))["dca_deals"]
    assert (deal["bot"], deal["status"], deal["direction"], deal["steps"]) == ("second", "OPEN", "LONG", 1)
    assert (deal["quantity"], deal["invested"], deal["average_price"]) == (4, 390, D("97.5"))
    (closed,) = tables(turned([100] * 5 + [94] * 2 + [110] * 2))["dca_deals"]
    assert (closed["status"], closed["reason"]) == ("CLOSED", "take_profit")
    assert closed["realized_pnl"] == 4 * D("9.75")
