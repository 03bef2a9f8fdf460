"""Every faulty risk mode is refused by the case that is meant for it, with a message that says how to mend it."""

import time
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs
import numpy as np
import pytest
from pydantic import ConfigDict, field_serializer
from traderagent_core.contract.risk_mode import INACTIVE, ModeState, RiskLevels
from traderagent_core.model.timeframe import DAY_MS, HOUR_MS
from traderagent_core.testing import RiskModeConformance
from traderagent_core.testing.guard_specimens import BadDayConfig, BadDayMode, RecoveryConfig, RecoveryMode
from traderagent_core.testing.seeded_faults import SeededFaults

HALF = ModeState(is_active=True, size_factor=Decimal("0.5"), reason="half")
QUARTER = ModeState(is_active=True, size_factor=Decimal("0.25"), reason="quarter")


FAULTS = SeededFaults(
    RiskModeConformance,
    "mode_class",
    lambda own: BadDayConfig() if issubclass(own, BadDayMode) else RecoveryConfig(),
    frozenset({"test_no_case_is_overridden_or_skipped_without_a_reason"}),
)
refused_by = FAULTS.refused_by


def d(text: str) -> Decimal:
    return Decimal(text)


# -- what is declared ---------------------------------------------------------------------------------------------


class LooseConfig(RecoveryConfig):
    model_config = ConfigDict(extra="allow", frozen=True)


@refused_by(
    "test_configuration_refuses_unknown_keys_and_has_a_schema", "refuses keys", configs=[LooseConfig()]
)
class TakesAnyKey(RecoveryMode):
    """A misspelt key goes unnoticed."""


class RoundedConfig(RecoveryConfig):
    @field_serializer("enter")
    def _round(self, value: Decimal) -> str:
        return f"{value:.1f}"


@refused_by("test_configuration_survives_being_written_and_read", "not read back", configs=[RoundedConfig()])
class WritesRoundedNumbers(RecoveryMode):
    """An exported preset is another one."""


@refused_by("test_levels_are_ratios", "drawdown must be ratios above 0 and below 1")
class CountsInPerCent(RecoveryMode):
    def levels(self):
        return RiskLevels(drawdown=(d("5"), d("12")))


@refused_by("test_levels_are_ratios", "drawdown must be a tuple of Decimals")
class DeclaresFloats(RecoveryMode):
    def levels(self):
        return RiskLevels(drawdown=(0.05, 0.12))


@refused_by("test_levels_are_ratios", "the same at every call")
class DeclaresSomethingElseEachTime(RecoveryMode):
    calls = 0

    def levels(self):
        self.calls += 1
        return RiskLevels(drawdown=(d("0.05"), d("0.12"))[: self.calls])


# -- what is answered ---------------------------------------------------------------------------------------------


class Answers(RecoveryMode):
    """Gives `answer` from the drawdown at which it enters."""

    answer: Any = HALF

    def levels(self):
        return RiskLevels(drawdown=(self.config.enter,))

    def judge(self, portfolio, previous):
        return self.answer if portfolio.drawdown_ratio >= self.config.enter else INACTIVE


@refused_by("test_answers_are_valid", "size_factor must be above 0 and at most 1, not 0")
class ShrinksToNothing(RecoveryMode):
    def judge(self, portfolio, previous):
        return ModeState(is_active=True, size_factor=d("0"), reason="nothing")


@refused_by("test_answers_are_valid", "size_factor must be a Decimal, .* not 0.5")
class ShrinksByAFloat(RecoveryMode):
    def judge(self, portfolio, previous):
        return ModeState(is_active=True, size_factor=0.5, reason="half")  # type: ignore[arg-type]


@refused_by("test_answers_are_valid", "active without a reason")
class GivesNoReason(Answers):
    answer = ModeState(is_active=True, size_factor=d("0.5"))


@refused_by("test_answers_are_valid", "not a ModeState")
class AnswersNothing(Answers):
    answer = None


@refused_by("test_answers_are_valid", "although it is not active")
class BindsWithoutBeingActive(Answers):
    answer = ModeState(is_active=False, is_entry_allowed=False, reason="drawdown")


@refused_by("test_answers_are_valid", "which is over")
class NeverComparesWithTheTime(BadDayMode):
    """Holds a latch whose time is over."""

    def judge(self, portfolio, previous):
        return previous if previous.until_ms else super().judge(portfolio, previous)


@refused_by("test_speaks_up_and_keeps_quiet", "never active")
class ComparesTheWrongNumber(Answers):
    def judge(self, portfolio, previous):
        return HALF if portfolio.drawdown_ratio >= 12 else INACTIVE


@refused_by("test_speaks_up_and_keeps_quiet", "always active")
class IsAlwaysOn(Answers):
    def judge(self, portfolio, previous):
        return HALF


# -- when it changes ----------------------------------------------------------------------------------------------

LEVELS = "test_answers_change_only_at_declared_levels"


@refused_by(LEVELS, "no declared level")
class HidesALevel(Answers):
    def judge(self, portfolio, previous):
        return QUARTER if portfolio.drawdown_ratio >= d("0.3") else super().judge(portfolio, previous)


