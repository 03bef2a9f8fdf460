"""Spoilt copies of the configurations that come with the project; `benchmarks/fuzz.py` examines many more."""

import shutil
from pathlib import Path

from traderagent_core.testing.fuzz.configurations import fuzz_configurations


def test_a_spoilt_configuration_loads_or_is_refused_with_a_place(root: Path, tmp_path: Path) -> None:
    examples = root / "examples"
    shutil.copytree(examples / "presets", tmp_path / "presets")
    configurations = [*sorted((root / "benchmarks" / "configs").glob("*.yaml")), examples / "portfolio.yaml"]
    tally = fuzz_configurations(
        configurations, sorted((examples / "presets").glob("*.yaml")), tmp_path, range(120)
    )
    assert not tally.wrong, "\n".join(tally.wrong)
    assert tally.ends["accepted"] > 1
    assert tally.ends["refused"] > 50
