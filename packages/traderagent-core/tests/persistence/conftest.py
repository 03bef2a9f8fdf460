"""Journals in temporary folders, databases of their own, and records of whole simulated runs."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from attrs import evolve, frozen
from traderagent_core.account.state import Record
from traderagent_core.contract.strategy import Needs, Strategy
from traderagent_core.model.event import OperatorCommand
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import AverageTimes, FillTimes, Fixed, Held, Leg, Plan, Stop
from traderagent_core.model.timeframe import HOUR_MS
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.journal.lock import Owner
from traderagent_core.persistence.payloads import BotDescription, records_payload, setup_payload
from traderagent_core.testing.conditions import Bot, Conditions
from traderagent_core.testing.faulty_exchanges import SplittingExchange
from traderagent_core.testing.harness import run_bots
from traderagent_core.testing.markets import MARKETS, market
from traderagent_core.testing.postgres import databases
from traderagent_core.testing.run import Run
from traderagent_core.testing.specimens import DipBuyer, DipBuyerConfig, Ladder, LadderConfig

OWNER = Owner("bybit-7", "testing", 4711, 1_704_067_200_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the journal of an account is."""
    return tmp_path / "bybit-7"


@pytest.fixture
def open_journal(folder: Path) -> Iterator[Callable[..., Journal]]:
    """Opens the journal in `folder`; what is still open at the end is closed."""
    opened: list[Journal] = []

    def open_it(**options: Any) -> Journal:
        journal = Journal.open(folder, OWNER, **{"reserve_bytes": 4096, **options})
        opened.append(journal)
        return journal

    yield open_it
    for journal in opened:
        with suppress(Exception):
            journal.close()


# -- databases ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def new_postgres() -> Iterator[Callable[[], str]]:
    """Makes databases on the local PostgreSQL and drops them in the end; skips where no server answers."""
    pytest.importorskip("asyncpg", reason="PostgreSQL needs the extra: traderagent-core[postgres]")

    with databases() as there:

        def make() -> str:
            try:
                return there.make()
            except (OSError, TimeoutError) as error:
                pytest.skip(f"no PostgreSQL answers at {there.server}: {error}")

        yield make


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes URLs of empty databases, of one kind for the whole test."""
    if request.param == "postgresql":
        make: Callable[[], str] = request.getfixturevalue("new_postgres")
        return make
    return lambda: f"sqlite:///{tmp_path}/{uuid4().hex}.db"


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """The URL of an empty database."""
    return new_database()


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine to its end."""
    return asyncio.run


# -- worlds -------------------------------------------------------------------------------------------------


class Averager(Strategy):
    """DCA in a nutshell: a base order, safety orders below it, a target above the average; deal after deal."""

    @classmethod
    def needs(cls, config: Any) -> Needs:
        return Needs(fills=False)

    def on_start(self, context: Any) -> None:
        quantity = context.instrument.round_quantity(context.budget / context.price / 8)
        names = [f"safety{number}" for number in range(4)]
        sized = Fixed(quantity)
        legs = [Leg("base", "base", Side.BUY, Purpose.ENTRY, sized, then=(*names, "target"))]
        legs += [
            Leg(name, name, Side.BUY, Purpose.SAFETY, sized, FillTimes(1 - Decimal(number + 1) / 100, "base"))
            for number, name in enumerate(names)
        ]
        target = AverageTimes(Decimal("1.01"))
        legs.append(Leg("target", "target", Side.SELL, Purpose.TAKE_PROFIT, Held(), target, closes=True))
        stop = Stop(AverageTimes(Decimal("0.95")))
        context.enter(Plan("deal", tuple(legs), ("base",), stop, {"why": "start", "confidence": 0.75}))

    def on_candle(self, context: Any, candle: Any) -> None:
        """Not called."""

    def on_closed(self, context: Any, reason: str) -> None:
        self.on_start(context)


@frozen
class World:
    """A simulated run with what the projection is told of its bots."""

    run: Run
    bots: tuple[BotDescription, ...]

    @property
    def records(self) -> Sequence[Record]:
        """All records, in order."""
        return self.run.records

    def journaled(self, journal: Journal, seed: int) -> None:
        """Write setup and records, in steps of random size with snapshot marks between."""
        random = Random(seed)
        journal.append(EntryKind.SETUP, setup_payload(self.bots, Decimal(30_000), "0" * 64))
        position = 0
        while position < len(self.records):
            size = random.randint(1, 12)
            journal.append(EntryKind.RECORDS, records_payload(self.records[position : position + size]))
            position += size
            if random.random() < 0.1:
                view = {"bots": {bot.name: {"entry": journal.sequence} for bot in self.bots}, "account": {}}
                journal.append(EntryKind.SNAPSHOT, {"of": journal.sequence, "size": 0, "view": view})
        journal.sync()


@lru_cache(maxsize=32)
def make_world(name: str = "ranging", seed: int = 1, rows: int = 250) -> World:
    """Three bots on one market: a ladder, deals and a buyer of dips, their fills split at random."""
    kinds = ((Ladder, LadderConfig()), (Averager, None), (DipBuyer, DipBuyerConfig()))
    bots = []
    for number, (strategy, config) in enumerate(kinds):
        symbol = f"C{number}/USDT"
        candles = evolve(market(name, rows=rows, seed=seed + number), symbol=symbol)
        kind = Market.LINEAR if number == 1 else Market.SPOT
        instrument = Instrument(
            symbol, kind, lot_size=Decimal("0.001"), min_notional=Decimal(5), max_leverage=Decimal(5)
        )
        bots.append(Bot(strategy, config, candles, instrument, name=f"bot{number}"))
    start_ms = int(bots[0].candles.open_time[0])
    operator = [
        OperatorCommand(start_ms + 100 * HOUR_MS, "bot0", "pause", "lunch"),
        OperatorCommand(start_ms + 120 * HOUR_MS, "bot0", "resume", ""),
        OperatorCommand(start_ms + 150 * HOUR_MS, "bot1", "halt", "fear"),
        OperatorCommand(start_ms + 160 * HOUR_MS, "bot1", "acknowledge", ""),
    ]
    done = run_bots(bots, Conditions(exchange=SplittingExchange, operator=operator))
    described = tuple(
        BotDescription(
            bot.name,
            bot.strategy_class.__name__.lower(),
            bot.instrument.symbol,
            bot.instrument.market.value,
            "1h",
            bot.budget,
            bot.leverage,
        )
        for bot in bots
    )
    return World(done, described)


@pytest.fixture
def world() -> World:
    """The usual run."""
    return make_world()


@pytest.fixture
def worlds() -> Callable[..., World]:
    """Makes runs: worlds(market, seed)."""
    return make_world


MARKET_NAMES = tuple(MARKETS)
