"""Every faulty strategy is refused by the case that is meant for it, with a message that says how to mend it."""

import importlib
import random
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar

import attrs
import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict
from traderagent_core.contract.strategy import Needs, Release, Strategy, Wake
from traderagent_core.indicators import Ema
from traderagent_core.model.event import TimerFired
from traderagent_core.model.order import OrderStatus, Purpose, Side
from traderagent_core.model.plan import At, Fixed, Held, Leg, Plan
from traderagent_core.model.timeframe import HOUR_MS
from traderagent_core.testing import StrategyConformance
from traderagent_core.testing.seeded_faults import SeededFaults
from traderagent_core.testing.specimens import (
    DipBuyer,
    DipBuyerConfig,
    DipBuyerState,
    Ladder,
    LadderConfig,
    Sharer,
)

REMEMBERED = {"deals": 0}


FAULTS = SeededFaults(
    StrategyConformance,
    "strategy_class",
    lambda own: LadderConfig() if issubclass(own, Ladder) else DipBuyerConfig(),
    frozenset(
        {
            "test_another_process_gives_the_same_records",
            "test_no_case_is_overridden_or_skipped_without_a_reason",
        }
    ),
)
refused_by = FAULTS.refused_by


# -- time: the future, the distant past, the number of wakes ------------------------------------------------------


@refused_by("test_candidates_know_only_their_past", "whatever comes later")
class MarksTomorrowsRise(DipBuyer):
    """Shifts a column the wrong way."""

    @classmethod
    def candidates(cls, config, columns):
        close = columns["close"]
        marks = super().candidates(config, columns)
        marks[:-1] |= close[1:] > close[:-1] * 1.01
        return marks


@refused_by("test_candidates_know_only_their_past", "statistics over whole columns")
class ComparesWithTheMeanOfAll(DipBuyer):
    """Standardises with the mean of the whole column."""

    @classmethod
    def candidates(cls, config, columns):
        return columns["close"] < columns["close"].mean() * 0.97


@refused_by("test_candidates_need_no_more_than_look_back", "look_back")
class RemembersTheHighestEver(DipBuyer):
    """A running maximum is recursion outside an indicator."""

    @classmethod
    def candidates(cls, config, columns):
        return columns["close"] < np.maximum.accumulate(columns["high"]) * 0.97


@refused_by("test_callbacks_look_back_no_further_than_declared", "look_back")
class AsksForMoreCandlesThanDeclared(DipBuyer):
    """Declares 12 candles and looks at 200."""

    def on_candle(self, context, candle):
        closes = context.view.candles(context.instrument.symbol, context.timeframe, 200).close
        if candle.close > closes.mean() * 0.9 and len(closes) % 2:
            super().on_candle(context, candle)


@refused_by("test_the_future_changes_nothing", "behind context.view")
class ReadsTheNextCandleBehindTheView(DipBuyer):
    """Takes the whole series from the simulator's view."""

    def on_candle(self, context, candle):
        series = context.view.series(context.instrument.symbol, context.timeframe)
        after = series.candles.close[series.close_time > context.now_ms]
        if len(after) and after[0] > candle.close:
            super().on_candle(context, candle)


@refused_by("test_the_future_changes_nothing", "None")
class ReadsTheNextCandleThroughTheBaseOfASlice(DipBuyer):
    """Tries the array that a slice would lead to; there is none."""

    def on_candle(self, context, candle):
        closes = context.view.candles(context.instrument.symbol, context.timeframe, 3).close
        if closes.base[-1] > candle.close:
            super().on_candle(context, candle)


@refused_by("test_quiet_candles_change_nothing", "woken")
class CountsHowOftenThePriceWasLookedAt(DipBuyer):
    """Decides by the simulator's own counter of wakes."""

    def on_candle(self, context, candle):
        if context.view.cursors[context.instrument.symbol].market.version % 5 < 3:
            super().on_candle(context, candle)


# -- determinism ------------------------------------------------------------------------------------------------


@refused_by("test_same_events_give_the_same_records", "no random numbers")
class DrawsLots(DipBuyer):
    """Sizes at random, by a generator that is not built in."""

    def begin(self, context, price, quantity):
        share = Decimal(int(np.random.randint(50, 100))) / 100
        super().begin(context, price, context.instrument.round_quantity(quantity * share))