@refused_by(LEVELS, "compare with >=")
class WantsMoreThanTheLevel(Answers):
    def judge(self, portfolio, previous):
        return HALF if portfolio.drawdown_ratio > self.config.enter else INACTIVE


@refused_by(LEVELS, "changing numbers out of the reason")
class TellsTheDrawdownInItsReason(Answers):
    def judge(self, portfolio, previous):
        state = super().judge(portfolio, previous)
        return attrs.evolve(state, reason=f"{portfolio.drawdown_ratio:.4f}") if state.is_active else state


@refused_by(LEVELS, "no declared level")
class ShrinksGradually(RecoveryMode):
    def judge(self, portfolio, previous):
        left = max(1 - portfolio.drawdown_ratio, d("0.01"))
        return ModeState(is_active=True, size_factor=left, reason="gradual") if left < 1 else INACTIVE


@refused_by(LEVELS, "no declared level")
class LooksAtAbsoluteMoney(Answers):
    def judge(self, portfolio, previous):
        return QUARTER if portfolio.equity < 5_000 else super().judge(portfolio, previous)


@refused_by(LEVELS, "UTC midnights only")
class EndsAfterAnHour(BadDayMode):
    def judge(self, portfolio, previous):
        is_over = previous.until_ms and portfolio.time_ms >= previous.until_ms
        return INACTIVE if is_over else super().judge(portfolio, previous)

    def barred(self, until_ms):
        return super().barred(until_ms - 11 * HOUR_MS)


@refused_by("test_a_reminder_comes_true", "a UTC midnight")
class EndsAtNoonOfTheNextDay(BadDayMode):
    def barred(self, until_ms):
        return super().barred(until_ms + DAY_MS // 2)


@refused_by("test_a_reminder_comes_true", "an end of it on an account without loss")
class PutsItsEndOffForEver(BadDayMode):
    def judge(self, portfolio, previous):
        midnight_ms = (portfolio.time_ms // DAY_MS + 1) * DAY_MS
        return super().judge(portfolio, previous) if previous.is_entry_allowed else self.barred(midnight_ms)


# -- what it depends on -------------------------------------------------------------------------------------------


@refused_by("test_answers_depend_on_the_arguments_only", "through previous")
class RemembersInItself(RecoveryMode):
    """Its hysteresis is lost with the object."""

    is_on = False

    def judge(self, portfolio, previous):
        level = self.config.leave if self.is_on else self.config.enter
        self.is_on = portfolio.drawdown_ratio >= level
        return HALF if self.is_on else INACTIVE


@refused_by("test_same_portfolios_give_the_same_answers", "no random numbers")
class ThrowsACoin(Answers):
    def judge(self, portfolio, previous):
        state = super().judge(portfolio, previous)
        return QUARTER if state.is_active and np.random.random() < 0.5 else state


@refused_by("test_reads_no_clock_no_chance_and_no_files", "judge uses time.time")
class LooksAtTheClock(Answers):
    def judge(self, portfolio, previous):
        return super().judge(portfolio, previous) if time.time() else INACTIVE


@refused_by("test_a_larger_loss_never_allows_more", "has lost more")
class ForgetsTheSevererLevel(Answers):
    def levels(self):
        return RiskLevels(drawdown=(d("0.1"), d("0.2")))

    def judge(self, portfolio, previous):
        drawdown = portfolio.drawdown_ratio
        return QUARTER if d("0.1") <= drawdown < d("0.2") else HALF if drawdown >= d("0.2") else INACTIVE


# -- what it survives ---------------------------------------------------------------------------------------------


class Word(StrEnum):
    DEEP = "deep"


@refused_by("test_answers_can_be_saved", "DEEP")
class GivesAReasonOfItsOwnClass(Answers):
    answer = ModeState(is_active=True, size_factor=d("0.5"), reason=Word.DEEP)


@refused_by("test_survives_strange_accounts", "DivisionByZero|InvalidOperation|DivisionUndefined")
class DividesByEquity(Answers):
    def judge(self, portfolio, previous):
        lost = (portfolio.peak_equity - portfolio.equity) / portfolio.equity
        return HALF if lost >= self.config.enter / (1 - self.config.enter) else INACTIVE


@refused_by("test_a_run_with_restarts_and_idle_wakes_is_the_same", "declare every level")
class HidesAllItsLevels(RecoveryMode):
    def levels(self):
        return RiskLevels()


# -- the table ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS.faults, ids=str)
def test_faulty_mode_is_refused_by_its_case(fault):
    FAULTS.require_refusal(fault)


ONLY_BY_THEIR_CASE = (
    TakesAnyKey,
    WritesRoundedNumbers,
    WantsMoreThanTheLevel,
    LooksAtTheClock,
    ForgetsTheSevererLevel,
    DividesByEquity,
)


@pytest.mark.parametrize("fault", [FAULTS.of(plugin) for plugin in ONLY_BY_THEIR_CASE], ids=str)
def test_fault_with_one_effect_is_refused_by_no_other_case(fault):
    FAULTS.require_no_other_refusal(fault)


def test_every_case_with_a_subject_refuses_some_mode():
    FAULTS.require_all_cases()
