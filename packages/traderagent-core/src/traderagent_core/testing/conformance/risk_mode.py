"""The conformance kit for risk modes.

from traderagent_core.testing import RiskModeConformance

class TestMine(RiskModeConformance):
    mode_class = MyMode
    configs = [MyConfig(drawdown="0.08")]
"""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal

import numpy as np

from traderagent_core.contract.risk_mode import INACTIVE, Portfolio, RiskMode
from traderagent_core.engine.codec import StateError, decode, encode
from traderagent_core.model.timeframe import DAY_MS
from traderagent_core.testing.comparing import refuse, require_same_lines
from traderagent_core.testing.conditions import Bot, Conditions
from traderagent_core.testing.conformance.mode_base import (
    ModeKit,
    is_worse,
    later,
    levels_problem,
    strange_portfolios,
    weight,
)
from traderagent_core.testing.conformance.subjects import Subject
from traderagent_core.testing.harness import run_bots
from traderagent_core.testing.outside_world import Watchman, other_world
from traderagent_core.testing.prober import Prober, ProberConfig

RISKY = ProberConfig(target=Decimal("1.02"), stop=Decimal("0.8"))
EQUITY = Decimal(10_000)
MARKETS = ("falling", "crash")

__all__ = ["RiskModeConformance"]


class RiskModeConformance(ModeKit):
    """Inherit this in a test module, once for each risk mode, and name what is to be examined.

    `mode_class` and `configs` (or `config()`) are needed. `instruments`, `timeframe`, `price`, `rows` and
    `candles(instrument, rows)` serve the runs in an engine, on markets called `falling` and `crash`. Every
    case runs for every configuration. A case is left out with `skips = {"test_…": "the reason"}`, never by
    overriding it.
    """

    def test_levels_are_ratios(self, subject: Subject) -> None:
        """The declared levels are ratios above 0 and below 1, the same at every call and in every object.

        Mend: `levels` reads the configuration only and returns RiskLevels with tuples of Decimals.
        """
        problem = levels_problem(self.build(subject), self.build(subject))
        if problem is not None:
            refuse(
                expected="RiskLevels of ratios above 0 and below 1, the same at every call",
                found=problem,
                mend="return RiskLevels(drawdown=(Decimal(…),), daily_loss=(…,)) from levels()",
            )

    def test_answers_are_valid(self, subject: Subject) -> None:
        """Every answer is a ModeState with a size factor above 0 and at most 1; an active one says why.

        An inactive answer binds nothing, and `until_ms` lies ahead.
        Mend: return INACTIVE or `ModeState(is_active=True, size_factor=…, reason=…)`; bar entries with
        `is_entry_allowed=False`, not with a factor of 0.
        """
        self.states(subject)

    def test_speaks_up_and_keeps_quiet(self, subject: Subject) -> None:
        """The mode is active on some portfolios and inactive on others; otherwise nothing would be proved.

        Mend: set `configs` of the test class so that the mode is on somewhere between no loss and a total loss.
        """
        mode = self.build(subject)
        active = {
            self.ask(mode, portfolio, INACTIVE).is_active
            for cell in self.cells(subject)
            for portfolio in cell.portfolios
        }
        if active != {True, False}:
            refuse(
                expected="a mode that is active on some portfolios and inactive on others",
                found="always active" if active == {True} else "never active",
                mend="set configs so that its levels can be reached, or compare the right way round",
            )

    def test_answers_change_only_at_declared_levels(self, subject: Subject) -> None:
        """Between two neighbouring levels the answer stays what it is, and so it does for the rest of the UTC day.

        The engine asks only where equity reaches a level, makes a peak, or a UTC day begins. Equity on a level counts
        as past it.
        Mend: declare every ratio at which `judge` changes its answer; compare with `>=`; keep changing numbers out of
        `reason`; end what is to end at a UTC midnight.
        """
        mode = self.build(subject)
        for previous in self.states(subject):
            for cell in self.cells(subject):
                for first in cell.portfolios:
                    settled = self.ask(mode, first, previous)
                    midnight_ms = (first.time_ms // DAY_MS + 1) * DAY_MS
                    hours = (later(first, time_ms) for time_ms in (first.time_ms + 1, midnight_ms - 1))
                    for second in (*cell.portfolios, *hours):
                        again = self.ask(mode, second, settled)
                        if again != settled:
                            refuse(
                                expected=f"the answer to {first} to stay: {settled}",
                                found=f"{again} for {second}, though no declared level lies between them",
                                mend="declare the level; compare with >=; keep changing numbers out of the reason; "
                                "let what depends on time change at UTC midnights only",
                            )

    def test_answers_depend_on_the_arguments_only(self, subject: Subject) -> None:
        """A mode that has judged many portfolios says what a new one says.

        Mend: remember through `previous`, which the engine saves, and never in `self`, a module or a class.
        """
        used, cells = self.build(subject), list(self.cells(subject))
        for previous in self.states(subject):
            for cell in reversed(cells):
                for portfolio in cell.portfolios[::2]:
                    before = self.ask(used, portfolio, previous)
                    fresh = self.ask(self.build(subject), portfolio, previous)
                    if before != fresh:
                        refuse(
                            expected=f"{fresh} for {portfolio} after {previous}, as from a new object",
                            found=f"{before} from an object that has judged before",
                            mend="remember through previous, never in self, a module or a class",
                        )

    def test_same_portfolios_give_the_same_answers(self, subject: Subject) -> None:
        """Answers are the same whatever the global random generators say.

        Mend: draw no random numbers.
        """
        told = [self._told(subject)]
        for seed in (1, 2):
            with other_world(seed):
                told.append(self._told(subject))
        for found in told[1:]:
            require_same_lines(
                told[0],
                found,
                what="the same answers in every run",
                mend="decide from the portfolio and the previous answer only: no random numbers",
            )

    def test_reads_no_clock_no_chance_and_no_files(self, subject: Subject) -> None:
        """`levels` and `judge` call no clock, random generator, file, process, thread or network.

        Mend: read the time from `portfolio.time_ms`; everything else has to come with the configuration.
        """
        watchman, mode = Watchman(), self.build(subject)
        with watchman.watching("levels"):
            mode.levels()
        for cell in self.cells(subject):
            with watchman.watching("judge"):
                mode.judge(cell.portfolios[0], INACTIVE)
        if watchman.seen:
            refuse(
                expected="a mode that reads nothing but its configuration and its arguments",
                found=f"{watchman.seen[0]}, and {len(watchman.seen) - 1} more such calls",
                mend="read the time from portfolio.time_ms; bring all else in with the configuration",
            )

    def test_a_larger_loss_never_allows_more(self, subject: Subject) -> None:
        """On one day, from one previous answer, less equity never leaves a larger size or more freedom.

        Mend: check the severest level first; a mode that is meant to loosen names this case in `skips`.
        """
        mode = self.build(subject)
        for previous in self.states(subject):
            above = None
            for cell in self.cells(subject):
                portfolio = cell.portfolios[0]
                state = self.ask(mode, portfolio, previous)
                if above is not None and is_worse(portfolio, above[0]) and weight(state) > weight(above[1]):
                    refuse(
                        expected=f"no more than {above[1]} allows, which was said for {above[0]}",
                        found=f"{state} for {portfolio}, which has lost more",
                        mend="check the severest level first",
                    )
                above = (portfolio, state)

    def test_a_reminder_comes_true(self, subject: Subject) -> None:
        """`until_ms` is a UTC midnight, and an account without any loss is no longer held by it from then on.

        Mend: the engine asks at UTC midnights and at no other time of its own: take
        `(portfolio.time_ms // DAY_MS + 1) * DAY_MS`, and compare with `portfolio.time_ms < previous.until_ms`.
        """
        mode = self.build(subject)
        for state in self.states(subject):
            if not state.until_ms:
                continue
            after = self.ask(mode, Portfolio(state.until_ms, EQUITY, EQUITY, EQUITY), state)
            if state.until_ms % DAY_MS or after.is_active:
                refuse(
                    expected=f"a UTC midnight in {state}, and an end of it on an account without loss",
                    found=f"{after} at {state.until_ms} ms, {state.until_ms % DAY_MS} ms after a midnight",
                    mend="use a UTC midnight, and hold only while portfolio.time_ms < previous.until_ms",
                )

    def test_answers_can_be_saved(self, subject: Subject) -> None:
        """Every answer is the same after it was written as text and read again; latches survive a restart so.

        Mend: return `ModeState` itself, not a class of your own derived from it.
        """
        for state in self.states(subject):
            try:
                back = decode(json.loads(json.dumps(encode(state))), {"traderagent_core"})
            except StateError as error:
                back = error
            if back != state:
                refuse(
                    expected=f"{state!r} after it was saved and read again",
                    found=f"{back!r}",
                    mend="return ModeState with plain values: Decimal, bool, str, int",
                )

    def test_survives_strange_accounts(self, subject: Subject) -> None:
        """Empty accounts, debts, tiny and huge sums, at the first day of all days: a valid answer, no exception.

        Mend: use `drawdown_ratio` and `daily_loss_ratio`, which are defined for every portfolio.
        """
        mode = self.build(subject)
        states = self.states(subject)[:4]
        for portfolio in strange_portfolios():
            for previous in states:
                self.ask(mode, portfolio, previous)

    def test_a_run_with_restarts_and_idle_wakes_is_the_same(self, subject: Subject) -> None:
        """In an engine that is restarted and woken for nothing, a strategy under the mode trades the same.

        Mend: see the cases on levels, arguments and saving; here the engine does all that at once.
        """
        modes: Mapping[str, Callable[[], RiskMode]] = {"kit": lambda: self.build(subject)}
        markets = self.candles(subject.instrument, self.rows)
        for name in MARKETS:
            candles = markets[name]
            bot = Bot(Prober, RISKY, candles, subject.instrument)
            usual = run_bots([bot], Conditions(modes=modes, balance=bot.budget))
            wakes = [int(time_ms) for time_ms in candles.open_time + candles.duration_ms]
            steps = {int(step) for step in np.linspace(1, usual.events, 20)}
            restless = run_bots(
                [bot],
                Conditions(modes=modes, balance=bot.budget, wakes=wakes, restart_at=steps.__contains__),
            )
            require_same_lines(
                usual.lines,
                restless.lines,
                what=f"the same records on the {name} market when the engine is restarted and woken for nothing",
                mend="declare every level, and remember through previous only",
            )

    def _told(self, subject: Subject) -> list[str]:
        """The answers to all portfolios of two days, one after the other, as text."""
        mode, state = self.build(subject), INACTIVE
        lines = []
        for cell in (cell for day in (0, 1) for cell in self.cells(subject, day)):
            for portfolio in cell.portfolios:
                state = self.ask(mode, portfolio, state)
                lines.append(f"{portfolio}: {state}")
        return lines