@refused_by("test_reads_no_clock_no_chance_and_no_files", "uses random.random")
class FlipsACoin(DipBuyer):
    """Asks Python's generator, whatever comes of it."""

    def on_candle(self, context, candle):
        if random.random() > -1:
            super().on_candle(context, candle)


@refused_by("test_reads_no_clock_no_chance_and_no_files", "uses time.time")
class LooksAtTheClock(DipBuyer):
    """Writes the time of day into its notes' place."""

    def on_fill(self, context, fill, slot, *, is_complete):
        if time.time() > 0:
            super().on_fill(context, fill, slot, is_complete=is_complete)


@refused_by("test_reads_no_clock_no_chance_and_no_files", "uses datetime.now")
class TradesOnlyInThisCentury(DipBuyer):
    """Asks for today's date."""

    def on_candle(self, context, candle):
        if datetime.now(UTC).year < 2100:
            super().on_candle(context, candle)


@refused_by("test_reads_no_clock_no_chance_and_no_files", "check uses date.today")
class ChecksTheDate(DipBuyer):
    """Asks for today's date before it starts."""

    @classmethod
    def check(cls, config, instrument, price, budget):
        return super().check(config, instrument, price, Decimal(date.today().year * 5))  # noqa: DTZ011


@refused_by("test_reads_no_clock_no_chance_and_no_files", "uses open")
class ReadsAFile(DipBuyer):
    """Looks something up on disk."""

    def on_candle(self, context, candle):
        with open(__file__, encoding="utf-8"):  # noqa: PTH123
            super().on_candle(context, candle)


@refused_by("test_bots_do_not_disturb_each_other", "self.state")
class RemembersInAModule(DipBuyer):
    """Two bots count their deals in one place; each sets it to zero at its start."""

    def on_start(self, context):
        REMEMBERED["deals"] = 0

    def begin(self, context, price, quantity):
        REMEMBERED["deals"] += 1
        super().begin(context, price, quantity / (1 + REMEMBERED["deals"] % 3))


@refused_by("test_bots_do_not_disturb_each_other", "mutable default")
class RemembersInAClassAttribute(DipBuyer):
    """A list that all objects of the class share, emptied at each start."""

    targets: ClassVar[list[Decimal]] = []

    def on_start(self, context):
        self.targets.clear()

    def begin(self, context, price, quantity):
        self.targets.append(price)
        super().begin(context, price, quantity / (1 + len(self.targets) % 3))


# -- state --------------------------------------------------------------------------------------------------------


@refused_by("test_a_restart_at_any_event_changes_nothing", "self.state")
class RemembersBesideTheState(DipBuyer):
    """Counts on `self`."""

    count = 0

    def begin(self, context, price, quantity):
        self.count += 1
        super().begin(context, price, quantity / (1 + self.count % 3))


@attrs.frozen
class ListState:
    schema_version: int = 1
    prices: list[Decimal] = attrs.Factory(list)
    is_busy: bool = False
    ends_ms: int = 0
    deals: int = 0
    targets: dict[int, Decimal] = attrs.Factory(dict)


@refused_by("test_state_is_never_changed_in_place", "on_candle changed the state")
class AppendsToItsState(DipBuyer):
    """Frozen outside, changed inside."""

    state_class = ListState

    def on_candle(self, context, candle):
        self.state.prices.append(Decimal(str(candle.close)))
        super().on_candle(context, candle)


@attrs.define
class OpenState:
    schema_version: int = 1
    is_busy: bool = False


@refused_by("test_state_can_be_saved", "frozen")
class HasAChangeableState(Ladder):
    state_class = OpenState


@attrs.frozen
class UnversionedState:
    is_busy: bool = False


@refused_by("test_state_can_be_saved", "schema_version")
class HasAStateWithoutAVersion(Ladder):
    state_class = UnversionedState


@attrs.frozen
class ArrayState:
    schema_version: int = 1
    closes: Any = attrs.Factory(lambda: np.zeros(3))


@refused_by("test_state_can_be_saved", "ndarray")
class KeepsAnArray(Ladder):
    state_class = ArrayState


@attrs.frozen
class LaterArrayState(DipBuyerState):
    closes: Any = None


