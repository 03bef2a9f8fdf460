"""What the first strategies do is kept: as rows folded from the journal, and as views and states in snapshots."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from traderagent_core import Instrument
from traderagent_core.engine.snapshot import snapshot
from traderagent_core.model.position import money_context
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.journal.lock import Owner
from traderagent_core.persistence.payloads import BotDescription, records_of, records_payload, setup_payload
from traderagent_core.persistence.projection.fold import Projection
from traderagent_core.persistence.snapshots import Snapshots
from traderagent_core.persistence.state_view import describe_engine
from traderagent_core.testing.harness import Bot, Run, run_bots
from traderagent_dca.config import DcaConfig
from traderagent_dca.strategy import DcaStrategy
from traderagent_grid.config import GridConfig
from traderagent_grid.strategy import GridStrategy
from traderagent_trend.config import TrendConfig
from traderagent_trend.strategy import TrendStrategy

GRID = GridConfig(lower_price="92", upper_price="108", grid_levels=17, amount_per_grid="150")
DCA = DcaConfig(trigger_percentage="0.03", amount_per_step="150", max_steps=4, take_profit_percentage="0.02")
Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def done() -> Run:
    """A grid, deals and trend trades in one engine."""
    from traderagent_core.testing.markets import market

    kinds = {"grid": (GridStrategy, GRID), "dca": (DcaStrategy, DCA), "trend": (TrendStrategy, TrendConfig())}
    bots = []
    for name, (strategy, config) in kinds.items():
        symbol = f"{name.upper()}/USDT"
        candles = evolve(market("ranging", rows=700, seed=3), symbol=symbol)
        instrument = Instrument(symbol, lot_size=Decimal("0.001"), min_notional=Decimal(5))
        bots.append(Bot(strategy, config, candles, instrument, name=name))
    return run_bots(bots)


@pytest.fixture
def journal(done: Run, tmp_path: Path) -> Any:
    """The journal of that run, a snapshot at its end."""
    journal = Journal.open(tmp_path / "a", Owner("a", "testing", 1, 0), reserve_bytes=0)
    described = [
        BotDescription(bot.name, bot.name, bot.instrument.symbol, "spot", "1h", bot.budget, bot.leverage)
        for bot in done.bots
    ]
    journal.append(EntryKind.SETUP, setup_payload(described, Decimal(60_000), "0" * 64))
    for start in range(0, len(done.records), 20):
        journal.append(EntryKind.RECORDS, records_payload(done.records[start : start + 20]))
    with money_context():
        Snapshots(tmp_path / "a").save(journal, snapshot(done.engine), describe_engine(done.engine))
    yield journal
    journal.close()


@pytest.fixture
def tables(journal: Journal) -> Tables:
    projection = Projection("a")
    for entry in journal.entries():
        projection.take(entry)
    return projection.drain()


def test_records_come_back_from_the_journal(done: Run, journal: Journal) -> None:
    kept = [
        record
        for entry in journal.entries()
        if entry.kind is EntryKind.RECORDS
        for record in records_of(entry.value)
    ]
    assert [record[:3] for record in kept] == [record[:3] for record in done.records]
    changed = [(one, two) for one, two in zip(kept, done.records, strict=True) if repr(one) != repr(two)]
    assert {one[0] for one, _ in changed} <= {"plan_granted"}, "only evidence may become plain"
    assert [records_payload([one]) for one, _ in changed] == [records_payload([two]) for _, two in changed]


def test_a_grid_has_its_levels(done: Run, tables: Tables) -> None:
    levels = [row for row in tables["grid_levels"] if row["bot"] == "grid"]
    assert len(levels) == 16
    ledger = done.engine.members["grid"].ledger
    assert sum(row["cycles"] for row in levels) == ledger.cycles > 0
    assert not [row for row in tables["grid_levels"] if row["bot"] != "grid"]


def test_deals_are_those_that_the_strategy_remembers(done: Run, tables: Tables) -> None:
    deals = [row for row in tables["dca_deals"] if row["bot"] == "dca" and row["status"] == "CLOSED"]
    assert deals
    ledger = done.engine.members["dca"].ledger
    still_open = [row for row in tables["dca_deals"] if row["status"] == "OPEN"]
    with money_context():
        realized = sum((row["realized_pnl"] for row in (*deals, *still_open)), Decimal(0))
    assert realized == ledger.realized_pnl
    assert all(row["direction"] == "LONG" and row["average_price"] for row in deals)


def test_a_snapshot_tells_people_how_each_bot_stands(done: Run, tables: Tables) -> None:
    states = {row["bot"]: json.loads(json.dumps(row["state"])) for row in tables["bot_state_snapshots"]}
    grid = states["grid"]
    live = [order for order in done.engine.account.orders.values() if order.want.plan.bot == "grid"]
    assert len(grid["orders"]) == len(live) > 0
    assert {"level", "price", "quantity", "side", "filled"} <= grid["orders"][0].keys()
    fills = [row for row in tables["trades"] if row["bot"] == "grid"]
    assert (grid["buys"], grid["sells"]) == tuple(
        sum(row["side"] == side for row in fills) for side in ("BUY", "SELL")
    )
    assert Decimal(grid["cycle_profit"]) == done.engine.members["grid"].ledger.cycle_profit
    assert {"initial", "current", "peak"} == grid["account"]["balance"].keys()
    assert {"is_halted", "halt_reason"} <= grid.keys()
    is_open = any(row["status"] == "OPEN" for row in tables["dca_deals"])
    assert (states["dca"]["deal"] is not None) == is_open
    assert states["trend"]["strategy"]["objects"]


def test_the_newest_snapshot_is_the_engine(
    done: Run, journal: Journal, run_again: Callable[[Any], Any]
) -> None:
    newest = Snapshots(journal.folder).newest(journal.sequence).snapshot
    assert newest is not None
    engine = run_again(newest.state)
    with money_context():
        assert snapshot(engine) == snapshot(done.engine)


@pytest.fixture
def run_again(done: Run) -> Callable[[Any], Any]:
    """A fresh engine of the same set-up, restored from a state."""
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.setup import BotSetup, EngineSetup
    from traderagent_core.engine.snapshot import restore

    def restored(state: Any) -> Engine:
        setups = tuple(
            BotSetup(bot.name, bot.name, bot.strategy_class(bot.config), bot.instrument, "1h", bot.budget)
            for bot in done.bots
        )
        engine = Engine(EngineSetup(setups, done.engine.setup.balance), done.engine.view)
        restore(engine, state)
        return engine

    return restored
