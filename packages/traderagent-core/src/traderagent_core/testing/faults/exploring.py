"""Crashes at all steps of a scenario, one after the other: a first one, and a second one in its recovery."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import count

from attrs import define, evolve, field, frozen

from traderagent_core.testing.faults.crash import Crash, Leave
from traderagent_core.testing.faults.kinds import Mix
from traderagent_core.testing.faults.market import MINUTE_MS
from traderagent_core.testing.faults.run import Run, Trial
from traderagent_core.testing.faults.scenario import SECOND_MS, End, Scenario
from traderagent_core.testing.faults.scenarios import SCENARIOS
from traderagent_core.testing.faults.setting import HISTORY_MS, setting_of

SEED = 1


@frozen
class Life:
    """Steps of one process: all, and those up to which it was busy with what it had found at its start.

    `found` is the digest of that; `had_pending` says that it has left something that a power cut would have taken.
    """

    found: str
    steps: int
    recovered_at: int
    had_pending: bool


@frozen
class Outcome:
    """What became of a scenario with the crashes of its first, second … process, None for one that ended as told.

    `failure` is empty when all was as it must be.
    """

    crashes: tuple[Crash | None, ...]
    failure: str
    end: End | None
    lives: tuple[Life, ...]
    events: tuple[str, ...]
    is_other_end: bool = False

    def __str__(self) -> str:
        crashes = ", then ".join(str(each or "as told") for each in self.crashes)
        return f"{crashes or 'no crash'}: {self.failure or 'nothing was violated'}"


@frozen
class Share:
    """Which of all crashes to try: first ones at every so many-th step from `offset` on, and every so many-th of the
    second ones in their recoveries; 0 for none.

    First crashes after which files and account are the same but for the time have one recovery.
    """

    every: int = 1
    offset: int = 0
    second_every: int = 1


ALL = Share()


@define
class Exploration:
    """What has been tried of a scenario: `first` and `second` are the runs with one crash and with two.

    `steps` are those of the run without a crash, and `other_ends` the runs that ended otherwise, as they may.
    """

    name: str
    steps: int = 0
    first: int = 0
    second: int = 0
    other_ends: int = 0
    violations: list[Outcome] = field(factory=list)

    def add(self, outcome: Outcome) -> None:
        """Take in one more."""
        crashes = sum(crash is not None for crash in outcome.crashes)
        self.first += crashes == 1
        self.second += crashes == 2
        self.other_ends += outcome.is_other_end
        if outcome.failure:
            self.violations.append(outcome)


def explore(scenario: Scenario, share: Share = ALL) -> Exploration:
    """Try crashes at the steps of a scenario; the violations say which and why."""
    whole = play(scenario)
    found = Exploration(scenario.name, sum(life.steps for life in whole.lives))
    if whole.failure:
        found.violations.append(whole)
        return found
    seen: set[str] = set()
    places = count(1)
    for number, (before, step) in enumerate(_first_steps(whole)):
        if number % share.every != share.offset:
            continue
        for first in _each_leave(scenario, whole, before, step):
            found.add(first)
            if not _is_new(first, seen):
                continue
            for second in _second_steps(first, share.second_every, places):
                for outcome in _each_leave(scenario, whole, first.crashes, second):
                    found.add(outcome)
    return found


def explore_all(names: Sequence[str], share: Share, jobs: int) -> Iterator[tuple[Exploration, float]]:
    """Scenarios by their names, one after the other or several at once, with the CPU time of each in seconds."""
    if jobs < 2:
        yield from (_explore_named(name, share) for name in names)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(_explore_named, names, [share] * len(names))


def _explore_named(name: str, share: Share) -> tuple[Exploration, float]:
    begun = time.process_time()
    return explore(SCENARIOS[name](), share), time.process_time() - begun


def play(scenario: Scenario, crashes: Sequence[Crash | None] = (), whole: Outcome | None = None) -> Outcome:
    """A scenario once, with its first, second … process ending so; its end is compared with that of `whole`."""
    run = Run(_trial(scenario, tuple(crashes)))
    report = run.report()
    lives = [Life(each.found, each.steps, each.recovered_at, each.had_pending) for each in run.processes]
    if run.end is not None:
        lives[-1] = evolve(lives[-1], steps=run.rested_at)  # It ends as nothing is to happen any more.
    outcome = Outcome(tuple(crashes), report.failure, run.end, tuple(lives), report.events)
    return outcome if whole is None or report.failure else _compared(scenario, whole, outcome)


def _compared(scenario: Scenario, whole: Outcome, outcome: Outcome) -> Outcome:
    """The outcome, with a failure if it has come to another end than it may."""
    assert whole.end is not None
    assert outcome.end is not None
    differences = whole.end.differences(outcome.end)
    if not differences:
        return outcome
    if scenario.allows(whole.end, outcome.end):
        return evolve(outcome, is_other_end=True)
    return evolve(outcome, failure=f"the end is another one: {'; '.join(differences)}")


def _each_leave(
    scenario: Scenario, whole: Outcome, before: tuple[Crash | None, ...], step: int
) -> Iterator[Outcome]:
    """A crash at a step, with each thing that it may leave; a cut takes nothing where nothing is pending."""
    killed = play(scenario, (*before, Crash(step)), whole)
    yield killed
    if len(killed.lives) > len(before) and killed.lives[len(before)].had_pending:
        for leave in (Leave.POWER_CUT, Leave.TORN):
            yield play(scenario, (*before, Crash(step, leave)), whole)


def _first_steps(whole: Outcome) -> Iterator[tuple[tuple[None, ...], int]]:
    """All steps of all processes, with how those before have ended."""
    for number, life in enumerate(whole.lives):
        for step in range(1, life.steps + 1):
            yield (None,) * number, step


def _is_new(first: Outcome, seen: set[str]) -> bool:
    """Whether a process after a crash has found what none has found before."""
    place = len(first.crashes)
    if len(first.lives) <= place or first.lives[place].found in seen:
        return False
    seen.add(first.lives[place].found)
    return True


def _second_steps(first: Outcome, every: int, places: Iterator[int]) -> Iterator[int]:
    """Steps in the recovery from a first crash; all of them are numbered, and every so many-th is taken."""
    for step in range(1, first.lives[len(first.crashes)].recovered_at + 1):
        if every and next(places) % every == 0:
            yield step


def _trial(scenario: Scenario, crashes: tuple[Crash | None, ...]) -> Trial:
    setting = setting_of(scenario.config, has_stops=scenario.has_stops)
    setting = evolve(setting, history_ms=max(HISTORY_MS, len(scenario.history) * MINUTE_MS))
    return Trial(SEED, setting, Mix({}), int(scenario.until * SECOND_MS), scenario, crashes)
