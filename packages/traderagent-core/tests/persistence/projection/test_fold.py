"""The fold of records into rows: repeatable, indifferent to how it is cut, and equal to the account itself."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from traderagent_core.account.account import Account
from traderagent_core.model.position import money_context
from traderagent_core.persistence.journal.entry import Entry, EntryKind, to_text
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.payloads import records_payload, setup_payload
from traderagent_core.persistence.projection.fold import Projection
from traderagent_core.testing.markets import MARKETS

ZERO = Decimal(0)
Tables = dict[str, dict[tuple[Any, ...], dict[str, Any]]]
OPENED = {"format": 1, "epoch": 1, "owner": {"account": "a", "since_ms": 1_704_000_000_000}}


def entries_of(world: Any, seed: int) -> list[Entry]:
    """The entries of a journal of a run, in steps of random size."""
    random, records = Random(seed), world.records
    payloads: list[tuple[EntryKind, Any]] = [
        (EntryKind.OPENED, OPENED),
        (EntryKind.SETUP, setup_payload(world.bots, Decimal(1), "")),
    ]
    position = 0
    while position < len(records):
        size = random.randint(1, 30)
        payloads.append((EntryKind.RECORDS, records_payload(records[position : position + size])))
        position += size
    return [Entry(index + 1, kind, to_text(payload)) for index, (kind, payload) in enumerate(payloads)]


def fold(entries: list[Entry], drain_at: Callable[[int], bool] = lambda _: False) -> Tables:
    """Tables as they are after every drain was written."""
    from traderagent_core.persistence.database.tables import metadata

    keys = {name: [column.name for column in table.primary_key] for name, table in metadata.tables.items()}
    projection, tables = Projection("a"), Tables()

    def write() -> None:
        for name, rows in projection.drain().items():
            for row in rows:
                tables.setdefault(name, {})[tuple(row[column] for column in keys[name])] = row

    for entry in entries:
        projection.take(entry)
        if drain_at(entry.sequence):
            write()
    write()
    return tables


def values(tables: Tables, name: str) -> list[dict[str, Any]]:
    return list(tables.get(name, {}).values())


@pytest.mark.parametrize("name", MARKETS)
def test_rows_agree_with_the_account_that_the_engine_has(name: str, worlds: Callable[..., Any]) -> None:
    world = worlds(name)
    account: Account = world.run.engine.account
    tables = fold(entries_of(world, 1))
    with money_context():
        for ledger in account.ledgers.values():
            row = tables["positions"].get(("a", ledger.bot, ledger.symbol))
            if row is None:
                assert not ledger.bought_quantity
                continue
            assert row["quantity"] == ledger.quantity
            assert row["realized_pnl"] == ledger.realized_pnl
            assert row["fees"] == ledger.fees
            assert (row["cycles"], row["cycle_profit"]) == (ledger.cycles, ledger.cycle_profit)
        for order in [*account.orders.values(), *account.closed_orders.values()]:
            row = tables["orders"]["a", order.client_order_id]
            found = (row["status"], row["filled"], row["price"], row["quantity"], row["reason"])
            assert found == (order.status.value, order.filled, order.price, order.quantity, order.reason)


@pytest.mark.parametrize("name", MARKETS)
def test_rows_add_up(name: str, worlds: Callable[..., Any]) -> None:
    tables = fold(entries_of(worlds(name), 1))
    trades, orders = values(tables, "trades"), values(tables, "orders")
    with money_context():
        for position in values(tables, "positions"):
            own = [row for row in trades if row["symbol"] == position["symbol"]]
            signed = [row["quantity"] if row["side"] == "BUY" else -row["quantity"] for row in own]
            assert sum(signed, ZERO) == position["quantity"]
            assert sum((row["fee"] for row in own), ZERO) == position["fees"]
            assert sum((row["realized_pnl"] for row in own), ZERO) == position["realized_pnl"]
            levels = [row for row in values(tables, "grid_levels") if row["bot"] == position["bot"]]
            if levels:
                assert sum(row["cycles"] for row in levels) == position["cycles"]
                assert sum((row["profit"] for row in levels), ZERO) == position["cycle_profit"]
        for row in orders:
            own = [trade for trade in trades if trade["client_order_id"] == row["client_order_id"]]
            assert sum((trade["quantity"] for trade in own), ZERO) == row["filled"]
            assert sum((trade["price"] * trade["quantity"] for trade in own), ZERO) == row["notional"]
            assert sum((trade["fee"] for trade in own), ZERO) == row["fee"]
    counted = Counter(row["bot"] for row in trades)
    assert {
        row["bot"]: row["executed_trades"] for row in values(tables, "strategies") if row["executed_trades"]
    } == counted


@pytest.mark.parametrize("name", MARKETS)
def test_deals_add_up(name: str, worlds: Callable[..., Any]) -> None:
    tables = fold(entries_of(worlds(name), 1))
    trades = {row["client_order_id"]: [] for row in values(tables, "orders")}
    for row in values(tables, "trades"):
        trades[row["client_order_id"]].append(row)
    deals = values(tables, "dca_deals")
    assert {row["bot"] for row in deals} == {"bot1"}
    assert sum(row["status"] == "OPEN" for row in deals) <= 1
    signals = values(tables, "dca_signals")
    assert sorted(row["plan_id"] for row in signals) == sorted(row["plan_id"] for row in deals)
    assert {row["evidence"] for row in signals} == {"why=start, confidence=0.75"}
    with money_context():
        for deal in deals:
            own = [row for row in values(tables, "dca_orders") if row["plan_id"] == deal["plan_id"]]
            fills = [trade for row in own for trade in trades[row["client_order_id"]]]
            bought = [trade for trade in fills if trade["side"] == "BUY"]
            assert sum((trade["quantity"] for trade in bought), ZERO) == deal["quantity"]
            assert sum((trade["price"] * trade["quantity"] for trade in bought), ZERO) == deal["invested"]
            assert sum((trade["realized_pnl"] for trade in fills), ZERO) == deal["realized_pnl"]
            assert sum((trade["fee"] for trade in fills), ZERO) == deal["fees"]
            steps = [row for row in values(tables, "dca_history") if row["plan_id"] == deal["plan_id"]]
            assert len(steps) == deal["steps"]
            assert sum((row["quantity"] for row in steps), ZERO) == deal["quantity"]
            if deal["status"] == "CLOSED":
                sold = sum((trade["quantity"] for trade in fills if trade["side"] == "SELL"), ZERO)
                assert sold == deal["quantity"]
                assert deal["reason"] in ("take_profit", "stop_loss", "fear")


def test_signals_tell_what_the_plan_fixed(world: Any) -> None:
    tables = fold(entries_of(world, 1))
    by_bot = {row["bot"]: row for row in values(tables, "signals")}
    assert by_bot["bot0"]["strategy"] == "ladder"
    assert by_bot["bot1"]["confidence"] == Decimal("0.75")
    dip = by_bot["bot2"]
    assert dip["direction"] == "LONG"
    assert dip["stop_price"] == pytest.approx(dip["entry_price"] * Decimal("0.92"))
    totals = {row["bot"]: row["total_signals"] for row in values(tables, "strategies")}
    assert totals == Counter(row["bot"] for row in values(tables, "signals"))


def test_bots_stand_where_the_operator_put_them(world: Any) -> None:
    tables = fold(entries_of(world, 1))
    status = {row["name"]: (row["status"], row["status_reason"]) for row in values(tables, "bots")}
    assert status["bot0"] == ("RUNNING", "")
    assert status["bot1"] == ("STOPPING", "")
    said = [(row["bot"], row["reason"], row["evidence"]) for row in values(tables, "bot_logs")]
    assert ("bot0", "operator_pause", "lunch") in said


def test_a_word_about_the_account_is_one_about_every_bot(world: Any) -> None:
    entries = entries_of(world, 1)
    halt = records_payload([("noted", 1_800_000_000_000, "", "operator_halt", "fire")])
    tables = fold([*entries, Entry(len(entries) + 1, EntryKind.RECORDS, to_text(halt))])
    status = {(row["status"], row["status_reason"]) for row in values(tables, "bots")}
    assert status == {("EMERGENCY", "fire")}


def test_bots_that_no_setup_described_have_rows_all_the_same(world: Any) -> None:
    entries = entries_of(world, 1)
    nameless = [entries[0], *(entry._replace(sequence=entry.sequence - 1) for entry in entries[2:])]
    tables = fold(nameless)
    assert {(row["name"], row["strategy"], row["symbol"]) for row in values(tables, "bots")} == {
        (bot.name, "", bot.symbol) for bot in world.bots
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(MARKETS)), seed=st.integers(1, 3), cuts=st.integers(0, 2**32))
def test_however_the_fold_is_cut_the_tables_are_the_same(
    name: str, seed: int, cuts: int, worlds: Callable[..., Any]
) -> None:
    entries = entries_of(worlds(name, seed), 1)
    random = Random(cuts)
    share = random.choice((0.01, 0.2, 1.0))
    assert fold(entries, lambda _: random.random() < share) == fold(entries)


def test_every_table_has_a_writer_and_every_row_has_every_column(
    world: Any, open_journal: Callable[..., Journal]
) -> None:
    from traderagent_core.persistence.database.tables import metadata

    journal = open_journal()
    world.journaled(journal, 1)
    projection = Projection("a")
    for entry in journal.entries():
        projection.take(entry)
    rows = projection.drain()
    elsewhere = {"journal", "exchange_credentials", "strategy_templates"}
    assert set(rows) == set(metadata.tables) - elsewhere
    for name, found in rows.items():
        assert {frozenset(row) for row in found} == {frozenset(metadata.tables[name].columns.keys())}


def test_entries_out_of_order_are_refused(world: Any) -> None:
    projection = Projection("a")
    entries = entries_of(world, 1)
    projection.take(entries[0])
    for wrong in (entries[0], entries[2]):
        with pytest.raises(ValueError, match="entry 2 is next"):
            projection.take(wrong)


def test_folding_needs_no_database(tmp_path: Path) -> None:
    import subprocess
    import sys

    program = (
        "import sys; import traderagent_core.persistence.projection.fold, traderagent_core.engine.engine\n"
        "import traderagent_core.persistence.journal.journal, traderagent_core.persistence.snapshots\n"
        "assert 'sqlalchemy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
