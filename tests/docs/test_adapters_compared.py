"""What each exchange adapter can do and which cases of the kit it passes is as the page on adapters has it."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import attrs
import pytest
from traderagent_bybit.adapter.bybit import BybitAdapter
from traderagent_core.adapters.venue_adapter import VENUE_CAPABILITIES
from traderagent_core.contract.capabilities import Capabilities

NAME = "docs/reference/exchange-adapters.md"
ROOT = Path(__file__).parents[2]
BUILT_IN = "packages/traderagent-core/tests/testing/test_kit_accepts_sound_adapters.py"
BYBIT = "packages/traderagent-bybit/tests/adapter/test_conformance.py"
CLASSES = ("TestWire", "TestPaper", "TestBybit")
Tables = Mapping[str, Callable[..., Any]]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, set[str]]]:
    """By case and test class what came of it: `passes`, or why it was not asked."""
    report = tmp_path_factory.mktemp("kit") / "report.xml"
    call = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", BUILT_IN, BYBIT]
    done = subprocess.run(
        [*call, f"--junitxml={report}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    found: dict[str, dict[str, set[str]]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name, by = case.attrib["name"].partition("[")[0], case.attrib["classname"].rpartition(".")[2]
        skipped = case.find("skipped")
        told = "passes" if skipped is None else skipped.attrib["message"]
        found.setdefault(name, {}).setdefault(by, set()).add(told)
    return found


def cell(told: set[str]) -> str:
    """What a table says of a case that was asked of several instruments."""
    if "passes" in told:
        return "passes"
    (reason,) = told
    return reason.removeprefix("the adapter declares that it ").removeprefix("PaperRig ")


def test_each_case_with_what_became_of_it(
    outcomes: dict[str, dict[str, set[str]]], page: Callable[[str], Any], tables: Tables
) -> None:
    rows = [
        tables["row"](f"`{name}`", *(cell(by[each]) for each in CLASSES))
        for name, by in sorted(outcomes.items())
        if set(by) == set(CLASSES)
    ]
    assert len(rows) > 35
    page(NAME).check_table("Cases passed", rows)


def test_what_each_adapter_declares(page: Callable[[str], Any], tables: Tables) -> None:
    adapters = (VENUE_CAPABILITIES, BybitAdapter.capabilities)
    rows = [
        tables["row"](f"`{field.name}`", *(words(getattr(each, field.name)) for each in adapters))
        for field in attrs.fields(Capabilities)
    ]
    page(NAME).check_table("Capabilities declared", rows)


def words(value: Any) -> str:
    """A value of a capability as people write it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{market.value}: {placement}" for market, placement in value.items()) or "none"
    if isinstance(value, tuple):
        return ", ".join(str(getattr(each, "value", each)) for each in value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else f"`{value}`"