@refused_by("test_a_restart_at_any_event_changes_nothing", "ndarray")
class KeepsAnArrayLater(DipBuyer):
    """Sound at first, then with an array in the state."""

    state_class = LaterArrayState

    def begin(self, context, price, quantity):
        super().begin(context, price, quantity)
        self.state = attrs.evolve(self.state, closes=np.zeros(3))


# -- fills, refusals, repeated news -------------------------------------------------------------------------------


@refused_by("test_split_fills_end_the_same", "NotImplementedError")
class CannotTakeAPart(DipBuyer):
    """Raises on a partial fill."""

    def on_fill(self, context, fill, slot, *, is_complete):
        if not is_complete:
            raise NotImplementedError("partial fill")
        super().on_fill(context, fill, slot, is_complete=is_complete)


@refused_by("test_split_fills_end_the_same", "is_complete")
class TakesAPartForTheWhole(DipBuyer):
    """Lays the target with the first part of the entry, for as much as that was."""

    def on_fill(self, context, fill, slot, *, is_complete):
        if slot == "in":
            leg = Leg(
                "out", "out", Side.SELL, Purpose.EXIT, Fixed(fill.quantity), At(fill.price * Decimal("1.02"))
            )
            context.place(leg)


@refused_by("test_refused_orders_cause_no_storm", "on_order")
class AsksAgainAtOnce(DipBuyer):
    """Answers every refusal with the same order."""

    def on_order(self, context, news):
        if news.slot == "in":
            quantity = Decimal(10)
            self.begin(context, context.price, quantity)


@refused_by("test_refused_orders_cause_no_storm", "KeyError")
class KnowsThreeCodes(DipBuyer):
    """Looks the code up in a table that is too short."""

    def on_order(self, context, news):
        _ = {"insufficient_quote": 1, "rate_limited": 2, "rest_below_minimum": 3}[news.reason]
        super().on_order(context, news)


@refused_by("test_news_told_twice_or_late_change_nothing", "repeats itself")
class TrustsConfirmedOrdersOnly(Ladder):
    """At every fill it cancels what the venue has not confirmed yet."""

    def on_fill(self, context, fill, slot, *, is_complete):
        for order in context._engine.account.orders.values():
            own = order.want.slot.name
            if order.status is OrderStatus.SUBMITTED and own != slot:
                context.cancel(own)


@refused_by("test_a_slow_venue_does_no_harm", "AssertionError")
class BelievesThatOrdersArriveAtOnce(DipBuyer):
    """Is sure that a market exit has been done when the same candle is over."""

    def on_candle(self, context, candle):
        assert context.position.quantity == 0 or self.state.is_busy
        super().on_candle(context, candle)

    def on_timer(self, context, timer):
        super().on_timer(context, timer)
        context.set_timer("sure", context.now_ms + 1) if timer.name == "hold" else self.be_sure(context)

    def be_sure(self, context):
        assert not context.position.quantity, "the exit was asked for a millisecond ago"


# -- orders -------------------------------------------------------------------------------------------------------


@refused_by("test_orders_keep_the_contract", "NaN")
class PricesWithNan(DipBuyer):
    def begin(self, context, price, quantity):
        super().begin(context, Decimal("NaN"), quantity)


@refused_by("test_orders_keep_the_contract", "positive")
class PricesBelowZero(DipBuyer):
    """A target that is negative, in a leg of its own."""

    def on_fill(self, context, fill, slot, *, is_complete):
        if slot == "in" and is_complete:
            context.place(Leg("out", "out", Side.SELL, Purpose.EXIT, Held(), At(Decimal(-1))))


