"""A run that dies at any step goes on: no fill is lost or booked twice, no order is doubled."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from itertools import cycle, repeat
from pathlib import Path
from typing import Any

import pytest
from traderagent_core import load_config
from traderagent_core.account.account import Account
from traderagent_core.adapters.clocks import ManualClock
from traderagent_core.adapters.lockstep import LockstepAdapter
from traderagent_core.config.effective import effective
from traderagent_core.contract.exchange_adapter import Surroundings
from traderagent_core.contract.outcome import Outcome
from traderagent_core.engine.engine import Engine
from traderagent_core.errors import ConfigError
from traderagent_core.live.driver import Driver
from traderagent_core.live.lockstep import keep_lockstep
from traderagent_core.live.recovery import save_state
from traderagent_core.live.reloading import go_over
from traderagent_core.live.session import Session, trade
from traderagent_core.live_run import manifest_of
from traderagent_core.model.position import money_context
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.persistence.payloads import records_of
from traderagent_core.persistence.snapshots import Snapshots
from traderagent_core.replay import replay
from traderagent_core.simulator.instruments import make_instrument
from traderagent_core.testing import market

HOUR_MS = 3_600_000
CANDLES = market("ranging", timeframe="15m", rows=700)
START_MS = int(CANDLES.open_time[0]) + 60 * HOUR_MS
BOOT_MS = START_MS - CANDLES.duration_ms
END_MS = int(CANDLES.open_time[-1]) + CANDLES.duration_ms
EDITED_MS = START_MS + 6 * HOUR_MS
AFTERWARDS_MS = 600_000
"""Time in which nothing trades any more, so that everything that was under way is found out."""

APPEND = Journal.append
SECTIONS: dict[str, dict[str, Any]] = {
    "grid": {"upper_price": 108, "lower_price": 92, "grid_levels": 14, "amount_per_grid": 100},
    "dca": {"amount_per_step": 150, "trigger_percentage": "0.01", "take_profit_percentage": "0.01"},
}


class Crash(Exception):
    """The process ends here."""


class Crasher:
    """Ends the process at the so many-th moment: before and after each entry, and each request, and its effect."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.moments = 0

    def moment(self) -> None:
        self.moments += 1
        if self.moments == self.at:
            raise Crash


class LastingVenue(LockstepAdapter):
    """An exchange that outlives the process that trades at it."""

    crasher: Crasher
    faults: Iterator[str] = repeat("")

    async def close(self) -> None:
        pass

    async def submit(self, request: Any) -> Outcome:
        return await self._write(lambda: super(LastingVenue, self).submit(request))

    async def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        return await self._write(lambda: super(LastingVenue, self).cancel(symbol, client_order_id))

    async def _write(self, call: Callable[[], Awaitable[Outcome]]) -> Outcome:
        self.crasher.moment()
        fault = next(self.faults)
        if fault == "lost request":
            return Outcome.unknown("timeout")
        if fault == "not processed":
            return Outcome.not_processed("10002", retry_after_ms=500)
        outcome = await call()
        self.crasher.moment()
        return Outcome.unknown("timeout") if fault == "lost reply" else outcome


