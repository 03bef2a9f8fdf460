"""The book of trades: counters close their openings, exits close the oldest first, nothing is lost."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from traderagent_core.model.order import Side
from traderagent_core.simulator.trades import Lot, TradeBook

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
Book: Any = TradeBook


def opened(
    book: TradeBook, slot: str, time_ms: int, side: Side, price: str, quantity: str, fee: str = "0"
) -> Lot:
    lot = book.open("bot", "A/Q", slot, time_ms, side)
    lot.add(D(price), D(quantity), D(fee))
    return lot


def exited(book: TradeBook, time_ms: int, side: Side, price: str, quantity: str, fee: str = "0") -> None:
    book.exit("bot", "A/Q", "out", time_ms, side, D(price), D(quantity), D(fee))


def open_lots(book: TradeBook) -> list[Any]:
    return [(lot.slot, lot.signed, lot.notional) for lot in book.lots["bot"].values()]


def test_a_counter_closes_its_own_opening() -> None:
    book = Book()
    opened(book, "one", 1, BUY, "90", "2")
    low = opened(book, "two", 2, BUY, "80", "2", "0.1")
    book.cycle(low, opened(book, "two", 3, SELL, "85", "2", "0.2"), 3)
    (row,) = book.rows
    assert (row.kind, row.slot, row.position, row.opened_ms, row.closed_ms) == ("cycle", "two", "LONG", 2, 3)
    assert (row.quantity, row.entry_price, row.exit_price) == (2, 80, 85)
    assert (row.gross_profit, row.fees, row.net_profit) == (10, D("0.3"), D("9.7"))
    assert open_lots(book) == [("one", 2, 180)]


def test_a_short_cycle_gains_when_the_price_falls() -> None:
    book = Book()
    high = opened(book, "s", 1, SELL, "100", "3")
    book.cycle(high, opened(book, "s", 2, BUY, "96", "3"), 2)
    assert [(row.position, row.gross_profit) for row in book.rows] == [("SHORT", 12)]


def test_an_exit_to_flat_closes_everything_in_one_trade() -> None:
    book = Book()
    opened(book, "a", 5, BUY, "90", "1", "0.1")
    opened(book, "b", 3, BUY, "110", "3", "0.2")
    exited(book, 9, SELL, "100", "4", "0.3")
    (row,) = book.rows
    assert (row.kind, row.slot, row.position, row.opened_ms) == ("exit", "out", "LONG", 3)
    assert (row.quantity, row.entry_price, row.gross_profit, row.fees) == (4, 105, -20, D("0.6"))
    assert open_lots(book) == []


def test_a_partial_exit_takes_the_oldest_first() -> None:
    book = Book()
    opened(book, "a", 1, BUY, "90", "1")
    opened(book, "b", 2, BUY, "110", "3")
    exited(book, 9, SELL, "100", "2")
    assert [(row.quantity, row.gross_profit) for row in book.rows] == [(2, 0)]
    assert open_lots(book) == [("b", 2, 220)]


def test_longs_and_shorts_that_net_out_are_closed_together() -> None:
    book = Book()
    opened(book, "a", 1, BUY, "90", "3")
    opened(book, "b", 2, SELL, "110", "1")
    exited(book, 9, SELL, "100", "2")
    assert [(row.position, row.quantity, row.gross_profit) for row in book.rows] == [("LONG", 2, 40)]
    assert open_lots(book) == []


def test_a_counter_of_an_opening_that_an_exit_has_closed_is_open_again() -> None:
    book = Book()
    low = opened(book, "a", 1, BUY, "90", "1")
    exited(book, 2, SELL, "95", "1")
    book.cycle(low, opened(book, "a", 3, SELL, "100", "1"), 3)
    assert [row.kind for row in book.rows] == ["exit"]
    assert open_lots(book) == [("a", -1, 100)]


def test_a_counter_of_an_opening_that_is_partly_closed_closes_the_rest() -> None:
    book = Book()
    low = opened(book, "a", 1, BUY, "90", "3", "0.3")
    exited(book, 2, SELL, "95", "1", "0.1")
    book.cycle(low, opened(book, "a", 3, SELL, "100", "3", "0.3"), 3)
    assert [(row.kind, row.quantity, row.gross_profit) for row in book.rows] == [
        ("exit", 1, 5),
        ("cycle", 2, 20),
    ]
    assert [row.fees for row in book.rows] == [D("0.2"), D("0.4")]
    assert open_lots(book) == [("a", -1, 100)]


def test_an_exit_that_finds_nothing_to_close_opens() -> None:
    book = Book()
    opened(book, "a", 1, BUY, "90", "1")
    exited(book, 2, SELL, "95", "3", "0.3")
    assert [(row.quantity, row.gross_profit, row.fees) for row in book.rows] == [(1, 5, D("0.1"))]
    assert open_lots(book) == [("out", -2, 190)]


def test_parts_of_a_lot_add_up_to_it_when_thirds_do_not() -> None:
    book = Book()
    lot = opened(book, "a", 1, BUY, "10", "1", "0.01")
    lot.add(D("10.1"), D(2), D("0.0202"))
    parts = [lot.split(D(1)), lot.split(D(1)), lot]
    assert sum(part.notional for part in parts) == D("30.2")
    assert sum(part.fees for part in parts) == D("0.0302")


def test_the_average_of_one_price_is_that_price() -> None:
    lot = opened(TradeBook(), "a", 1, BUY, "0.1", "3")
    lot.add(D("0.1"), D(7), D(0))
    assert str(lot.price) == "0.1"
    lot.add(D("0.2"), D(10), D(0))
    assert lot.price == D("0.15")


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["open", "cycle", "exit", "add"]),
        st.sampled_from(Side),
        st.integers(80, 120),
        st.integers(1, 30),
        st.integers(0, 9),
    ),
    max_size=25,
)


@given(moves=MOVES)
def test_whatever_happens_rows_and_open_lots_are_worth_what_was_traded(moves: list[Any]) -> None:
    book, made, fees, net = Book(), D(0), D(0), D(0)
    openings: list[Lot] = []
    for time_ms, (what, side, price, tenths, pick) in enumerate(moves):
        at, quantity, fee = D(price), D(tenths) / 10, D(price) * tenths / 100_000
        held = [lot for lot in openings if book.holds(lot)]
        if what in ("cycle", "add") and not held:
            continue
        if what == "cycle":
            opening = held[pick % len(held)]
            side = opening.side.opposite
            closing = book.open("bot", "A/Q", "s", time_ms, side)
            closing.add(at, quantity, fee)
            book.cycle(opening, closing, time_ms)
        elif what == "add":
            lot = held[pick % len(held)]
            side = lot.side
            lot.add(at, quantity, fee)
        elif what == "open":
            lot = book.open("bot", "A/Q", "s", time_ms, side)
            lot.add(at, quantity, fee)
            openings.append(lot)
        else:
            book.exit("bot", "A/Q", "out", time_ms, side, at, quantity, fee)
        signed = quantity if side is BUY else -quantity
        made, fees, net = made + signed * (100 - at), fees + fee, net + signed
    lots = list(book.lots.get("bot", {}).values())
    worth = sum(
        (lot.signed * 100 - (lot.notional if lot.side is BUY else -lot.notional) for lot in lots), D(0)
    )
    assert sum((row.gross_profit for row in book.rows), D(0)) + worth == made
    assert sum((row.fees for row in book.rows), D(0)) + sum((lot.fees for lot in lots), D(0)) == fees
    assert sum((lot.signed for lot in lots), D(0)) == net
    assert all(row.quantity > 0 and row.opened_ms <= row.closed_ms for row in book.rows)
