"""Planted defects: each has something to sit in, each is noticed, and nothing of them stays behind."""

import pytest
from click.testing import CliRunner
from traderagent_core.cli.main import traderagent
from traderagent_core.live.outbox import Outbox
from traderagent_core.testing.faults.defects import Defect, Patch, find, planted
from traderagent_core.testing.faults.defects.defect import PlantingError
from traderagent_core.testing.faults.defects.known import DEFECTS
from traderagent_core.testing.faults.run import Trial, run

SEEDS = range(1, 41)
"""Enough where a defect's own faults are on; most are found by the first. The command searches without them."""

HARMLESS = Defect("harmless", "Nothing is wrong.", ("I1",), (Patch(Outbox, "_submit", lambda real: real),))


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_noticed(name: str) -> None:
    found = find(DEFECTS[name], SEEDS, is_provoked=True)
    assert found.seed is not None, f"not found in {found.tried} seeds; otherwise noticed: {found.otherwise}"


@pytest.mark.parametrize("name", DEFECTS)
def test_what_a_defect_changes_is_put_back(name: str) -> None:
    patches = DEFECTS[name].patches
    before = [patch.real() for patch in patches]
    with planted(DEFECTS[name]):
        assert all(patch.real() is not real for patch, real in zip(patches, before, strict=True))
    assert [patch.real() for patch in patches] == before


def test_a_patch_of_code_that_has_moved_is_refused() -> None:
    moved = Defect("moved", "", ("I1",), (Patch(Outbox, "_submit_by_pigeon", lambda real: real),))
    with pytest.raises(PlantingError, match="Outbox defines no '_submit_by_pigeon'"), planted(moved):
        pass


def test_what_is_no_defect_is_not_found() -> None:
    found = find(HARMLESS, range(1, 3))
    assert (found.seed, found.tried, found.otherwise) == (None, 2, ())


def test_a_violation_by_another_check_is_not_taken_for_the_defect() -> None:
    real = DEFECTS["fee_twice"]
    found = find(Defect("fee_twice", "", ("I1",), real.patches), range(1, 2), is_provoked=True)
    assert found.seed is None
    assert "I4: money" in found.otherwise[0]


def test_a_seed_is_clean_again_after_a_defect() -> None:
    clean = run(Trial(1)).digest
    find(DEFECTS["fee_twice"], range(1, 2))
    assert run(Trial(1)).digest == clean


def test_the_command_prints_what_noticed_each_defect_in_how_many_seeds() -> None:
    done = CliRunner().invoke(traderagent, ["faults", "planted", "fee_twice", "--seeds", "1..9"])
    assert done.exit_code == 0, done.output
    assert "| `fee_twice` | Fees are booked twice. | 1 | I4 |" in done.output


def test_the_command_fails_when_a_defect_is_not_found() -> None:
    done = CliRunner().invoke(
        traderagent, ["faults", "planted", "funding_again_after_restart", "--seeds", "1"]
    )
    assert done.exit_code == 1
    assert "not in 1" in done.output


def test_the_command_refuses_a_defect_that_there_is_not() -> None:
    done = CliRunner().invoke(traderagent, ["faults", "planted", "no_such"])
    assert done.exit_code != 0
    assert "no planted defect 'no_such'" in str(done.exception or done.output)
