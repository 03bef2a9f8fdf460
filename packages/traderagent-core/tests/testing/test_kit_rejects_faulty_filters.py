"""Every faulty entry filter is refused by the case that is meant for it, with a message that says how to mend it."""

import time
from decimal import Decimal
from typing import Any

import attrs
import numpy as np
import pytest
from pydantic import ConfigDict, field_serializer
from traderagent_core.contract.entry_filter import Ruling, Verdict
from traderagent_core.indicators import AtrRatio
from traderagent_core.testing import EntryFilterConformance
from traderagent_core.testing.guard_specimens import (
    EVERYTHING,
    CalmConfig,
    CalmFilter,
    Streak,
    StreakConfig,
    StreakFilter,
    StreakState,
)
from traderagent_core.testing.seeded_faults import SeededFaults

REJECT = Verdict(Ruling.REJECT, "no")
ACCEPT = Verdict(Ruling.ACCEPT)
ASKED = {"times": 0}


FAULTS = SeededFaults(
    EntryFilterConformance,
    "filter_class",
    lambda own: CalmConfig() if issubclass(own, CalmFilter) else StreakConfig(),
    frozenset({"test_no_case_is_overridden_or_skipped_without_a_reason"}),
)
refused_by = FAULTS.refused_by


# -- configuration and state --------------------------------------------------------------------------------------


class LooseConfig(StreakConfig):
    model_config = ConfigDict(extra="ignore", frozen=True)


@refused_by(
    "test_configuration_refuses_unknown_keys_and_has_a_schema", "refuses keys", configs=[LooseConfig()]
)
class TakesAnyKey(StreakFilter):
    """A misspelt key goes unnoticed."""


class RoundedConfig(CalmConfig):
    @field_serializer("range_ratio")
    def _round(self, value: Decimal) -> str:
        return f"{value:.2f}"


@refused_by("test_configuration_survives_being_written_and_read", "not read back", configs=[RoundedConfig()])
class WritesRoundedNumbers(CalmFilter):
    """An exported preset is another one."""


@attrs.frozen
class ColumnState:
    schema_version: int = 1
    closes: Any = None


@refused_by("test_state_can_be_saved", "ndarray")
class KeepsAnArray(StreakFilter):
    state_class = ColumnState

    def advance(self, view, symbol):
        self.state = ColumnState(closes=view.candles(symbol, "1h", 5).close)

    def judge(self, plan, view, symbol):
        return ACCEPT if self.state.closes[-1] > 100 else REJECT


@refused_by("test_state_can_be_saved", "without a state of its state_class")
class ForgetsToCallSuper(StreakFilter):
    def __init__(self, config):
        self.config = config

    def advance(self, view, symbol):
        """Nothing to do."""

    def judge(self, plan, view, symbol):
        return ACCEPT


@attrs.define
class LooseState:
    schema_version: int = 1
    streaks: dict[str, Streak] = attrs.Factory(dict)


@refused_by("test_state_can_be_saved", "must be frozen")
class HasALooseState(StreakFilter):
    state_class = LooseState


# -- what is said -------------------------------------------------------------------------------------------------


@refused_by("test_verdicts_are_valid", "REJECT without a reason")
class RefusesWithoutAReason(StreakFilter):
    def judge(self, plan, view, symbol):
        return attrs.evolve(super().judge(plan, view, symbol), reason="")


@refused_by("test_verdicts_are_valid", "not a Verdict")
class AnswersTrue(StreakFilter):
    def judge(self, plan, view, symbol):
        return super().judge(plan, view, symbol).ruling is Ruling.ACCEPT


@refused_by("test_verdicts_are_valid", "in a verdict that is ACCEPT")
class ScalesWhatItAccepts(StreakFilter):
    def judge(self, plan, view, symbol):
        verdict = super().judge(plan, view, symbol)
        return Verdict(Ruling.ACCEPT, "half", Decimal("0.5")) if verdict.ruling is Ruling.ACCEPT else verdict


@refused_by("test_lets_through_and_holds_back", "found: +ACCEPT")
class AcceptsEverything(StreakFilter):
    def judge(self, plan, view, symbol):
        return ACCEPT


@refused_by("test_lets_through_and_holds_back", "found: +REJECT", configs=[StreakConfig(length=1)])
class RefusesEverything(StreakFilter):
    def judge(self, plan, view, symbol):
        return REJECT


@refused_by("test_same_candles_give_the_same_verdicts", "no random numbers")
class ThrowsACoin(CalmFilter):
    def judge(self, plan, view, symbol):
        return ACCEPT if np.random.random() < 0.5 else REJECT