@refused_by("test_orders_keep_the_contract", "orders a candle", max_orders_per_candle=3)
class MovesItsTargetForEver(DipBuyer):
    """Replaces its target every few minutes."""

    def on_fill(self, context, fill, slot, *, is_complete):
        super().on_fill(context, fill, slot, is_complete=is_complete)
        if slot == "in":
            context.set_timer("move", context.now_ms + 1)

    def on_timer(self, context, timer):
        if timer.name == "hold":
            super().on_timer(context, timer)
        elif context.position.quantity:
            target = context.position.average_price * 2 + Decimal(context.now_ms % 100)
            context.place(Leg("out", "out", Side.SELL, Purpose.EXIT, Held(), At(target)))
            context.set_timer("move", context.now_ms + HOUR_MS // 20)


@refused_by("test_nothing_is_sent_below_the_minimum", "fatal Problem")
class SeesNoMinimum(DipBuyer):
    """Every plan is refused, and check said nothing."""

    @classmethod
    def check(cls, config, instrument, price, budget):
        return []


@refused_by("test_nothing_is_sent_below_the_minimum", "DivisionByZero")
class DividesByItsLots(DipBuyer):
    """Cannot cope with an order that rounds to nothing."""

    def on_candle(self, context, candle):
        assert Decimal(1) / context.instrument.round_quantity(Decimal(30))
        super().on_candle(context, candle)


@refused_by("test_commits_no_more_than_the_budget", "committed")
class DoublesItsLadder(Ladder):
    """Lays a second ladder beside the first."""

    def on_start(self, context):
        super().on_start(context)
        (_, plan), *_ = context.actions
        legs = tuple(
            attrs.evolve(
                leg, name=f"{leg.name}x", slot=f"{leg.slot}x", then=tuple(f"{name}x" for name in leg.then)
            )
            for leg in plan.legs
        )
        context.enter(Plan("second", legs, tuple(f"{name}x" for name in plan.start)))


@refused_by("test_trades_only_when_there_are_data", "hole")
class TradesByTheClockAlone(DipBuyer):
    """Sells and buys when its timer comes, data or no data."""

    def on_start(self, context):
        context.set_timer("tick", context.now_ms + HOUR_MS)

    def on_candle(self, context, candle):
        """Nothing: it goes by its timer."""

    def on_timer(self, context, timer):
        context.set_timer("tick", context.now_ms + HOUR_MS)
        if context.position.quantity:
            context.exit("tick")
        elif not self.state.is_busy:
            self.begin(context, context.price, Decimal(10))
            self.state = attrs.evolve(self.state, is_busy=False)


@refused_by("test_survives_bad_markets", "ZeroDivisionError")
class DividesByTheRange(DipBuyer):
    """Divides by the range of a candle."""

    @classmethod
    def candidates(cls, config, columns):
        return np.ones(len(columns["close"]), dtype=bool)

    def on_candle(self, context, candle):
        if (candle.close - candle.low) / (candle.high - candle.low) < 0.2:
            super().on_candle(context, candle)


# -- operators ----------------------------------------------------------------------------------------------------


@refused_by("test_nothing_adds_exposure_after_a_stop", "a Release")
class AnswersNothingWhenReleased(DipBuyer):
    def on_release(self, context, reason):
        return None


@refused_by("test_nothing_adds_exposure_after_a_stop", "verbs")
class BuysOnceMoreWhenStopped(DipBuyer):
    def on_release(self, context, reason):
        self.begin(context, context.price, Decimal(10))
        return Release.KEEP


@refused_by("test_nothing_adds_exposure_after_a_stop", "RuntimeError")
class RefusesToLetGo(DipBuyer):
    def on_release(self, context, reason):
        raise RuntimeError("not now")


@refused_by("test_nothing_adds_exposure_after_a_stop", "after the stop")
class TradesByTimersAfterAStop(DipBuyer):
    """Has its timers call it past the engine, which calls a stopped strategy no more."""

    def on_start(self, context):
        self.context, engine = context, context._engine
        engine._handlers[TimerFired] = self.tick
        context.set_timer("tick", context.now_ms + HOUR_MS)

    def tick(self, timer):
        engine, member = self.context._engine, self.context._member
        engine.set_timer(member.name, "tick", engine.now_ms + HOUR_MS)
        member.is_stopped = False
        engine.refresh_restriction()
        leg = Leg("tick", "tick", Side.BUY, Purpose.ENTRY, Fixed(Decimal("0.2")), None)
        engine.planner.enter(member, Plan("tick", (leg,), ("tick",)))


@refused_by("test_a_halt_closes_everything", "the halt")
class IgnoresAHalt(Ladder):
    """Does not let the engine close anything."""

    def on_start(self, context):
        super().on_start(context)
        context._engine.exits.begin = lambda *_: None


@refused_by("test_a_pause_adds_no_exposure", "committed")
class StartsAnewWhenResumed(DipBuyer):
    """Forgets at a resume that it holds something."""

    def on_resume(self, context):
        config = self.config
        quantity = context.instrument.round_quantity(context.budget * config.share / context.price)
        for slot in ("in", "in2", "in3"):
            leg = Leg(slot, slot, Side.BUY, Purpose.ENTRY, Fixed(quantity), At(context.price))
            context.enter(Plan(f"deal-{slot}", (leg,), (slot,)))


# -- what is declared ---------------------------------------------------------------------------------------------


class LaxConfig(BaseModel):
    count: int = 5
    step_ratio: Decimal = Decimal("0.01")


class CallableConfig(LaxConfig):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    average: Ema = Ema(10)


class ForgetfulConfig(LaxConfig):
    model_config = ConfigDict(extra="forbid")

    def model_dump_json(self, **named: Any) -> str:
        return '{"count": 4}'


@refused_by("test_configuration_refuses_unknown_keys_and_has_a_schema", "forbid", configs=[LaxConfig()])
class TakesAnyKey(Ladder):
    pass


@refused_by(
    "test_configuration_refuses_unknown_keys_and_has_a_schema", "JSON Schema", configs=[CallableConfig()]
)
class CannotBeDescribed(Ladder):
    pass


@refused_by("test_configuration_survives_being_written_and_read", "as it was", configs=[ForgetfulConfig()])
class ForgetsItsConfiguration(Ladder):
    pass


@refused_by("test_needs_are_sound", "the same indicator twice")
class NeedsTheSameTwice(DipBuyer):
    @classmethod
    def needs(cls, config):
        return Needs(indicators=(Ema(30), Ema(30)), look_back=12, wake=Wake.CANDIDATES)


@refused_by("test_needs_are_sound", "cannot be built")
class NeedsAFinerTimeframe(Ladder):
    @classmethod
    def needs(cls, config):
        return Needs(timeframe="7m")


@refused_by("test_candidates_are_a_column_of_truth_values", "bool array")
class MarksWithNumbers(DipBuyer):
    @classmethod
    def candidates(cls, config, columns):
        return super().candidates(config, columns).astype(float)


@refused_by("test_candidates_are_a_column_of_truth_values", "read-only")
class WritesIntoColumns(DipBuyer):
    @classmethod
    def candidates(cls, config, columns):
        columns["close"][:5] = 0.0
        return super().candidates(config, columns)


@refused_by("test_check_answers_with_problems", "sequence of Problem")
class ChecksWithAWord(DipBuyer):
    @classmethod
    def check(cls, config, instrument, price, budget):
        return "fine"


@refused_by("test_check_answers_with_problems", "DivisionByZero")
class ChecksOnlyTheUsual(DipBuyer):
    @classmethod
    def check(cls, config, instrument, price, budget):
        assert price / instrument.round_quantity(budget / price)
        return []


@refused_by("test_trades_on_some_market", "fills on at least one market")
class NeverTrades(Strategy):
    def on_start(self, context):
        """Nothing at all."""


# -- the table ----------------------------------------------------------------------------------------------------


# -- taking turns -------------------------------------------------------------------------------------------------


@refused_by("test_a_position_can_be_taken_over", "for what was taken over")
class ForgetsWhatItTakes(Sharer):
    """Says yes and waits for the next dip."""

    def on_take_over(self, context):
        self.on_start(context)


@refused_by("test_a_position_can_be_taken_over", "takes_over gave 'yes'")
class AnswersInWords(Sharer):
    """A word is true, too, but it is no answer."""

    def takes_over(self, context, position):
        return "yes"


@refused_by("test_a_position_can_be_taken_over", "asked for \\['set_timer'\\]")
class ActsWhenAsked(Sharer):
    """Begins before the position is there."""

    def takes_over(self, context, position):
        context.set_timer("hold", context.now_ms)
        return super().takes_over(context, position)


@refused_by("test_a_position_can_be_taken_over", "on_take_over raised")
class BelievesInItsOwnEntry(Sharer):
    """Looks up a target that only an entry of its own would have left."""

    def on_take_over(self, context):
        target = self.state.targets[f"taken over at {context.now_ms}"]
        context.place(Leg("out", "out", Side.SELL, Purpose.TAKE_PROFIT, Held(), At(target)))


@refused_by("test_a_position_can_be_handed_over", "on_closed raised")
class KnowsAllEndings(Sharer):
    """Does not know that a deal may go on elsewhere."""

    def on_closed(self, context, reason):
        assert reason != "handed_over"
        super().on_closed(context, reason)


@refused_by("test_taking_turns_survives_restarts", "self.state")
class RemembersWhatItTookBesideItsState(Sharer):
    """Closes after a while only what it remembers to have taken over."""

    taken = False

    def on_take_over(self, context):
        super().on_take_over(context)
        self.taken = True

    def on_timer(self, context, timer):
        if self.taken:
            super().on_timer(context, timer)
        else:
            context.note("not_mine")


@pytest.mark.parametrize("fault", FAULTS.faults, ids=str)
def test_faulty_strategy_is_refused_by_its_case(fault):
    FAULTS.require_refusal(fault)


ONLY_BY_THEIR_CASE = (
    RemembersTheHighestEver,
    AsksForMoreCandlesThanDeclared,
    ReadsTheNextCandleBehindTheView,
    LooksAtTheClock,
    RemembersInAModule,
    AppendsToItsState,
    CannotTakeAPart,
    TakesAPartForTheWhole,
    KnowsThreeCodes,
    TrustsConfirmedOrdersOnly,
    SeesNoMinimum,
    StartsAnewWhenResumed,
    TakesAnyKey,
    RemembersWhatItTookBesideItsState,
)


@pytest.mark.parametrize("fault", [FAULTS.of(plugin) for plugin in ONLY_BY_THEIR_CASE], ids=str)
def test_fault_with_one_effect_is_refused_by_no_other_case(fault):
    FAULTS.require_no_other_refusal(fault)


def test_every_case_with_a_subject_refuses_some_strategy():
    FAULTS.require_all_cases()


# -- cases without a subject --------------------------------------------------------------------------------------

WALKS_THROUGH_A_SET = """
from decimal import Decimal
from traderagent_core.testing.specimens import Ladder, LadderConfig

class WalksThroughASet(Ladder):
    def on_start(self, context):
        for word in {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"}:
            context.note(word)
        super().on_start(context)
"""


def test_strategy_that_walks_through_a_set_is_refused_by_another_process(tmp_path, monkeypatch):
    (tmp_path / "walking_strategy.py").write_text(WALKS_THROUGH_A_SET)
    monkeypatch.syspath_prepend(tmp_path)
    strategy = importlib.import_module("walking_strategy").WalksThroughASet
    kit = FAULTS.kit_for(strategy, rows=200)
    with pytest.raises(AssertionError, match="sort sets"):
        kit.test_another_process_gives_the_same_records()


def test_strategy_that_another_process_cannot_import_is_skipped_with_the_reason():
    kit = FAULTS.kit_for(type("MadeInAFunction", (Ladder,), {}))
    with pytest.raises(pytest.skip.Exception, match="cannot be imported"):
        kit.test_another_process_gives_the_same_records()


class Overriding(StrategyConformance):
    strategy_class = Ladder
    configs = [LadderConfig()]

    def test_state_can_be_saved(self, subject: Any) -> None:
        """Nothing is examined."""


@pytest.mark.parametrize(
    ("kit", "because"),
    [
        (Overriding, "test_state_can_be_saved overridden"),
        (
            type("Misspelt", (StrategyConformance,), {"skips": {"test_state": "no state"}}),
            "test_state, unknown",
        ),
        (
            type("Silent", (StrategyConformance,), {"skips": {"test_state_can_be_saved": " "}}),
            "without a reason",
        ),
    ],
)
def test_overriding_or_skipping_without_a_reason_is_refused(kit, because):
    with pytest.raises(AssertionError, match=because):
        kit().test_no_case_is_overridden_or_skipped_without_a_reason()


class TestSkipping(StrategyConformance):
    """The case that this strategy would fail is skipped, so this class passes."""

    strategy_class = NeverTrades
    configs = [LadderConfig()]
    skips = {"test_trades_on_some_market": "it is a specimen of a strategy that does nothing"}
