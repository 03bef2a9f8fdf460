"""Filters and risk modes in the engine: their word binds, their faults harm nobody, what they know is saved."""

from decimal import Decimal
from typing import ClassVar

import pytest
from attrs import evolve, frozen
from traderagent_core.contract.entry_filter import EntryFilter, Ruling, Verdict
from traderagent_core.contract.risk_mode import ModeState, RiskLevels, RiskMode
from traderagent_core.contract.strategy import Strategy
from traderagent_core.engine.codec import StateError
from traderagent_core.engine.snapshot import restore, snapshot
from traderagent_core.errors import PluginError
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import Fixed, Leg, Plan
from traderagent_core.testing.conditions import Conditions
from traderagent_core.testing.harness import run_strategy
from traderagent_core.testing.markets import market
from traderagent_core.testing.specimens import DipBuyer, DipBuyerConfig, Ladder, LadderConfig

SPOT = Instrument("BTC/USDT", min_notional=Decimal(5), lot_size=Decimal("0.0001"))


class Enters(Strategy):
    """Asks for a plan of the configured name."""

    def on_start(self, context):
        leg = Leg("in", "in", Side.BUY, Purpose.ENTRY, Fixed(Decimal(1)))
        context.enter(Plan(self.config, (leg,), ("in",)))


def run_with(name="deal", *, filters=(), modes=()):
    conditions = Conditions(
        filters={each.__name__: lambda each=each: each(None) for each in filters},
        modes={each.__name__: lambda each=each: each(None) for each in modes},
    )
    return run_strategy(Enters, name, market("ranging", rows=50), SPOT, conditions=conditions)


def refusals(run):
    return [record[4] for record in run.of("plan_rejected")]


@pytest.mark.parametrize("name", ["~", "~stop", "~deal"])
def test_a_plan_named_like_the_engines_own_is_refused(name):
    run = run_with(name)
    assert "begins with '~'" in run.failures[0][4]
    assert not run.exchange.asked


class Counts(EntryFilter):
    """Lets every second plan through."""

    @frozen
    class State:
        schema_version: int = 1
        advanced: int = 0

    state_class: ClassVar[type] = State

    def advance(self, view, symbol):
        self.state = evolve(self.state, advanced=self.state.advanced + 1)

    def judge(self, plan, view, symbol):
        return Verdict(Ruling.ACCEPT) if self.state.advanced % 2 else Verdict(Ruling.REJECT, "every second")


class Stateless(EntryFilter):
    """Keeps no state."""

    def judge(self, plan, view, symbol):
        return Verdict(Ruling.ACCEPT)


class Raises(Counts):
    def judge(self, plan, view, symbol):
        raise ZeroDivisionError


class AnswersTrue(Counts):
    def judge(self, plan, view, symbol):
        return True


@pytest.mark.parametrize("broken", [Raises, AnswersTrue])
def test_a_broken_filter_lets_nothing_in_and_takes_nothing_down(broken):
    run = run_with(filters=[broken])
    assert refusals(run) == [f"filter_rejected:{broken.__name__}:filter_failed"]
    assert run.failures[0][3] == f"filter {broken.__name__}"
    assert run.engine.setup.filters[broken.__name__].state.advanced == 0


def test_what_a_filter_remembers_outlives_a_restart():
    candles = market("ranging", rows=600)
    filters = {"counts": lambda: Counts(None)}
    straight, restarted = (
        run_strategy(
            DipBuyer,
            DipBuyerConfig(),
            candles,
            SPOT,
            conditions=Conditions(filters=filters, restart_at=restart_at),
        )
        for restart_at in (None, lambda step: step % 3 == 0)
    )
    assert len(straight.of("plan_rejected")) > 1
    assert straight.lines == restarted.lines


class Always(RiskMode):
    """Halves everything."""

    def levels(self):
        return RiskLevels()

    def judge(self, portfolio, previous):
        return ModeState(is_active=True, size_factor=Decimal("0.5"), reason="always")


class Divides(Always):
    def judge(self, portfolio, previous):
        return ModeState(is_active=bool(1 // 0))


class AnswersNone(Always):
    def judge(self, portfolio, previous):
        return None


@pytest.mark.parametrize(("broken", "error"), [(Divides, "ZeroDivisionError"), (AnswersNone, "TypeError")])
def test_a_broken_mode_lets_nothing_in_and_takes_nothing_down(broken, error):
    run = run_strategy(
        DipBuyer,
        DipBuyerConfig(),
        market("ranging", rows=600),
        SPOT,
        conditions=Conditions(modes={"broken": lambda: broken(None)}),
    )
    assert run.of("mode_changed")[0][2:] == ("broken", True, f"mode_failed:{error}", 1, False)
    assert not run.exchange.asked
    assert refusals(run)


class LevelsRaise(Always):
    def levels(self):
        return RiskLevels(drawdown=(1 // 0,))


class LevelsAreNone(Always):
    def levels(self):
        return None


@pytest.mark.parametrize("broken", [LevelsRaise, LevelsAreNone])
def test_levels_that_cannot_be_had_stop_the_start(broken):
    with pytest.raises(PluginError, match=f"risk mode '{broken.__name__}': levels\\(\\)"):
        run_with(modes=[broken])


def test_sizes_are_halved_by_a_mode():
    conditions = Conditions(modes={"always": lambda: Always(None)})
    full, half = (
        run_strategy(Ladder, LadderConfig(), market("ranging", rows=300), SPOT, conditions=each)
        for each in (Conditions(), conditions)
    )
    assert half.exchange.asked[-1].request.quantity * 2 == full.exchange.asked[-1].request.quantity


@pytest.mark.parametrize(
    ("what", "options"), [("filters", {"filters": [Stateless]}), ("risk modes", {"modes": [Always]})]
)
def test_a_snapshot_of_other_plugins_is_refused(what, options):
    saved = snapshot(run_with(**options).engine)
    with pytest.raises(StateError, match=f"snapshot of the {what} .*; the configuration has none"):
        restore(run_with().engine, saved)