class World:
    """One venue, and processes that trade at it one after the other."""

    def __init__(self, folder: Path, strategy: str, kind: str, *, saves: bool = False) -> None:
        self.saves = saves
        bot = {"name": "bot", "symbol": "BTC/USDT", "strategy": strategy, "market": kind}
        stop = {"risk_management": {"stop_loss_percentage": "0.05"}}
        self.config = load_config({"bots": [{**bot, **stop, strategy: SECTIONS[strategy]}]})
        self.folder = folder
        self.clock = ManualClock(BOOT_MS)
        instrument = make_instrument(self.config.bots[0], self.config.simulation, CANDLES)[0]
        surroundings = Surroundings(
            self.clock, {"BTC/USDT": instrument.market}, simulation=self.config.simulation
        )
        self.venue = LastingVenue(None, surroundings, [instrument], {"BTC/USDT": CANDLES}, start_ms=BOOT_MS)
        self.crashes = 0
        self.edited: Any = None
        self.setups: list[int] = []
        """How many moments had passed before each entry that tells a configuration."""

    def run(self, monkeypatch: Any, *crash_at: int) -> Engine:
        """Run to the end, dying at those moments of the first, second … process."""
        for at in (*crash_at, 0):
            crasher = self.venue.crasher = Crasher(at)

            def dying(journal: Any, *entry: Any, crasher: Crasher = crasher) -> int:
                if entry[0] is EntryKind.SETUP:
                    self.setups.append(crasher.moments)
                crasher.moment()
                sequence = APPEND(journal, *entry)
                crasher.moment()
                return sequence

            monkeypatch.setattr(Journal, "append", dying)
            try:
                return asyncio.run(self._live())
            except Crash:
                self.crashes += 1
                self._pass_time()
        raise AssertionError("the last process does not die")

    def _pass_time(self) -> None:
        """The market goes on while nobody is there."""
        self.clock._sleepers.clear()
        until_ms = self.clock.now_ms() + 5 * HOUR_MS
        while (moment := self.venue.next_moment()) is not None and moment[0] <= min(until_ms, END_MS):
            self.clock.move_to(moment[0])
            asyncio.run(self.venue.happen())

    async def _live(self) -> Engine:
        session = Session(
            self.config,
            self.venue,
            self.folder,
            "test",
            "15m",
            lambda *_, **__: None,
            manifest_of(self.config),
            run_id="sim",
            history_ms=BOOT_MS,
            start_ms=START_MS,
            grace_ms=0,
            quote=self.venue.quote,
            levels=self.venue.levels,
        )
        keepers = [keep_lockstep(self.venue, self.clock, END_MS + AFTERWARDS_MS)]
        keepers += [self._save] if self.saves else []
        keepers += [self._edit] if self.edited is not None else []
        return (await trade(session, *keepers)).engine

    async def _edit(self, driver: Driver) -> None:
        """The configuration is another one from the middle of the run on."""
        await self.clock.sleep_until(EDITED_MS)
        self.config = self.edited
        driver.tell(lambda: go_over(driver, self.edited, "edited"))
        await asyncio.Event().wait()

    async def _save(self, driver: Driver) -> None:
        """A snapshot every five hours."""
        log = driver.stepper.log
        assert isinstance(log, Journal)
        while True:
            await self.clock.sleep_until(self.clock.now_ms() + 5 * HOUR_MS)
            driver.tell(lambda: save_state(driver.stepper, log, Snapshots(self.folder)))


def check(world: World, engine: Engine) -> None:
    """What has to be true whatever happened."""
    account: Account = engine.account
    venue = world.venue
    kept = Account("sim")
    for entry in read_entries(world.folder, 0):
        if entry.kind is EntryKind.RECORDS:
            with money_context():
                kept.fold(records_of(entry.value))
    assert (set(kept.orders), set(kept.seen_trades)) == (set(account.orders), set(account.seen_trades))
    assert kept.flow() == account.flow()
    fills = venue.log.fills
    assert set(account.seen_trades) == {fill.trade_id for fill in fills}
    assert account.net_quantity("BTC/USDT") == venue.exchange.markets["BTC/USDT"].position.quantity
    with money_context():
        assert account.flow() == venue.exchange.flow - venue.exchange.balance
    assert set(account.orders) == set(venue.log.open)
    slots = Counter(order.want.slot.name for order in account.orders.values())
    assert all(count == 1 for count in slots.values())
    assert not account.ledgers.get(("", "BTC/USDT")), "nothing was foreign"


def moments_of(tmp_path: Path, monkeypatch: Any, strategy: str, kind: str) -> tuple[int, World, Engine]:
    world = World(tmp_path / "whole", strategy, kind)
    engine = world.run(monkeypatch)
    check(world, engine)
    return world.venue.crasher.moments, world, engine


