"""Runs of bots whose strategy is chosen by regime, looked at after every event."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from traderagent_core import Candles, load_config
from traderagent_core.account.state import WantStatus
from traderagent_core.config.loaded import Config
from traderagent_core.coordinator.allocator import added_up
from traderagent_core.data.loading import load_for_backtest
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.standing import Standing
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.position import money_context
from traderagent_core.simulator.preparing import Prepared, RunOptions, prepare
from traderagent_core.simulator.seats import seat
from traderagent_core.simulator.setting_up import engine_setup
from traderagent_core.testing.markets import changing_market
from traderagent_core.testing.restarting import RestartingEngine

ADDING = (Purpose.ENTRY, Purpose.SAFETY, Purpose.GRID_COUNTER)


def auto_bot(symbol: str, **changes: Any) -> dict[str, Any]:
    """A bot that trades whatever the regime asks for."""
    bot: dict[str, Any] = {
        "name": symbol.split("/")[0].lower(),
        "symbol": symbol,
        "strategy": "auto",
        "grid": {"bounds": "atr", "atr_multiplier": 4, "grid_levels": 8, "amount_per_grid": 100},
        "dca": {"trigger_percentage": "0.03", "amount_per_step": 100, "max_steps": 4},
        "trend": {},
    }
    return bot | changes


@pytest.fixture(scope="session")
def portfolio() -> Callable[..., Config]:
    """A configuration with one auto bot for each symbol; keys of the bots as a mapping, sections by name."""

    def make(symbols: Sequence[str], bot: Mapping[str, Any] | None = None, **sections: Any) -> Config:
        bots = [auto_bot(symbol, **(bot or {})) for symbol in symbols]
        return load_config({"simulation": {"balance": 5000 * len(symbols)}, "bots": bots, **sections})

    return make


@define
class Watched:
    """An engine that is looked at after every step: what must hold whatever happens."""

    inner: Any
    prepared: Prepared
    steps: int = 0
    untold: int = 0
    """Words of the venue that have not come yet."""
    largest_after_adding: Decimal = Decimal(0)
    seen: Counter[str] = field(factory=Counter)

    def step(self, event: Any) -> Any:
        effects = self.inner.step(event)
        self.steps += 1
        engine = self.inner.present
        self._ledgers_are_the_account(engine)
        for pair in engine.director.pairs.values():
            self._one_owner(pair)
        self._only_owners_add(engine)
        self._nothing_is_added_in_a_halt(engine, effects.records)
        self._nothing_that_adds_rests_where_nothing_may_be_added(engine)
        self._shares_keep_to_the_pool(engine)
        self._what_is_remembered_holds(engine)
        if engine.allocating is not None and any(
            record[0] == "order_submitted" for record in effects.records
        ):
            self._note_committed(engine, effects.records)
        return effects

    def _nothing_that_adds_rests_where_nothing_may_be_added(self, engine: Engine) -> None:
        """What adds to a position has been taken back, past the limit of a day and while a mode allows no entries."""
        for order in engine.account.orders.values():
            member, want = engine.members[order.want.plan.bot], order.want
            if member.is_over_daily_loss or not engine.guards.is_entry_allowed:
                held = member.ledger.quantity
                is_adding = not want.leg.is_exit and (not held or (held > 0) is (want.side is Side.BUY))
                assert order.is_canceling or want.status is not WantStatus.OPEN or not is_adding
                self.seen["held back"] += want.status is WantStatus.BLOCKED

    def _note_committed(self, engine: Engine, records: Sequence[Any]) -> None:
        """After orders that add, what is committed is not more than the active pool."""
        wants = [engine.account.wants.get(record[3]) for record in records if record[0] == "order_submitted"]
        adding = [want for want in wants if want is not None and want.leg.purpose in ADDING]
        if not adding or any(engine.planner.reduces(engine.members[want.plan.bot], want) for want in adding):
            return
        with money_context():
            used = engine.allocating.used_ratio()  # type: ignore[union-attr]
        self.largest_after_adding = max(self.largest_after_adding, used)

    def _what_is_remembered_holds(self, engine: Engine) -> None:
        """What is corrected when something changes is what it would be if it were worked out now."""
        if engine.allocating is not None:
            with money_context():
                bound = [claimant.committed() for claimant in engine.allocating._claimants]
                assert engine.allocating._committed() == added_up(bound)
        account = engine.account
        assert account.held() == {symbol: quantity for symbol, quantity in account.net.items() if quantity}
        assert account.is_short is any(quantity < 0 for quantity in account.net.values())
        with money_context():
            for loss in engine.guards._losses():
                assert loss._flows == {member.name: member.ledger.flow for member in loss.members}
                assert loss._held == {member.name: member.ledger.quantity for member in loss.members}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def _ledgers_are_the_account(self, engine: Engine) -> None:
        exchange = self.prepared.driver.exchange
        if exchange.events or self.untold:
            return  # What the venue has done is not all told yet.
        for symbol, market in exchange.markets.items():
            assert engine.account.net_quantity(symbol) == market.position.quantity

    def _one_owner(self, pair: Any) -> None:
        standings = Counter(member.standing for member in pair.members.values())
        assert standings[Standing.OWNER] + standings[Standing.LEAVING] <= 1
        for member in pair.members.values():
            if member.standing is Standing.IDLE:
                self.seen["idle"] += 1

    def _only_owners_add(self, engine: Engine) -> None:
        """A strategy that lets go has no order that could make its position larger; an idle one has none at all.

        But for the stop of a position that it has handed over, until the heir's is at the venue; and for one that has
        come to life with an entry whose fill is still to be told.
        """
        for want in engine.account.wants.values():
            member = engine.members[want.plan.bot]
            if member.standing is Standing.OWNER or want.status is not WantStatus.OPEN:
                continue
            if want.slot.name == "stop" and not member.ledger.quantity:
                is_kept = any(other.ledger.quantity for other in engine.director.others(member))
                assert is_kept or any(
                    order.want.plan.bot == member.name and order.purpose in ADDING
                    for order in engine.account.orders.values()
                )
                self.seen["kept stop" if is_kept else "stop before its fill"] += 1
                continue
            assert member.standing is Standing.LEAVING or engine.halting.is_on
            if not want.leg.is_exit:
                held = member.ledger.quantity
                assert held
                assert (held > 0) is (want.side.value == "SELL")

    def _nothing_is_added_in_a_halt(self, engine: Engine, records: Sequence[Any]) -> None:
        if not engine.halting.is_on:
            return
        for record in records:
            if record[0] == "order_submitted":
                assert engine.account.wants[record[3]].leg.purpose not in ADDING

    def _shares_keep_to_the_pool(self, engine: Engine) -> None:
        """What all bots together may commit is never more than equity without its reserve."""
        if engine.allocating is None or self.steps % 20:
            return
        with money_context():
            shares = [
                engine.budget(next(iter(pair.members.values()))) for pair in engine.director.pairs.values()
            ]
            assert sum(shares) <= max(engine.guards.equity(), Decimal(0)) * Decimal("0.85")


@pytest.fixture(scope="session")
def watched() -> Callable[..., Prepared]:
    """Run a portfolio to its end, with restarts after some steps."""

    def run(
        config: Config,
        candles: Mapping[str, Candles],
        *,
        restart_at: Callable[[int], bool] | None = None,
        options: RunOptions | None = None,
        since: int | None = None,
        before: Callable[[Prepared], object] | None = None,
    ) -> Prepared:
        prepared = prepare(config, candles, options=options or RunOptions(start_ms=since))
        seating = seat(config)
        instruments = {each.symbol: each.instrument for each in prepared.engine.members.values()}
        first = [prepared.engine]

        def make() -> Engine:
            return first.pop() if first else Engine(engine_setup(config, seating, instruments), prepared.view)

        prepared.driver.engine = Watched(RestartingEngine(make, restart_at), prepared)  # type: ignore[assignment]
        if before is not None:
            before(prepared)
        with money_context():
            prepared.driver.run(prepared.end_ms)
        return prepared

    return run


@pytest.fixture(scope="session")
def switches() -> Callable[[Prepared], list[tuple[Any, ...]]]:
    """Who traded when: the records of regimes, owners and transitions of a run."""
    kinds = ("regime_changed", "owner_changed", "transition_began", "transition_ended")
    return lambda prepared: [record for record in prepared.driver.records if record[0] in kinds]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real market series."""
    folder = os.environ.get("TRADERAGENT_DATA")
    if not folder:
        pytest.skip("TRADERAGENT_DATA names no folder of market series")
    return Path(folder)


@pytest.fixture(scope="session")
def hourly(real_data: Path) -> Callable[..., dict[str, Candles]]:
    """Hourly candles of real spot markets: symbols, first and last time as ISO text, UTC."""

    def load(symbols: Sequence[str], first: str, last: str) -> dict[str, Candles]:
        times = [int(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000) for text in (first, last)]
        found: dict[str, Candles] = {}
        for symbol in symbols:
            found |= load_for_backtest(
                real_data, [symbol], "1h", *times, market="spot", with_earlier=True
            ).candles
        return found

    return load


@pytest.fixture(scope="session")
def made() -> Callable[..., dict[str, Candles]]:
    """Markets that change their habits every few days, so that every regime comes."""

    def make(symbols: Sequence[str], days: int = 60, seed: int = 1) -> dict[str, Candles]:
        return {symbol: changing_market(symbol, days, seed + place) for place, symbol in enumerate(symbols)}

    return make
