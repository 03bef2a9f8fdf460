"""Runs of the simulated world: nothing is violated, and a seed gives the same run each time."""

from pathlib import Path

import pytest
from traderagent_core.testing.faults.kinds import Mix
from traderagent_core.testing.faults.run import Trial, run
from traderagent_core.testing.faults.setting import scripted
from traderagent_core.testing.faults.strategies import SCRIPTS

CHUNK = 10
ONCE_FAILED = Path(__file__).with_name("once_failed.txt")


def once_failed() -> list[int]:
    lines = ONCE_FAILED.read_text(encoding="utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("strategy", SCRIPTS)
def test_without_faults_nothing_is_violated(strategy: str) -> None:
    report = run(Trial(1, scripted(strategy), Mix({})))
    assert (report.failure, report.lives, dict(report.struck)) == ("", 1, {})


@pytest.mark.parametrize("seed", once_failed())
def test_what_once_failed_does_so_no_more(seed: int) -> None:
    report = run(Trial(seed))
    assert report.failure == "", "\n".join(report.events)


def failures(first: int) -> dict[int, str]:
    reports = [run(Trial(seed)) for seed in range(first, first + CHUNK)]
    return {report.seed: report.failure for report in reports if report.failure}


class TestFirstSeeds:
    """In two classes, as a worker takes all of one."""

    @pytest.mark.parametrize("first", range(1, 251, CHUNK))
    def test_violate_nothing(self, first: int) -> None:
        assert failures(first) == {}


class TestNextSeeds:
    @pytest.mark.parametrize("first", range(251, 501, CHUNK))
    def test_violate_nothing(self, first: int) -> None:
        assert failures(first) == {}


@pytest.mark.parametrize("seed", [1, 6])
def test_a_seed_gives_the_same_run_to_the_last_byte(seed: int) -> None:
    assert run(Trial(seed)).digest == run(Trial(seed)).digest


def test_other_seeds_give_other_runs() -> None:
    assert run(Trial(1)).digest != run(Trial(2)).digest