@refused_by("test_same_candles_give_the_same_verdicts", "no globals")
class RemembersInAModule(CalmFilter):
    def judge(self, plan, view, symbol):
        ASKED["times"] += 1
        return ACCEPT if ASKED["times"] % 101 else REJECT


@refused_by("test_reads_no_clock_no_chance_and_no_files", "judge uses time.time")
class LooksAtTheClock(CalmFilter):
    def judge(self, plan, view, symbol):
        return ACCEPT if time.time() > 0 else REJECT


@refused_by("test_reads_no_clock_no_chance_and_no_files", "advance uses open")
class ReadsAFile(StreakFilter):
    def advance(self, view, symbol):
        with open(__file__, encoding="utf-8"):  # noqa: PTH123
            super().advance(view, symbol)


@refused_by("test_asking_changes_nothing", "however often")
class LetsEveryThirdThrough(StreakFilter):
    """Counts questions, as if each were an entry."""

    asked = 0

    def judge(self, plan, view, symbol):
        self.asked += 1
        return REJECT if self.asked % 3 else ACCEPT


@refused_by("test_asking_changes_nothing", "however often")
class ForgetsTheStreakOnceAsked(StreakFilter):
    def judge(self, plan, view, symbol):
        verdict = super().judge(plan, view, symbol)
        if verdict.ruling is Ruling.REJECT:
            self.remember(symbol, attrs.evolve(self.state.streaks[symbol], length=0))
        return verdict


@refused_by("test_plans_are_left_as_they_are", "leave the plan alone")
class WritesIntoThePlan(CalmFilter):
    def judge(self, plan, view, symbol):
        plan.evidence["calm"] = True
        return super().judge(plan, view, symbol)


@refused_by("test_survives_bad_markets", "ZeroDivisionError")
class DividesByTheRange(CalmFilter):
    def judge(self, plan, view, symbol):
        last = view.last(symbol, "1h")
        return ACCEPT if (last.close - last.low) / (last.high - last.low) > 0.5 else REJECT


@refused_by("test_survives_bad_markets", "IndexError")
class NeedsTwentyCandlesAtOnce(CalmFilter):
    def judge(self, plan, view, symbol):
        closes = view.candles(symbol, "1h", 20).close
        return ACCEPT if closes[-1] > closes[-20] else REJECT


@refused_by("test_survives_bad_markets", "ValueError")
class RoundsWhatMayBeNan(CalmFilter):
    def judge(self, plan, view, symbol):
        return ACCEPT if int(view.value(symbol, "1h", AtrRatio(14)) * 1000) < 8 else REJECT


# -- time ---------------------------------------------------------------------------------------------------------


@refused_by("test_bursts_change_nothing", "each exactly once")
class SeesTheLastCandleOnly(StreakFilter):
    """Overlooks what came between two questions."""

    def advance(self, view, symbol):
        last = view.last(symbol, "1h")
        streak = self.state.streaks.get(symbol) or Streak(0, last.close, 0)
        length = streak.length + 1 if last.close < streak.close else 0
        if last.open_time != streak.seen:
            self.remember(symbol, Streak(last.open_time, last.close, length))


@refused_by("test_bursts_change_nothing", "each exactly once")
class CountsTheSameCandleTwice(StreakFilter):
    def advance(self, view, symbol):
        super().advance(view, symbol)
        streak = self.state.streaks[symbol]
        if streak.length:
            self.remember(symbol, attrs.evolve(streak, length=streak.length + 1))


@refused_by("test_bursts_change_nothing", "each exactly once")
class TakesCandlesBeforeAGapTwice(StreakFilter):
    """Counts falls, and believes that as many candles are new as hours have passed."""

    def advance(self, view, symbol):
        last, streak = view.last(symbol, "1h"), self.state.streaks.get(symbol)
        count = EVERYTHING if streak is None else (last.open_time - streak.seen) // 3_600_000
        candles = view.candles(symbol, "1h", count)
        for open_time, close in zip(candles.open_time.tolist(), candles.close.tolist(), strict=True):
            falls = 0 if streak is None else streak.length + (close < streak.close)
            streak = Streak(open_time, close, falls)
        self.remember(symbol, streak)

    def judge(self, plan, view, symbol):
        return ACCEPT if self.state.streaks[symbol].length % 7 else REJECT