@pytest.mark.parametrize(("strategy", "kind"), [("grid", "spot"), ("dca", "linear")])
def test_a_process_that_dies_anywhere_goes_on(
    strategy: str, kind: str, tmp_path: Path, monkeypatch: Any
) -> None:
    moments, whole, _ = moments_of(tmp_path, monkeypatch, strategy, kind)
    assert len(whole.venue.log.fills) > 10
    for at in (*range(1, 40, 3), *range(40, moments, max(1, moments // 12))):
        world = World(tmp_path / f"{at}", strategy, kind)
        engine = world.run(monkeypatch, at)
        assert world.crashes == 1, at
        check(world, engine)


def test_a_second_death_while_recovering(tmp_path: Path, monkeypatch: Any) -> None:
    for first, second in ((30, 1), (31, 2), (60, 3), (61, 6), (120, 10), (200, 20), (300, 40)):
        world = World(tmp_path / f"{first}-{second}", "grid", "linear")
        engine = world.run(monkeypatch, first, second, 3)
        assert world.crashes == 3
        check(world, engine)


def test_a_snapshot_before_the_death_changes_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    for saves in (False, True):
        world = World(tmp_path / f"{saves}", "dca", "linear", saves=saves)
        engine = world.run(monkeypatch, 90, 150, 70)
        assert world.crashes == 3
        assert len(list(world.folder.glob("*.snapshot"))) == (3 if saves else 1)
        check(world, engine)
        assert len(world.venue.log.fills) > 10


@pytest.mark.parametrize(
    "faults",
    [
        ("", "lost reply"),
        ("", "", "lost request"),
        ("not processed", ""),
        ("lost reply", "", "lost request", "", "not processed", ""),
    ],
    ids="+".join,
)
@pytest.mark.parametrize(("strategy", "kind"), [("grid", "spot"), ("dca", "linear")])
def test_lost_answers_double_nothing_and_lose_nothing(
    faults: tuple[str, ...], strategy: str, kind: str, tmp_path: Path, monkeypatch: Any
) -> None:
    world = World(tmp_path / "run", strategy, kind)
    world.venue.faults = cycle(faults)
    engine = world.run(monkeypatch)
    check(world, engine)
    assert len(world.venue.log.fills) > 10


def changed(config: Any, **keys: Any) -> Any:
    """The configuration with other keys of its bot."""
    content = effective(config)
    content["bots"][0] |= keys
    return load_config(content)


EDITS: dict[str, dict[str, Any]] = {
    "grid": {"grid": {**SECTIONS["grid"], "grid_levels": 9}},
    "dca": {
        "dca": {**SECTIONS["dca"], "amount_per_step": 100, "take_profit_percentage": "0.02"},
        "risk_management": {"stop_loss_percentage": "0.04", "max_position_size": 300},
    },
}


def setups(folder: Path) -> list[int]:
    return [entry.sequence for entry in read_entries(folder, 0) if entry.kind is EntryKind.SETUP]


def test_another_configuration_after_a_death_is_gone_over_to(tmp_path: Path, monkeypatch: Any) -> None:
    world = World(tmp_path / "run", "grid", "spot")
    other = changed(world.config, **EDITS["grid"])
    pass_time = World._pass_time

    def edit(own: World) -> None:
        pass_time(own)
        own.config = other

    monkeypatch.setattr(World, "_pass_time", edit)
    engine = world.run(monkeypatch, 200)
    check(world, engine)
    assert len(setups(world.folder)) == 2
    assert len([1 for order in engine.account.orders.values() if order.want.slot.name != "stop"]) <= 8
    assert replay(world.folder).difference is None


@pytest.mark.parametrize("saves", [False, True])
@pytest.mark.parametrize(("strategy", "kind"), [("grid", "spot"), ("dca", "linear")])
def test_a_death_around_a_change_of_configuration_changes_nothing(
    strategy: str, kind: str, saves: bool, tmp_path: Path, monkeypatch: Any
) -> None:
    whole = World(tmp_path / "whole", strategy, kind, saves=saves)
    whole.edited = changed(whole.config, **EDITS[strategy])
    check(whole, whole.run(monkeypatch))
    at = whole.setups[-1]
    for moment in (*range(at - 2, at + 12, 2), at + 60):
        world = World(tmp_path / f"{moment}", strategy, kind, saves=saves)
        world.edited = changed(world.config, **EDITS[strategy])
        engine = world.run(monkeypatch, moment)
        check(world, engine)
        assert world.crashes == 1
        assert len(setups(world.folder)) == 2
        assert engine.members["bot"].strategy.config == world.edited.bots[0].strategy_config
        assert replay(world.folder).difference is None


def test_other_bots_are_refused(tmp_path: Path, monkeypatch: Any) -> None:
    world = World(tmp_path / "run", "grid", "spot")
    other = changed(world.config, name="another")
    monkeypatch.setattr(World, "_pass_time", lambda own: setattr(own, "config", other))
    with pytest.raises(
        ConfigError, match=r"bots.bot: a bot → nothing; where a bot trades, and which bots there are"
    ):
        world.run(monkeypatch, 200)
