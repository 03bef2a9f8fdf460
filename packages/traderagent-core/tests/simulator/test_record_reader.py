"""What the records of any run are read back as adds up to what the account and the venue have."""

from decimal import Decimal, localcontext
from random import Random
from typing import Any

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from traderagent_core.account.account import Account
from traderagent_core.account.ledger import Ledger
from traderagent_core.model.position import MONEY
from traderagent_core.simulator.ledger_reader import LedgerReader
from traderagent_core.simulator.outcome_rows import fill_rows, order_rows, read_orders
from traderagent_core.simulator.record_reader import RecordReader
from traderagent_core.venue.exchange import SimulatedExchange

SLOW = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
ZERO = Decimal(0)


class Splitting(SimulatedExchange):
    """Fills in up to three parts."""

    def _parts(self, order: Any, quantity: Decimal) -> list[Decimal]:
        random = Random(order.request.client_order_id)
        lot = self.markets[order.request.symbol].instrument.lot_size
        parts: list[Decimal] = []
        while quantity > lot and len(parts) < 2 and random.random() < 0.6:
            part = max(quantity * random.randint(1, 9) // 10 // lot * lot, lot)
            parts.append(part)
            quantity -= part
        return [*parts, quantity] if quantity else parts


def last_prices(world: Any) -> dict[str, Decimal]:
    return {symbol: Decimal(repr(float(series.close[-1]))) for symbol, series in world.candles.items()}


@given(data=st.data(), exchange=st.sampled_from([SimulatedExchange, Splitting]))
@SLOW
def test_trades_and_open_lots_are_worth_what_the_fills_have_made(kit: Any, data: Any, exchange: Any) -> None:
    world = data.draw(kit.worlds())
    ran = kit.run(world, exchange=exchange)
    prices = last_prices(world)
    with localcontext(MONEY):
        reader = RecordReader(world.balance).read(ran.records)
        rows = fill_rows(ran.records, reader)
        made = fees = ZERO
        for row in rows:
            signed = row.quantity if row.side == "BUY" else -row.quantity
            made += signed * (prices[row.symbol] - row.price)
            fees += row.fee
        lots = [lot for own in reader.trades.lots.values() for lot in own.values()]
        assert all(lot.quantity > ZERO for lot in lots)
        closed = sum((row.gross_profit for row in reader.trades.rows), ZERO)
        still_open = sum(
            (
                lot.signed * prices[lot.symbol] - (lot.notional if lot.signed > ZERO else -lot.notional)
                for lot in lots
            ),
            ZERO,
        )
        assert closed + still_open == made
        in_trades = sum((row.fees for row in reader.trades.rows), ZERO)
        assert in_trades + sum((lot.fees for lot in lots), ZERO) == fees
        for symbol in world.candles:
            held = sum((lot.signed for lot in lots if lot.symbol == symbol), ZERO)
            assert held == ran.engine.account.net_quantity(symbol)


@given(data=st.data())
@SLOW
def test_rows_of_fills_and_orders_tell_what_the_account_tells(kit: Any, data: Any) -> None:
    world = data.draw(kit.worlds())
    ran = kit.run(world)
    with localcontext(MONEY):
        reader = RecordReader(world.balance).read(ran.records)
        fills = list(fill_rows(ran.records, reader))
        orders = list(order_rows(read_orders(ran.records, reader)))
        ledgers = ran.engine.account.ledgers.values()
        assert sum((fill.fee for fill in fills), ZERO) == sum((ledger.fees for ledger in ledgers), ZERO)
        live = {order.client_order_id for order in orders if order.status == "OPEN"}
        assert live == set(ran.engine.account.orders)
        assert len({order.client_order_id for order in orders}) == len(orders)
        filled = dict.fromkeys((order.client_order_id for order in orders), ZERO)
        for fill in fills:
            if fill.client_order_id:
                filled[fill.client_order_id] += fill.quantity
        assert filled == {order.client_order_id: order.filled for order in orders}
        assert [fill.time_ms for fill in fills] == sorted(fill.time_ms for fill in fills)
        assert all(order.final_ms is None or order.final_ms >= order.submitted_ms for order in orders)


def read_ledger(ledger: Ledger) -> dict[str, Any]:
    """What is asked of ledgers after the run."""
    unread = ("cycle_profit", "bought_quantity", "bought_notional")
    return {name: value for name, value in attrs.asdict(ledger).items() if name not in unread}


@given(data=st.data(), exchange=st.sampled_from([SimulatedExchange, Splitting]))
@SLOW
def test_ledgers_are_those_of_an_account_that_takes_in_the_records(
    kit: Any, data: Any, exchange: Any
) -> None:
    world = data.draw(kit.worlds())
    ran = kit.run(world, exchange=exchange)
    touched: set[Ledger] = set()
    with localcontext(MONEY):
        reader = LedgerReader(RecordReader(world.balance).read(ran.records), touched.add)
        handlers = reader.handlers()
        for record in ran.records:
            if record[0] in handlers:
                handlers[record[0]](record)
        account = Account()
        account.fold(ran.records)
    assert list(reader.ledgers) == list(account.ledgers)
    for key, ledger in account.ledgers.items():
        assert read_ledger(reader.ledgers[key]) == read_ledger(ledger)
    assert {ledger.bot for ledger in touched} >= {order.want.plan.bot for order in account.orders.values()}
