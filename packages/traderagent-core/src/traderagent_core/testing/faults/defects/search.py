"""Looks for the first seed that brings a planted defect to light."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from attrs import frozen

from traderagent_core.testing.faults.crash import Crash
from traderagent_core.testing.faults.defects.defect import Defect, planted
from traderagent_core.testing.faults.defects.known import DEFECTS
from traderagent_core.testing.faults.run import Report, Trial, run
from traderagent_core.testing.faults.setting import scripted

ENDED = "the process ended"


@frozen
class Found:
    """What a search has come to: the seed and its violation, or none in `tried` seeds.

    `otherwise` are violations that are no sign of the defect: by another check than those that it names, or such as
    the seed has without it too.
    """

    defect: str
    tried: int
    seed: int | None = None
    failure: str = ""
    otherwise: tuple[str, ...] = ()

    @property
    def noticed_as(self) -> str:
        """The check that noticed it, or the error that ended the process."""
        what, _, rest = self.failure.partition(": ")
        return rest.partition(": ")[0] if what == ENDED else what


def find(defect: Defect, seeds: Iterable[int], *, is_provoked: bool = False) -> Found:
    """Run seeds until a check notices the defect that is not violated without it.

    The seeds draw strategy and faults themselves, unless the defect is to be provoked by its own; then they are
    counted from its first seed on.
    """
    tried = 0
    otherwise: list[str] = []
    shift = defect.first_seed - 1 if is_provoked else 0
    for seed in (each + shift for each in seeds):
        tried += 1
        trial = _trial(defect, seed, is_provoked=is_provoked)
        failure = _run_with(defect, trial).failure
        if not failure:
            continue
        if defect.is_noticed(failure) and not run(trial).failure:
            return Found(defect.name, tried, seed, failure, tuple(otherwise))
        otherwise.append(f"seed {seed}: {failure}")
    return Found(defect.name, tried, otherwise=tuple(otherwise))


def _trial(defect: Defect, seed: int, *, is_provoked: bool) -> Trial:
    if not is_provoked:
        return Trial(seed)
    setting = scripted(defect.script, is_greedy=defect.is_greedy) if defect.script else None
    return Trial(seed, setting, defect.mix, crashes=tuple(map(Crash, defect.crash_steps)))


def _run_with(defect: Defect, trial: Trial) -> Report:
    with planted(defect):
        return run(trial)


def find_all(names: Sequence[str], seeds: range, jobs: int, *, is_provoked: bool = False) -> Iterator[Found]:
    """Search for each of the known defects by its name, in several processes; the first found comes first."""
    if jobs < 2:
        for name in names:
            yield _find_known(name, seeds, is_provoked)
        return
    with ProcessPoolExecutor(jobs) as pool:
        searches = [pool.submit(_find_known, name, seeds, is_provoked) for name in names]
        for search in as_completed(searches):
            yield search.result()


def _find_known(name: str, seeds: range, is_provoked: bool) -> Found:
    return find(DEFECTS[name], seeds, is_provoked=is_provoked)