@refused_by("test_the_future_changes_nothing", "do not reach behind")
class ReadsTheNextCandle(CalmFilter):
    def judge(self, plan, view, symbol):
        series = view.series(symbol, "1h")
        after = series.candles.close[series.close_time > view.now_ms]
        return REJECT if len(after) and after[0] < view.last(symbol, "1h").close else ACCEPT


@refused_by("test_the_future_changes_nothing", "whatever comes later")
class ComparesWithTheMeanOfAll(CalmFilter):
    def judge(self, plan, view, symbol):
        series = view.series(symbol, "1h").candles
        return REJECT if view.last(symbol, "1h").close < series.close.mean() else ACCEPT


@refused_by("test_a_restart_changes_nothing", "self.state")
class RemembersBesideTheState(StreakFilter):
    """Notes the highest close so far where nobody saves it, and cannot find it again."""

    highest = 0.0
    seen = 0

    def advance(self, view, symbol):
        candles = view.candles(symbol, "1h", EVERYTHING if not self.seen else 20)
        self.highest = max(self.highest, *candles.close[-20:].tolist())
        self.seen = 1

    def judge(self, plan, view, symbol):
        return REJECT if view.last(symbol, "1h").close < self.highest * 0.95 else ACCEPT


@refused_by("test_state_is_never_changed_in_place", "evolve")
class ChangesTheDictOfItsState(StreakFilter):
    def remember(self, symbol, streak):
        self.state.streaks[symbol] = streak


@refused_by("test_symbols_do_not_disturb_each_other", "under its symbol")
class KnowsOneSymbolOnly(StreakFilter):
    def advance(self, view, symbol):
        known = self.state.streaks.get("any")
        self.state = StreakState(streaks={symbol: known} if known else {})
        super().advance(view, symbol)
        self.state = StreakState(streaks={"any": self.state.streaks[symbol]})

    def judge(self, plan, view, symbol):
        streak = self.state.streaks.get("any")
        return REJECT if streak is not None and streak.length >= 4 else ACCEPT


@refused_by("test_a_candle_costs_no_more_later_than_early", "calls made")
class BeginsAnewEachTime(StreakFilter):
    def advance(self, view, symbol):
        self.state = StreakState()
        super().advance(view, symbol)


@attrs.frozen
class Diary:
    schema_version: int = 1
    closes: tuple[float, ...] = ()


@refused_by("test_a_candle_costs_no_more_later_than_early", "held in memory")
class KeepsEveryClose(CalmFilter):
    state_class = Diary

    def advance(self, view, symbol):
        self.state = Diary(closes=(*self.state.closes, view.last(symbol, "1h").close))


@refused_by("test_a_candle_costs_no_more_later_than_early", "at most 500")
class ReadsAThousandCandles(CalmFilter):
    def judge(self, plan, view, symbol):
        return ACCEPT if view.candles(symbol, "1h", 1000).close.mean() > 100 else REJECT


@refused_by("test_a_run_with_restarts_and_idle_wakes_is_the_same", "does not raise")
class WorksInTheKitsViewOnly(StreakFilter):
    def judge(self, plan, view, symbol):
        assert view.rows_read >= 0
        return super().judge(plan, view, symbol)


@refused_by("test_a_run_with_restarts_and_idle_wakes_is_the_same", "self.state")
class LosesItsMemoryInAnEngine(RemembersBesideTheState):
    """As above, seen from the engine."""


# -- the table ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS.faults, ids=str)
def test_faulty_filter_is_refused_by_its_case(fault):
    FAULTS.require_refusal(fault)


ONLY_BY_THEIR_CASE = (
    TakesAnyKey,
    WritesRoundedNumbers,
    HasALooseState,
    RefusesWithoutAReason,
    ScalesWhatItAccepts,
    WritesIntoThePlan,
    TakesCandlesBeforeAGapTwice,
    BeginsAnewEachTime,
    ReadsAThousandCandles,
    WorksInTheKitsViewOnly,
)


@pytest.mark.parametrize("fault", [FAULTS.of(plugin) for plugin in ONLY_BY_THEIR_CASE], ids=str)
def test_fault_with_one_effect_is_refused_by_no_other_case(fault):
    FAULTS.require_no_other_refusal(fault)


def test_every_case_with_a_subject_refuses_some_filter():
    FAULTS.require_all_cases()


class TestSkipping(EntryFilterConformance):
    """The case that this filter would fail is skipped with the reason, so this class passes."""

    filter_class = AcceptsEverything
    configs = [StreakConfig()]
    skips = {"test_lets_through_and_holds_back": "it is a specimen of a filter that does nothing"}
