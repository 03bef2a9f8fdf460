"""Cases about what a filter says: valid, the same for the same candles, and asking changes nothing."""

import numpy as np

from traderagent_core.contract.entry_filter import Ruling, Verdict
from traderagent_core.contract.state import check_state_class
from traderagent_core.engine.codec import StateError, encode
from traderagent_core.testing.comparing import refuse
from traderagent_core.testing.conformance.filter_base import FilterKit, usual_rows, verdict_problem
from traderagent_core.testing.conformance.subjects import Subject
from traderagent_core.testing.outside_world import Watchman, other_world

ASKED_AGAIN = 40


class FilterVerdicts(FilterKit):
    """A verdict can be relied on, and costs nothing but the time to give it."""

    def test_state_can_be_saved(self, subject: Subject) -> None:
        """The state is one frozen attrs object with a schema_version, of values that can be saved, at all times.

        Mend: `@attrs.frozen class State: schema_version: int = 1 …`, set `state_class = State`, call
        `super().__init__(config)`, and keep plain values, Decimals, enums, tuples, dicts and attrs objects in it.
        """
        problem = check_state_class(self.filter_class)
        for name, candles in self.markets(subject).items():
            hearing = self.hearing(subject, candles)
            state_class = type(hearing.entry_filter).state_class
            if problem is None and type(getattr(hearing.entry_filter, "state", None)) is not state_class:
                problem = f"a new filter without a state of its state_class {state_class.__name__}"
            if problem is None:
                hearing.ask_all(usual_rows(candles)[::5])
                try:
                    encode(hearing.entry_filter.state)
                except StateError as error:
                    problem = f"{error}, on the {name} market"
            if problem is not None:
                refuse(
                    expected="a state that can be saved and taken back",
                    found=problem,
                    mend="make the state_class with attrs.frozen, with plain values and a default for each field",
                )

    def test_verdicts_are_valid(self, subject: Subject) -> None:
        """Every answer is a Verdict; a refusal and a smaller size say why; only NEUTRAL has a size factor.

        Mend: return `Verdict(Ruling.REJECT, "reason")`, `Verdict(Ruling.NEUTRAL, "reason", factor)` or
        `Verdict(Ruling.ACCEPT)`.
        """
        for name in self.markets(subject):
            for heard in self.usual(subject, name):
                for verdict in heard.verdicts:
                    problem = verdict_problem(verdict)
                    if problem is not None:
                        refuse(
                            expected=f"a valid Verdict at row {heard.row} of the {name} market",
                            found=problem,
                            mend="give every REJECT and NEUTRAL a reason in one line, and a factor to NEUTRAL only",
                        )

    def test_lets_through_and_holds_back(self, subject: Subject) -> None:
        """On the markets some plans are accepted and some are not; otherwise the other cases would prove nothing.

        Mend: set `configs` or `price` of the test class so that the filter does both, give your own markets with
        `candles()`, or other plans with `plans()`.
        """
        rulings = {
            verdict.ruling
            for name in self.markets(subject)
            for heard in self.usual(subject, name)
            for verdict in heard.verdicts
            if isinstance(verdict, Verdict)
        }
        if Ruling.ACCEPT not in rulings or len(rulings) < 2:
            refuse(
                expected="ACCEPT and another ruling on the markets",
                found=", ".join(ruling.value for ruling in rulings) or "no verdict",
                mend="set configs or price so that the filter does both, or override candles() or plans()",
            )

    def test_same_candles_give_the_same_verdicts(self, subject: Subject) -> None:
        """Two filters on the same candles say the same, whatever the global random generators say.

        Mend: draw no random numbers, and keep nothing in modules or classes.
        """
        for name, candles in self.markets(subject).items():
            for seed in (1, 2):
                with other_world(seed):
                    found = self.hearing(subject, candles).ask_all(usual_rows(candles))
                self.require_as_usual(
                    subject,
                    name,
                    found,
                    what="the same verdicts in every run",
                    mend="decide from the view, the plan and the state: no random numbers, no globals",
                )

    def test_reads_no_clock_no_chance_and_no_files(self, subject: Subject) -> None:
        """`advance` and `judge` call no clock, random generator, file, process, thread or network.

        Mend: everything has to come with the configuration, the view and the plan.
        """
        watchman = Watchman()
        for candles in self.markets(subject).values():
            hearing = self.hearing(subject, candles)
            for row in usual_rows(candles)[::5]:
                hearing.move(row)
                with watchman.watching("advance"):
                    hearing.advance()
                for plan in hearing.plans():
                    with watchman.watching("judge"):
                        hearing.judge(plan)
        if watchman.seen:
            refuse(
                expected="a filter that reads nothing but configuration, view, plan and state",
                found=f"{watchman.seen[0]}, and {len(watchman.seen) - 1} more such calls",
                mend="take the time from candles; bring all else in with the configuration",
            )

    def test_asking_changes_nothing(self, subject: Subject) -> None:
        """Asked twice, in another order or not at all, the filter says the same at each close.

        Mend: `judge` only reads; whatever changes the state belongs into `advance`, and depends on candles only.
        """
        for name, candles in self.markets(subject).items():
            hearing = self.hearing(subject, candles)
            found = []
            for row in usual_rows(candles):
                hearing.move(row)
                hearing.advance()
                if row % 3:  # Not asked at all here.
                    continue
                for plan in reversed(hearing.plans()[: 1 + row % 2]):
                    hearing.judge(plan)
                found.append(hearing.ask(row))
            self.require_as_usual(
                subject,
                name,
                found,
                what="the same verdicts however often the filter was asked before",
                mend="let judge read the state and change nothing: neither self.state nor another attribute",
            )

    def test_plans_are_left_as_they_are(self, subject: Subject) -> None:
        """A plan looks the same after it was judged.

        Mend: build a new Verdict; write nothing into the plan, its legs or its evidence.
        """
        for name, candles in self.markets(subject).items():
            hearing = self.hearing(subject, candles)
            rows = usual_rows(candles)
            for row in (rows[int(at)] for at in np.linspace(0, len(rows) - 1, ASKED_AGAIN)):
                hearing.move(row)
                hearing.advance()
                for plan in hearing.plans():
                    before = repr(plan)
                    hearing.judge(plan)
                    if repr(plan) != before:
                        refuse(
                            expected=f"the plan as it was asked, at row {row} of the {name} market: {before}",
                            found=repr(plan),
                            mend="put what you have to say into the verdict's evidence, and leave the plan alone",
                        )

    def test_survives_bad_markets(self, subject: Subject) -> None:
        """From the first closed candle on, in a crash, with gaps and on a market that stands still: no exception.

        Mend: allow for few candles, nan while indicators warm up, and candles without range or volume.
        """
        for name in self.markets(subject):
            self.usual(subject, name)
