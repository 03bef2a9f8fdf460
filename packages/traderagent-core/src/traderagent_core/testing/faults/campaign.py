"""Many seeds, in one process or in several, and what came of them by kind of fault."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from attrs import define, field, frozen

from traderagent_core.testing.faults.gauge import Lasting
from traderagent_core.testing.faults.kinds import Fault
from traderagent_core.testing.faults.run import Report, Trial, run
from traderagent_core.testing.faults.setting import Setting, configured, scripted

CHUNK = 8


@frozen
class Subject:
    """What trades: one of the scripts by its name, the bots of a file, or whatever script each seed draws."""

    script: str = ""
    file: Path | None = None

    def setting(self) -> Setting | None:
        """What a trial takes."""
        if self.file is not None:
            return configured(self.file)
        return scripted(self.script) if self.script else None


@define
class Tally:
    """What has been run so far, with the worst times of all runs.

    `on` counts the seeds that had a fault on, `struck` how often it struck.
    """

    runs: int = 0
    lives: int = 0
    on: Counter[Fault] = field(factory=Counter)
    struck: Counter[Fault] = field(factory=Counter)
    failures: list[Report] = field(factory=list)
    worst: Counter[Lasting] = field(factory=Counter)
    worst_calm: Counter[Lasting] = field(factory=Counter)
    settled_ms: int = 0
    cpu_seconds: float = 0.0

    def add(self, report: Report) -> None:
        """Take in one more."""
        self.runs += 1
        self.lives += report.lives
        self.on.update(report.mix.strengths.keys())
        self.struck.update(report.struck)
        self.worst |= Counter(report.worst)
        self.worst_calm |= Counter(report.worst_calm)
        self.settled_ms = max(self.settled_ms, report.settled_ms)
        self.cpu_seconds += report.cpu_seconds
        if report.failure:
            self.failures.append(report)


def run_seed(subject: Subject, seed: int) -> Report:
    """One seed."""
    return run(Trial(seed, subject.setting()))


def run_seeds(
    subject: Subject, seeds: Sequence[int], jobs: int, tell: Callable[[Report], None] = lambda _: None
) -> Tally:
    """All seeds; `tell` gets each report in the order of the seeds."""
    subject.setting()  # A file that cannot be used is told before anything starts.
    tally = Tally()
    for report in _reports(subject, seeds, jobs):
        tally.add(report)
        tell(report)
    return tally


def _reports(subject: Subject, seeds: Sequence[int], jobs: int) -> Iterator[Report]:
    if jobs < 2:
        for seed in seeds:
            yield run_seed(subject, seed)
        return
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    with ProcessPoolExecutor(jobs) as pool:
        for reports in pool.map(_run_chunk, [subject] * len(chunks), chunks):
            yield from reports


def _run_chunk(subject: Subject, seeds: Iterable[int]) -> list[Report]:
    return [run_seed(subject, seed) for seed in seeds]
