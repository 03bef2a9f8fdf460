"""`traderagent faults`: exit codes, the summary, and a violation that is told so that it can be run again."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from traderagent_core.cli.main import traderagent
from traderagent_core.testing.faults import checks
from traderagent_core.testing.faults.campaign import Subject, run_seeds


def faults(*arguments: str) -> Result:
    return CliRunner().invoke(traderagent, ["faults", *arguments])


def test_a_range_of_seeds_is_summed_up_by_kind_of_fault() -> None:
    done = faults("run", "--seeds", "1..2", "--strategy", "ladder")
    assert done.exit_code == 0, done.output
    assert "lost_request" in done.output
    assert "2 seeds" in done.output
    assert "0 violations" in done.output
    assert re.search(r"and the price not watched +\d+ +0$", done.output, re.MULTILINE)
    assert re.search(r"others that were touched \(a number\) +0$", done.output, re.MULTILINE)
    assert "runs a second of one core" in done.output


def test_one_seed_is_told_with_its_digest() -> None:
    done = faults("replay", "2")
    assert done.exit_code == 0, done.output
    assert "nothing was violated" in done.output


def test_a_violation_is_told_with_its_events_and_how_to_run_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "RUN_ID", "nobody")  # All orders seem to be somebody else's.
    done = faults("run", "--seeds", "6")
    assert done.exit_code == 1
    assert "I6: somebody else's order" in done.output
    assert "again: traderagent faults replay 6" in done.output
    assert "process 1 starts" in done.output or "venue Order" in done.output


@pytest.mark.parametrize("seeds", ["x", "5..2", "1..", "-1"])
def test_what_is_no_range_of_seeds_is_refused(seeds: str) -> None:
    done = faults("run", "--seeds", seeds)
    assert done.exit_code == 2


def test_a_file_that_cannot_be_used_is_told_before_anything_runs(tmp_path: Path) -> None:
    done = faults("run", "--seeds", "1..3", "--config", str(tmp_path / "none.yaml"))
    assert "none.yaml" in str(done.exception)


def test_several_processes_give_what_one_gives() -> None:
    seen: list[list[str]] = []
    for jobs in (1, 2):
        digests: list[str] = []
        tell: Callable[..., None] = lambda report, into=digests: into.append(report.digest)  # noqa: E731
        run_seeds(Subject(), range(1, 5), jobs, tell)
        seen.append(digests)
    assert seen[0] == seen[1]
